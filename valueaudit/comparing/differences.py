"""Bounds and tests for the difference of two rates, because a baseline is a sample too and no limit that stands fixed.

Everything rests on the exact bounds of `statistics`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from valueaudit.statistics import lower_bound, probability_at_least, upper_bound

SMALLEST_P = 1e-12
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate with its own lower and upper bound, all in [0, 1]."""

    rate: float
    lower: float
    upper: float


def estimate_rate(hits: int, total: int, confidence: float) -> Estimate:
    """A rate with one-sided Clopper-Pearson bounds; errors as `lower_bound`. `total` is above 0."""
    return Estimate(hits / total, lower_bound(hits, total, confidence), upper_bound(hits, total, confidence))


def square_and_add(first: Estimate, second: Estimate, *, correlation: float = 0.0) -> tuple[float, float]:
    """The lower and upper bound of first minus second, in [-1, 1], from the bounds of each.

    Newcombe 1998, Statistics in Medicine 17, 873-890, method 10 where the correlation of the two estimates is 0, and
    17, 2635-2650, method 10 where it is not; for bounds of any kind Zou and Donner 2008, Statistics in Medicine 27,
    1693-1702.
    """
    difference = first.rate - second.rate
    below = _add(first.rate - first.lower, second.upper - second.rate, correlation)
    above = _add(first.upper - first.rate, second.rate - second.lower, correlation)
    return max(-1.0, difference - below), min(1.0, difference + above)


def bound_difference(new: tuple[int, int], base: tuple[int, int], confidence: float) -> tuple[float, float]:
    """The one-sided bounds of the rate of `new` minus that of `base`, each (hits, total), of independent samples.

    Square-and-add with Clopper-Pearson bounds in place of Newcombe's score bounds, which err up to 8% of the time
    where 5% are promised (docs/compare.md). (-1, 1) where a side has no conversations; errors as `lower_bound`.
    """
    if not (new[1] and base[1]):
        return -1.0, 1.0
    return square_and_add(estimate_rate(*new, confidence), estimate_rate(*base, confidence))


def bound_paired_difference(gained: int, lost: int, pairs: int, confidence: float) -> tuple[float, float]:
    """The one-sided bounds of (gained - lost) / pairs: hits in the new half of a pair only, in the old half only.

    Square-and-add over the two discordant cells of a multinomial, whose estimates have the correlation
    -sqrt(p q / ((1 - p) (1 - q))), with Clopper-Pearson bounds. (-1, 1) where there is no pair.
    """
    if not pairs:
        return -1.0, 1.0
    first, second = estimate_rate(gained, pairs, confidence), estimate_rate(lost, pairs, confidence)
    return square_and_add(first, second, correlation=_correlate(first.rate, second.rate))


def mcnemar_p_value(gained: int, lost: int) -> float:
    """The one-sided exact p value of McNemar's test against "no more gained than lost".

    McNemar 1947, Psychometrika 12, 153-157, with the binomial tail of the discordant pairs; 1 where there are none.
    """
    return probability_at_least(gained, gained + lost, 0.5)


def find_p_value(lower_at: Callable[[float], float], margin: float) -> float:
    """The p value that belongs to a lower bound: the error at which it just exceeds the margin.

    `lower_at` gives the bound at a confidence and falls as that rises. 1 where not even a confidence of one half
    exceeds the margin, never below 1e-12.
    """
    if lower_at(0.5) <= margin:
        return 1.0
    if lower_at(1 - SMALLEST_P) > margin:
        return SMALLEST_P
    below, above = SMALLEST_P, 0.5
    for _ in range(_HALVINGS):
        middle = sqrt(below * above)
        if lower_at(1 - middle) > margin:
            above = middle
        else:
            below = middle
    return above


def _add(first: float, second: float, correlation: float) -> float:
    return sqrt(max(0.0, first**2 + second**2 - 2 * correlation * first * second))


def _correlate(first: float, second: float) -> float:
    if not (first and second):
        return 0.0
    # Rounding may leave 1 - p - q a hair below 0; a correlation never leaves [-1, 0] here.
    return -min(1.0, sqrt(first * second / ((1 - first) * (1 - second))))
