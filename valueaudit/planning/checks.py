"""The plan of every check of a policy.

A limit is settled as `acceptance` settles it; here is the sample that does so if the true rate is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from valueaudit.acceptance import Counts, can_fail, find_min_units, find_proof
from valueaudit.planning.changes import plan_change
from valueaudit.planning.plans import NOT_JUDGED, TOO_MANY, CheckPlan, PlanTerms
from valueaudit.planning.sizes import find_first, size_to_fail, size_to_pass
from valueaudit.policy import Policy, compile_checks
from valueaudit.rules import Check, Enforce, Severity
from valueaudit.statistics import probability_at_least


def plan_checks(
    policy: Policy,
    *,
    rates: Mapping[str, float],
    power: float,
    unclassified: float = 0.0,
    fail_on: Severity | None = None,
    baselines: Mapping[str, Counts | str] | None = None,
) -> tuple[CheckPlan, ...]:
    """The plan of every check that is not switched off, in the order of the file.

    `rates` gives true rates by id, of a check or of a rule whose checks count the same; else they are `assume_rate`,
    or that of the baseline. `unclassified` is the share of conversations that nobody will be able to judge; `power`
    lies above 0 and below 1. `baselines` gives for each check of a change what its baseline counted, or why it cannot
    be used.
    """
    checks = compile_checks(policy)
    known = _spread_rates(checks, rates)
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
        # Holm asks at most alpha / family of any one check: what settles that settles it in any company.
        terms = PlanTerms(policy.gate, power, unclassified, len(family) if check.id in family else 1)
        if check.against is not None:
            base = (baselines or {}).get(check.id, "its baseline was not read")
            plans.append(plan_change(check, base, known.get(check.id), terms))
        else:
            plans.append(_plan_check(check, known.get(check.id, assume_rate(check)), terms))
    return tuple(plans)


def _spread_rates(checks: Sequence[Check], rates: Mapping[str, float]) -> dict[str, float]:
    """The rates by the id of the check. A change is of the rate that the check it is about has."""
    ids = {check.id for check in checks}
    by_rule = {check.id: rates[check.rule] for check in checks if check.rule in rates and check.rule not in ids}
    known = by_rule | dict(rates)
    by_check = {c.id: known[c.against.check] for c in checks if c.against is not None and c.against.check in known}
    return by_check | known


def assume_rate(check: Check) -> float:
    """The true rate a check is planned for where nobody names one: an assistant that keeps its limit with room.

    None at all for `never`, half the limit for `at_most`, half way from the limit to 100% for `at_least`.
    """
    if check.never:
        return 0.0
    return check.limit / 2 if check.direction == "at_most" else (1 + check.limit) / 2


def _plan_check(check: Check, rate: float, terms: PlanTerms) -> CheckPlan:
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


def _plan_never(check: Check, rate: float, terms: PlanTerms) -> CheckPlan:
    if rate > 0:
        hits = _expect_against(check, rate) * (1 - terms.unclassified)
        needed = find_first(lambda size: probability_at_least(1, size, hits) >= terms.power)
        return CheckPlan(check, rate, "fail", needed, "" if needed else TOO_MANY)
    if not check.assure:
        return CheckPlan(check, rate, "pass", None, 'without "assure" the rule cannot pass')
    return _plan_pass(check, rate, terms)


def _plan_pass(check: Check, rate: float, terms: PlanTerms) -> CheckPlan:
    limit, confidence = find_proof(check, terms.gate.confidence)
    missing = _expect_against(check, rate)
    unfavourable = missing + (1 - missing) * terms.unclassified
    needed = size_to_pass(limit, 1 - confidence, unfavourable, terms.power)
    if needed is None and missing >= limit:
        return CheckPlan(check, rate, "pass", None, "the judge errs too often, or too few conversations were labelled")
    if needed is None:
        reason = NOT_JUDGED if unfavourable >= limit else TOO_MANY
        return CheckPlan(check, rate, "pass", None, reason)
    return CheckPlan(check, rate, "pass", max(needed, find_min_units(check, terms.gate)))


def _explain_fail(limit: float, missing: float, terms: PlanTerms) -> str:
    too_few = missing * (1 - terms.unclassified) <= limit
    return NOT_JUDGED if too_few else TOO_MANY
