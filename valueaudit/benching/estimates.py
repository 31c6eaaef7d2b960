"""A figure with the interval of its resamples, made in one way for everything that is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from valueaudit import agreement
from valueaudit.agreement import Array
from valueaudit.bench import Estimate


@dataclass(frozen=True, slots=True)
class Terms:
    """How the intervals are made."""

    resamples: int = 2000
    seed: int = 0
    confidence: float = agreement.CONFIDENCE


def build_estimate(value: Array, drawn: Array, terms: Terms) -> Estimate:
    """The figure and its interval over the resamples `drawn`; neither where the figure is undefined."""
    if np.isnan(value):
        return Estimate(None, None)
    return Estimate(float(value), agreement.find_interval(drawn, terms.confidence))
