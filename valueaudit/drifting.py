"""Drift rules decided: a change for the worse since a baseline, or the reason why the two cannot be compared.

Pure, and the same arithmetic as `valueaudit compare` (docs/compare.md); what differs is that the policy names baseline
and margin beforehand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from valueaudit.acceptance import Acceptance, Accepted, Counts, count_check, find_bounds, find_min_units
from valueaudit.comparing import Drift, Ledger, Overlay, Terms, build_overlay, find_drift
from valueaudit.comparing.comparability import compare_questions, find_judging_notes, find_judging_obstacles
from valueaudit.comparing.differences import Estimate, find_p_value, square_and_add
from valueaudit.comparing.measuring import WORSE, Measured
from valueaudit.comparison import Worse
from valueaudit.policy import Gate
from valueaudit.record import ClassifierInfo, TaxonomyInfo
from valueaudit.report import BaselineInfo
from valueaudit.rules import Check
from valueaudit.rules.base import Against
from valueaudit.rules.fields import build_percentage, build_points, build_rounded, sign_points
from valueaudit.tally import RuleCount

NOT_READ = "it was not read"


@dataclass(frozen=True, slots=True)
class Audited:
    """One audit beside another: who judged it, how its labels were placed, and its conversations.

    A baseline also has path and digest of its records, and `counts` by check, which know what depends on each other.
    """

    classifier: ClassifierInfo
    taxonomy: TaxonomyInfo
    ledger: Ledger
    counts: Mapping[str, RuleCount] = field(default_factory=dict)
    path: str = ""
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """This audit beside the baselines of its policy, each by the name that the policy gives it."""

    now: Audited
    baselines: Mapping[str, Audited]
    overlays: Mapping[str, Overlay]


@dataclass(frozen=True, slots=True)
class Drifted:
    """How one check stands alone. The bounds are of the change for the worse, whichever direction that is."""

    accepted: Accepted
    baseline: BaselineInfo


def find_drift_checks(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks that need a baseline."""
    return tuple(check for check in checks if check.against is not None and check.enforce != "off")


def build_change(now: Audited, baselines: Mapping[str, Audited]) -> Change:
    """Everything counted, laid over each other."""
    return Change(now, baselines, {name: build_overlay(base.ledger, now.ledger) for name, base in baselines.items()})


def find_reasons(check: Check, base: Audited, now: Audited) -> tuple[str, ...]:
    """Why a check cannot be held against a baseline; BASE is the baseline in these words, NEW this audit."""
    names = check.against.names if check.against else ()
    return (*find_judging_obstacles(base, now), *compare_questions(names, base, now)[0])


def find_warnings(change: Change | None) -> Iterator[str]:
    """What does not forbid a comparison and should be known."""
    if change is None:
        return
    for base in change.baselines.values():
        for note in find_judging_notes(base, change.now):
            yield f'baseline "{base.path}": {note}'


def count_baseline(check: Check, base: Audited, gate: Gate) -> Counts:
    """What a baseline says about one check, dependence between its conversations included."""
    return count_check(check, base.counts.get(check.id, RuleCount()), base.ledger.bad_records, gate)


def judge_change(check: Check, counts: Counts, gate: Gate, change: Change | None) -> Drifted:
    """One check of a change by itself. Without its baseline, or with another judge's, it is inconclusive."""
    against = check.against
    assert against is not None
    base = change.baselines.get(against.baseline) if change else None
    if change is None or base is None:
        return _refuse(BaselineInfo(path=against.baseline, sha256=None, check=against.check, reasons=(NOT_READ,)))
    named = BaselineInfo(path=base.path, sha256=base.sha256, check=against.check)
    reasons = find_reasons(check, base, change.now)
    if reasons:
        return _refuse(replace(named, reasons=reasons))
    terms = Terms(check.limit, gate.confidence)
    drift = find_drift(
        dataclasses.replace(check, direction=against.direction), change.overlays[against.baseline], terms
    )
    if gate.cluster:
        before = count_baseline(check, base, gate)
        drift = dataclasses.replace(drift, measured=measure_clustered(before, counts, terms, WORSE[against.direction]))
    return Drifted(_accept(check, against, counts, gate, drift.measured), _describe(named, drift))


