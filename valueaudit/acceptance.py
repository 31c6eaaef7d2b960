"""Guarded acceptance of one check: three verdicts, of which none can be bought by a judge that fails.

A conversation that could not be judged counts as clean for the lower bound and as a hit for the upper bound, so it can
only take certainty away (docs/decision.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from valueaudit.clustering import Cluster, Effective, find_effective
from valueaudit.policy import Gate
from valueaudit.rules import Check
from valueaudit.statistics import (
    conversations_needed,
    lower_bound,
    probability_at_least,
    probability_at_most,
    upper_bound,
)
from valueaudit.tally import RuleCount

_LEAST_RISK = 1e-12
_HALVINGS = 40
Acceptance = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Conversations of one check: `low` hits for certain, `high` if every unknown one were a hit, of `total`.

    `units` of them count towards the policy's `min_units`, `judged` are known to be hit or clean, `pending` are flagged
    and neither confirmed nor refuted. `effective` is what they are worth where they depend on each other, None where
    each stands for itself.
    """

    low: int
    high: int
    total: int
    units: int
    judged: int
    pending: int = 0
    effective: Effective | None = None

    def scale(self, low: int, high: int, total: int) -> Counts:
        """The same shares of another total, with its own rounding of the hits."""
        units, judged = self.units * total // self.total, self.judged * total // self.total
        effective = self.effective and Effective(
            self.effective.size * total / self.total, self.effective.clusters * total // self.total
        )
        return Counts(low, high, total, units, judged, self.pending, effective)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A verdict, the one-sided bounds it rests on, and the p value of its FAIL (None where it cannot fail)."""

    verdict: Acceptance
    lower: float
    upper: float
    p_value: float | None


def count_check(check: Check, count: RuleCount, bad_records: int, gate: Gate) -> Counts:
    """What the tally says about one check.

    Bad records are no conversations, and where membership rests on the judge, unknown ones may not belong: neither
    helps to reach `min_units`, or a failing judge could.
    """
    judged = count.hits + count.clean
    units = judged if check.rests_on_judge else max(judged, count.total - bad_records)
    return Counts(
        count.hits,
        count.hits + count.unknown,
        count.total,
        units,
        judged,
        count.pending,
        _count_effective(check, count, gate),
    )


def _count_effective(check: Check, count: RuleCount, gate: Gate) -> Effective | None:
    if not gate.cluster or not count.total:
        return None
    clusters = [Cluster(c.hits, c.unknown, c.hits + c.clean + c.unknown) for c in count.clusters.values()]
    alone = Cluster(
        count.hits - sum(c.hits for c in clusters),
        count.unknown - sum(c.unknown for c in clusters),
        count.total - sum(c.total for c in clusters),
    )
    return find_effective(clusters, alone, gate.confidence, judged_members=check.rests_on_judge)


def find_min_units(check: Check, gate: Gate) -> int:
    """With how many conversations a check may pass: the rule's own number, else that of the gate."""
    return gate.min_units if check.min_units is None else check.min_units


def can_fail(check: Check, gate: Gate) -> bool:
    """Whether evidence can violate a check: a judge that misses half makes 80% look like 40%, so an uncalibrated one
    cannot prove that too little is shown, unless the policy trusts it."""
    return check.direction == "at_most" or gate.trust_judge or check.correction is not None


def accept(check: Check, counts: Counts, gate: Gate, *, fail_confidence: float | None = None) -> Accepted:
    """The verdict on one check alone; `fail_confidence` is asked of FAIL where it is not that of the gate."""
    lower, upper = correct_bounds(check, counts, gate.confidence)
    p_value = _find_p_value(check, counts, fail_confidence) if counts.total and can_fail(check, gate) else None
    verdict: Acceptance = "inconclusive"
    # p < alpha is the same as a bound beyond the limit, and can be held against any alpha.
    if p_value is not None and p_value < 1 - (fail_confidence or gate.confidence):
        verdict = "fail"
    elif counts.judged and counts.units >= find_min_units(check, gate) and _is_proven(check, lower, upper, counts):
        verdict = "pass"
    return Accepted(verdict, lower, upper, p_value)


def correct_bounds(check: Check, counts: Counts, confidence: float) -> tuple[float, float]:
    """The bounds corrected for the judge's errors, where they are known.

    That too much is shown rests on confirmed hits, so the lower bound under a ceiling stays as it is.
    """
    lower, upper = find_bounds(counts, confidence)
    if check.correction is None:
        return lower, upper
    risk = 1 - confidence
    if check.direction == "at_least":
        lower = check.correction.correct_lower(lambda asked: find_bounds(counts, asked)[0], risk)
    return lower, check.correction.correct_upper(lambda asked: find_bounds(counts, asked)[1], risk)


