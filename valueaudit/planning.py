"""How many conversations a policy needs, worked out before anybody pays for them.

A limit is settled as `acceptance` settles it; here is the chance that a sample of n does so if the true rate is known.
That chance is a saw in n, because hits are whole: every size given here is one from which on it never falls below the
power that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil
from typing import Literal

from valueaudit.acceptance import can_fail, find_min_units, find_proof
from valueaudit.policy import Gate, Policy, compile_checks
from valueaudit.rules import Check, Enforce, Severity
from valueaudit.statistics import MOST_FURTHER, probability_at_least, probability_at_most

MOST_CONVERSATIONS = MOST_FURTHER

Aim = Literal["pass", "fail"]


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """What one check needs. `rate` is the true rate it is planned for, `aim` the verdict that this rate deserves.

    `needed` conversations or more reach that verdict with at least the power asked for; None where no ten million do,
    and then `reason` says why.
    """

    check: Check
    rate: float
    aim: Aim
    needed: int | None
    reason: str = ""


def plan_checks(
    policy: Policy,
    *,
    rates: Mapping[str, float],
    power: float,
    unclassified: float = 0.0,
    fail_on: Severity | None = None,
) -> tuple[CheckPlan, ...]:
    """The plan of every check that is not switched off, in the order of the file.

    `rates` gives true rates by id, of a check or of a rule whose checks count the same; else they are `assume_rate`.
    `unclassified` is the share of conversations that nobody will be able to judge; `power` lies above 0 and below 1.
    """
    checks = compile_checks(policy)
    ids = {check.id for check in checks}
    by_rule = {check.id: rates[check.rule] for check in checks if check.rule in rates and check.rule not in ids}
    known = by_rule | dict(rates)
    threshold = fail_on or policy.gate.fail_on
    family = {
        check.id
        for check in checks
        if check.enforce is Enforce.BLOCK and check.severity.reaches(threshold) and can_fail(check, policy.gate)
    }
    plans = []
    for check in checks:
        if check.enforce is Enforce.OFF:
            continue
        if check.against is not None:
            plans.append(CheckPlan(check, 0.0, "pass", None, _BY_BASELINE))
        else:
            # Holm asks at most alpha / family of any one check: what settles that settles it in any company.
            terms = _Terms(policy.gate, power, unclassified, len(family) if check.id in family else 1)
            plans.append(_plan_check(check, known.get(check.id, assume_rate(check)), terms))
    return tuple(plans)


def assume_rate(check: Check) -> float:
    """The true rate a check is planned for where nobody names one: an assistant that keeps its limit with room.

    None at all for `never`, half the limit for `at_most`, half way from the limit to 100% for `at_least`.
    """
    if check.never:
        return 0.0
    return check.limit / 2 if check.direction == "at_most" else (1 + check.limit) / 2


@dataclass(frozen=True, slots=True)
class _Terms:
    """What all checks are planned by; `family` is how many checks a FAIL is corrected for."""

    gate: Gate
    power: float
    unclassified: float
    family: int

    @property
    def alpha(self) -> float:
        return 1 - self.gate.confidence


def _plan_check(check: Check, rate: float, terms: _Terms) -> CheckPlan:
    if check.never:
        return _plan_never(check, rate, terms)
    # "At least" is "at most" about the conversations that do not: one arithmetic serves both.
    limit, missing = (check.limit, rate) if check.direction == "at_most" else (1 - check.limit, 1 - rate)
    if missing == limit:
        return CheckPlan(check, rate, "pass", None, "no sample tells a rate from the limit it lies on")
    if missing < limit:
        return _plan_pass(check, rate, terms)
    if not can_fail(check, terms.gate):
        reason = "a judge without calibration cannot prove that too little is shown"
        return CheckPlan(check, rate, "fail", None, reason)
    alpha, missing = terms.alpha / terms.family, _expect_against(check, rate)
    if check.direction == "at_least" and check.correction is not None:
        # As `acceptance` does: below the limit where the upper bound is, divided by the sensitivity, at half the risk.
        alpha /= 2
        limit = 1 - check.limit * check.correction.least_sensitivity(alpha)
    needed = size_to_fail(limit, alpha, missing * (1 - terms.unclassified), terms.power)
    return CheckPlan(check, rate, "fail", needed, "" if needed else _explain_fail(limit, missing, terms))


def _expect_against(check: Check, rate: float) -> float:
    """The share of conversations that will speak against a check at a true rate, as its judge sees them."""
    flagged = rate if check.correction is None else check.correction.expect_flagged(rate)
    return flagged if check.direction == "at_most" else 1 - flagged


def _plan_never(check: Check, rate: float, terms: _Terms) -> CheckPlan:
    if rate > 0:
        hits = _expect_against(check, rate) * (1 - terms.unclassified)
        needed = _first(lambda size: probability_at_least(1, size, hits) >= terms.power)
        return CheckPlan(check, rate, "fail", needed, "" if needed else _TOO_MANY)
    if not check.assure:
        return CheckPlan(check, rate, "pass", None, 'without "assure" the rule cannot pass')
    return _plan_pass(check, rate, terms)


def _plan_pass(check: Check, rate: float, terms: _Terms) -> CheckPlan:
    limit, confidence = find_proof(check, terms.gate.confidence)
    missing = _expect_against(check, rate)
    unfavourable = missing + (1 - missing) * terms.unclassified
    needed = size_to_pass(limit, 1 - confidence, unfavourable, terms.power)
    if needed is None and missing >= limit:
        return CheckPlan(check, rate, "pass", None, "the judge errs too often, or too few conversations were labelled")
    if needed is None:
        reason = "too many conversations are not judged" if unfavourable >= limit else _TOO_MANY
        return CheckPlan(check, rate, "pass", None, reason)
    return CheckPlan(check, rate, "pass", max(needed, find_min_units(check, terms.gate)))


_BY_BASELINE = "what a change needs depends on its baseline: take as many as that has, the same ones where they pair"
_TOO_MANY = "more than ten million conversations"


def _explain_fail(limit: float, missing: float, terms: _Terms) -> str:
    too_few = missing * (1 - terms.unclassified) <= limit
    return "too many conversations are not judged" if too_few else _TOO_MANY


@lru_cache(maxsize=4096)
def size_to_pass(limit: float, alpha: float, rate: float, power: float) -> int | None:
    """From which size on a sample proves a rate of at most `limit` with at least the power, None above ten million.

    `rate` is the true rate, hits and unjudged conversations together. k hits among n are few enough if k or fewer had
    a chance of at most `alpha` at the limit; `starts(k)` is the first n of which that is true, and within the run of
    sizes that allow k the chance of a pass falls with n. So the last size of each run decides.
    """
    if not rate < limit < 1:
        return 1 if rate < limit else None

    @cache
    def starts(hits: int) -> int | None:
        return _first(lambda size: probability_at_most(hits, size, limit) <= alpha, hits + 1)

    def holds(hits: int) -> bool:
        last = (starts(hits + 1) or MOST_CONVERSATIONS + 1) - 1
        return probability_at_most(hits, last, rate) >= power

    hits = _find_lasting(holds, 0, limit, rate)
    return None if hits is None else starts(hits)


@lru_cache(maxsize=4096)
def size_to_fail(limit: float, alpha: float, rate: float, power: float) -> int | None:
    """From which size on a sample proves a rate above `limit` with at least the power, None above ten million.

    `rate` is the true rate of confirmed hits. k hits among n are too many if k or more have a chance below `alpha` at
    the limit; `ends(k)` is the last n of which that is true, and within the run of sizes that need k the chance of a
    fail rises with n. So the first size of each run decides, and inside the run before it the rise may already do.
    """
    if not limit < rate:
        return None
    if limit == 0:
        return _first(lambda size: probability_at_least(1, size, rate) >= power)

    @cache
    def ends(hits: int) -> int:
        if probability_at_least(hits, hits, limit) >= alpha:
            return hits - 1
        past = _first(lambda size: probability_at_least(hits, size, limit) >= alpha, hits)
        return MOST_CONVERSATIONS if past is None else past - 1

    def first(hits: int) -> int:
        return max(ends(hits - 1) + 1, hits)

    def holds(hits: int) -> bool:
        return ends(hits) >= first(hits) and probability_at_least(hits, first(hits), rate) >= power

    hits = _find_lasting(holds, 1, limit, rate)
    if hits is None or ends(hits - 1) >= MOST_CONVERSATIONS:
        return None
    before = hits - 1
    if before and ends(before) >= first(before):
        return min(
            first(hits),
            _first(lambda size: probability_at_least(before, size, rate) >= power, first(before)) or first(hits),
        )
    return first(hits)


def _find_lasting(holds: Callable[[int], bool], start: int, limit: float, rate: float) -> int | None:
    """The number of hits from which on `holds` is true for good.

    From run to run the chance rises by the distance of rate and limit, and wavers by one conversation, because runs
    differ by one in length. So it may fall below once more, but only as long as the rise has not outgrown that.
    """
    found = _first(holds, start)
    if found is None:
        return None
    wavering = ceil(4 * limit / abs(limit - rate)) + 16
    failing = next((hits for hits in range(found + wavering, found, -1) if not holds(hits)), found - 1)
    return failing + 1


def _first(holds: Callable[[int], bool], start: int = 1) -> int | None:
    """The smallest number from `start` that holds, where every larger one does too; None if ten million do not."""
    most = MOST_CONVERSATIONS
    step, below = 1, start - 1
    while not holds(min(below + step, most)):
        below = min(below + step, most)
        if below == most:
            return None
        step *= 2
    above = min(below + step, most)
    while above - below > 1:
        middle = (below + above) // 2
        if holds(middle):
            above = middle
        else:
            below = middle
    return above