def measure_clustered(base: Counts, now: Counts, terms: Terms, worse: Worse) -> Measured:
    """The difference between two samples of conversations that depend on each other, by their effective sizes.

    Square-and-add takes bounds of any kind (Zou and Donner 2008); here they are those of Korn and Graubard. Unpaired.
    """
    if not (base.total and now.total):
        return Measured("unpaired", -1.0, 1.0, 1.0)

    def bound(confidence: float) -> tuple[float, float]:
        low_base, high_base = estimate_extremes(base, confidence)
        low_now, high_now = estimate_extremes(now, confidence)
        return square_and_add(low_now, high_base)[0], square_and_add(high_now, low_base)[1]

    lower, upper = bound(terms.confidence)
    rises = worse == "increase"
    p_value = find_p_value(lambda asked: bound(asked)[0] if rises else -bound(asked)[1], terms.margin)
    return Measured("unpaired", lower, upper, p_value)


def estimate_extremes(counts: Counts, confidence: float) -> tuple[Estimate, Estimate]:
    """The rate with unknown conversations as clean and as hits; each with the bounds that lie outside, 0 or 1 inside.

    Of the two estimates only the outer bounds are ever used.
    """
    lower, upper = find_bounds(counts, confidence)
    low, high = counts.low / counts.total, counts.high / counts.total
    return Estimate(low, min(lower, low), 1.0), Estimate(high, 0.0, max(upper, high))


def _accept(check: Check, against: Against, counts: Counts, gate: Gate, measured: Measured) -> Accepted:
    rises = WORSE[against.direction] == "increase"
    lower, upper = (measured.lower, measured.upper) if rises else (-measured.upper, -measured.lower)
    verdict: Acceptance = "inconclusive"
    if measured.p_value < 1 - gate.confidence:
        verdict = "fail"
    elif counts.judged and counts.units >= find_min_units(check, gate) and upper <= check.limit:
        verdict = "pass"
    return Accepted(verdict, lower, upper, measured.p_value)


def _describe(named: BaselineInfo, drift: Drift) -> BaselineInfo:
    base, now, pairs = drift.base, drift.new, drift.measured.pairs
    before, after = (side.hits / side.total if side.total else None for side in (base, now))
    return replace(
        named,
        confirmed=base.hits,
        denominator=base.total,
        unclassified=base.unknown,
        rate=before,
        difference=None if before is None or after is None else after - before,
        method=drift.measured.method,
        pairs=pairs and pairs.pairs,
        only_new=pairs and pairs.only_new,
        only_base=pairs and pairs.only_base,
    )


def explain_change(check: Check, count: RuleCount, drifted: Drifted, gate: Gate) -> Iterator[str]:
    """The figures in words, or why there are none."""
    base, against, accepted = drifted.baseline, check.against, drifted.accepted
    assert against is not None
    name = check.denominator_name.removeprefix("all ")
    if base.reasons:
        yield f"not comparable with {base.path}: {'; '.join(base.reasons)}"
        return
    now = _explain_side(count.hits, count.total)
    yield f"{now} of the {name} now, {_explain_side(base.confirmed, base.denominator)} in {base.path}"
    rises = WORSE[against.direction] == "increase"
    lower, upper = (accepted.lower, accepted.upper) if rises else (-accepted.upper, -accepted.lower)
    bounds = (
        f"changed by {sign_points(lower)} to {sign_points(upper)} at {build_percentage(gate.confidence)} confidence"
    )
    yield f"{bounds}, {'an increase' if rises else 'a decrease'} of at most {build_points(check.limit)} allowed"
    if base.pairs is not None:
        yield f"{base.pairs:,} pairs by id, a hit in {base.only_new:,} only now and in {base.only_base:,} only before"


def _explain_side(hits: int, total: int) -> str:
    return f"{hits:,} of {total:,} ({build_rounded(hits / total)})" if total else "nothing"


def _refuse(baseline: BaselineInfo) -> Drifted:
    return Drifted(Accepted("inconclusive", -1.0, 1.0, None), baseline)