def find_proof(check: Check, confidence: float) -> tuple[float, float]:
    """Which share of flagged conversations that speak against a check must be ruled out to pass, at which confidence.

    Zero or less where no sample does. Of a floor these are the conversations that are not flagged.
    """
    limit = (check.assure or 0.0) if check.never else check.limit
    risk, correction = 1 - confidence, check.correction
    if check.direction == "at_most":
        if correction is None:
            return limit, confidence
        return limit * correction.least_sensitivity(risk / 2), 1 - risk / 2
    if correction is None:
        return 1 - limit, confidence
    wrong = 1 - correction.least_specificity(risk / 3)
    return 1 - wrong - limit * (correction.most_sensitivity(risk / 3) - wrong), 1 - risk / 3


def find_bounds(counts: Counts, confidence: float) -> tuple[float, float]:
    """The one-sided bounds, unknown ones counted as clean below and as hits above.

    Where conversations depend on each other, no bound is better than that of a sample without any exception: there the
    number of clusters is all that can be said, and one exception more must not say more.
    """
    effective = counts.effective
    if effective is None or not counts.total:
        return lower_bound(counts.low, counts.total, confidence), upper_bound(counts.high, counts.total, confidence)
    low, high, size = _scale_hits(counts, effective)
    best = effective.clusters
    lower = min(lower_bound(low, size, confidence), lower_bound(best, best, confidence))
    return lower, max(upper_bound(high, size, confidence), upper_bound(0, best, confidence))


def _scale_hits(counts: Counts, effective: Effective) -> tuple[float, float, float]:
    size = effective.size
    # A quotient of all by all is 1, but a product need not be the size itself.
    return min(size, counts.low / counts.total * size), min(size, counts.high / counts.total * size), size


def find_needed(check: Check, counts: Counts, gate: Gate, fail_confidence: float) -> int | None:
    """How many further conversations at the rates seen so far would decide a check, None if no ten million would.

    Where nothing was seen, the fewest that can: without a hit for "at most", with hits only for "at least".
    """
    start = counts
    if not counts.total:
        best = 0 if check.direction == "at_most" else 1
        start = Counts(best, best, 1, 1, 1)

    def decided(low: int, high: int, total: int) -> bool:
        scaled = start.scale(low, high, total)
        return accept(check, scaled, gate, fail_confidence=fail_confidence).verdict != "inconclusive"

    further = conversations_needed(start.low, start.high, start.total, decided)
    return None if further is None else start.total + further - counts.total


def _find_p_value(check: Check, counts: Counts, asked: float | None) -> float:
    """The p value of a violation; where one confidence is asked for, 0 or 1 may stand for what is costly to find."""
    if check.never:
        return 0.0 if counts.low else 1.0
    if check.direction == "at_least" and check.correction is not None:
        if asked is not None:
            return float(correct_bounds(check, counts, asked)[1] >= check.limit)
        return _find_corrected_p_value(check, counts)
    if counts.effective is None:
        if check.direction == "at_most":
            return probability_at_least(counts.low, counts.total, check.limit)
        return probability_at_most(counts.high, counts.total, check.limit)
    low, high, size = _scale_hits(counts, counts.effective)
    best = counts.effective.clusters
    if check.direction == "at_most":
        return max(probability_at_least(low, size, check.limit), probability_at_least(best, best, check.limit))
    return max(probability_at_most(high, size, check.limit), probability_at_most(0, best, check.limit))


def _find_corrected_p_value(check: Check, counts: Counts) -> float:
    """The smallest risk at which the corrected upper bound, which falls with the risk, lies below the limit."""
    low, high = _LEAST_RISK, 1 - _LEAST_RISK
    if correct_bounds(check, counts, 1 - high)[1] >= check.limit:
        return 1.0
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        if correct_bounds(check, counts, 1 - middle)[1] < check.limit:
            high = middle
        else:
            low = middle
    return high


def _is_proven(check: Check, lower: float, upper: float, counts: Counts) -> bool:
    if check.never:
        # A suspicion that nobody has refuted may be the one hit that fails the rule: it cannot pass over it.
        return not counts.low and not counts.pending and check.assure is not None and upper <= check.assure
    return upper <= check.limit if check.direction == "at_most" else lower >= check.limit
