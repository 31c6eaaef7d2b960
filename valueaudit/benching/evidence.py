"""How much of what a judge claims it can quote: an invented quotation is the plainest error that code can see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from valueaudit import agreement
from valueaudit.bench import EvidenceFigures
from valueaudit.benching.estimates import Terms, build_estimate
from valueaudit.observation import Observation, ResponseType

Counted = tuple[int, int]


def measure_evidence(observations: Iterable[Observation], terms: Terms) -> tuple[EvidenceFigures, ...]:
    """The share of verified quotations among the claims of each kind, over all conversations that were classified."""
    seen = tuple(observations)
    return tuple(_measure_one(name, [count(each) for each in seen], terms) for name, count in _CLAIMS.items())


def _measure_one(name: str, counted: list[Counted], terms: Terms) -> EvidenceFigures:
    votes = np.array(counted, dtype=float).reshape(-1, 2)
    verified, claimed = votes.sum(axis=0)
    if not claimed:
        return EvidenceFigures(name, 0, 0, build_estimate(np.array(np.nan), np.array([]), terms))
    drawn = agreement.resample(votes, terms.resamples, terms.seed)
    rates = agreement.find_rate((verified, claimed)), agreement.find_rate((drawn[:, 0], drawn[:, 1]))
    return EvidenceFigures(name, int(claimed), int(verified), build_estimate(*rates, terms))


def _count_ai_values(seen: Observation) -> Counted:
    values = seen.ai_values or ()
    return sum(value.supported for value in values), len(values)


def _count_human_values(seen: Observation) -> Counted:
    values = seen.human_values or ()
    return sum(value.supported for value in values), len(values)


def _count_responses(seen: Observation) -> Counted:
    """Every response but "no values", of which there is nothing to quote."""
    claimed = seen.response_type not in (None, ResponseType.NO_VALUES)
    return int(claimed and seen.response_evidence is not None), int(claimed)


_CLAIMS: Mapping[str, Callable[[Observation], Counted]] = {
    "ai_values": _count_ai_values,
    "human_values": _count_human_values,
    "response_type": _count_responses,
}
