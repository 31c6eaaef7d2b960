"""NEW held against BASE: for each figure a difference with bounds and a verdict that no failing judge can improve.

Pure: no clock, no files, no network (docs/compare.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from valueaudit.comparing.differences import (
    bound_difference,
    bound_paired_difference,
    find_p_value,
    mcnemar_p_value,
)
from valueaudit.comparing.ledger import RULE, Key, Ledger, PairTable, Stand, lay_over
from valueaudit.comparing.sides import pair_ledgers
from valueaudit.comparison import FigureVerdict, Method, PairCounts, Worse
from valueaudit.rules import Check
from valueaudit.rules.base import Direction
from valueaudit.tally import Standing

WORSE: dict[Direction, Worse] = {"at_most": "increase", "at_least": "decrease"}
_HIT, _CLEAN, _UNKNOWN = Standing.HIT, Standing.CLEAN, Standing.UNKNOWN


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts as worse: a change for the worse above `margin` (a fraction), at a one-sided `confidence`."""

    margin: float
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class Measured:
    """The one-sided bounds of NEW minus BASE, and the p value of "worse by more than the margin" (1: not)."""

    method: Method
    lower: float
    upper: float
    p_value: float
    pairs: PairCounts | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """One rule against its baseline: what was counted on each side, and the difference of the rates."""

    base: Stand
    new: Stand
    measured: Measured


def measure_unpaired(base: Stand, new: Stand, terms: Terms, worse: Worse | None) -> Measured:
    """The difference between two independent samples.

    The upper bound counts unknown ones as hits in NEW and as clean in BASE, the lower bound the other way round.
    """
    highest = (new.hits + new.unknown, new.total), (base.hits, base.total)
    lowest = (new.hits, new.total), (base.hits + base.unknown, base.total)
    _, upper = bound_difference(*highest, terms.confidence)
    lower, _ = bound_difference(*lowest, terms.confidence)
    p_value = 1.0
    if worse == "increase":
        p_value = find_p_value(lambda confidence: bound_difference(*lowest, confidence)[0], terms.margin)
    elif worse == "decrease":
        p_value = find_p_value(lambda confidence: -bound_difference(*highest, confidence)[1], terms.margin)
    return Measured("unpaired", lower, upper, p_value)


def measure_paired(table: PairTable, terms: Terms, worse: Worse | None) -> Measured:
    """The difference between the halves of pairs, unknown halves counted as in `measure_unpaired`.

    A REGRESSION takes both: the bound beyond the margin, and McNemar's exact test that there is a change at all.
    """
    total = table.total
    most_gained = table.count((_CLEAN, _UNKNOWN), (_HIT, _UNKNOWN)), table.count((_HIT,), (_CLEAN,))
    most_lost = table.count((_CLEAN,), (_HIT,)), table.count((_HIT, _UNKNOWN), (_CLEAN, _UNKNOWN))
    _, upper = bound_paired_difference(*most_gained, total, terms.confidence)
    lower, _ = bound_paired_difference(*most_lost, total, terms.confidence)
    p_value = 1.0
    if worse == "increase":
        p_value = _test_pairs(most_lost[0], most_lost[1], total, terms.margin)
    elif worse == "decrease":
        p_value = _test_pairs(most_gained[1], most_gained[0], total, terms.margin)
    counts = PairCounts(total, table.count((_CLEAN,), (_HIT,)), table.count((_HIT,), (_CLEAN,)), table.unknown)
    return Measured("paired", lower, upper, p_value, counts)


def measure(
    base: Stand, new: Stand, table: PairTable | None, terms: Terms, worse: Worse | None, *, rests_on_judge: bool
) -> Measured:
    """The difference of one figure, of pairs where there are any that it may rest on, else of two samples."""
    if table is not None and is_paired(table, rests_on_judge=rests_on_judge):
        return measure_paired(table, terms, worse)
    return measure_unpaired(base, new, terms, worse)


def judge_figure(measured: Measured, terms: Terms, worse: Worse, p_adjusted: float) -> FigureVerdict:
    """The verdict on one figure; `p_adjusted` is its p value among those of all figures that decide."""
    if p_adjusted < 1 - terms.confidence:
        return "regression"
    largest = measured.upper if worse == "increase" else -measured.lower
    return "no_worse" if largest <= terms.margin else "inconclusive"


def is_paired(table: PairTable, *, rests_on_judge: bool) -> bool:
    """Whether a figure may rest on pairs: not where the judge decides who belongs, nor where a half stands outside.

    Else a judge that fails could choose the method, and leaving out split pairs could hide what one half shows.
    """
    return not rests_on_judge and not table.is_split


@dataclass(frozen=True, slots=True)
class Overlay:
    """Two ledgers counted: how each side stands to every figure, and the pairs, None where they are not paired."""

    base: Mapping[Key, Stand]
    new: Mapping[Key, Stand]
    tables: Mapping[Key, PairTable] | None


def build_overlay(base: Ledger, new: Ledger) -> Overlay:
    """Both ledgers, kept with the same predicates, laid over each other."""
    tables = lay_over(base, new)[0] if pair_ledgers(base, new).method == "paired" else None
    return Overlay(base.stands(), new.stands(), tables)


def find_drift(check: Check, overlay: Overlay, terms: Terms) -> Drift:
    """One check beside its baseline; the ledgers were kept with the predicates of the policy.

    `terms.margin` is the largest change for the worse that is accepted: an increase of "at most", a decrease of "at
    least".
    """
    key, worse = (RULE, check.id), WORSE[check.direction]
    table = None if overlay.tables is None else overlay.tables[key]
    old, now = overlay.base[key], overlay.new[key]
    measured = measure(old, now, table, terms, worse, rests_on_judge=check.rests_on_judge)
    return Drift(old, now, measured)


def _test_pairs(worse: int, better: int, pairs: int, margin: float) -> float:
    bound = find_p_value(lambda confidence: bound_paired_difference(worse, better, pairs, confidence)[0], margin)
    return max(bound, mcnemar_p_value(worse, better))
