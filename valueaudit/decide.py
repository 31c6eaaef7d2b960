"""The decision: every check of a policy held against the tally, and the one verdict that the exit code tells.

Pure: no clock, no files, no network; the same policy and tally give the same decision (docs/decision.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from valueaudit.acceptance import Accepted, Counts, accept, can_fail, count_check, find_needed
from valueaudit.errors import ExitCode
from valueaudit.policy import Gate, Policy, compile_checks
from valueaudit.report import UNCALIBRATED, RuleCheck, RuleVerdict, RunVerdict
from valueaudit.rules import Check, Enforce, Rule, Severity
from valueaudit.rules.fields import build_percentage, build_rounded
from valueaudit.sightings import build_example
from valueaudit.statistics import adjust_holm
from valueaudit.tally import RuleCount, Tally

NAMED_RULES = 3
MOST_PROVIDER_FAILURES = 0.01


@dataclass(frozen=True, slots=True)
class Decision:
    """The checks of all rules, the verdict on the run, its exit code, and the verdict in one sentence."""

    rules: tuple[RuleCheck, ...]
    verdict: RunVerdict
    exit_code: ExitCode
    message: str


@dataclass(frozen=True, slots=True)
class _Case:
    """One check, what was counted, and how it stands alone."""

    check: Check
    count: RuleCount
    counts: Counts
    alone: Accepted
    blocking: bool


@dataclass(frozen=True, slots=True)
class _Ruling:
    """How a case stands among all: `needed` further conversations would decide it, `lost` says Holm took its FAIL."""

    verdict: RuleVerdict
    p_adjusted: float | None
    needed: int | None
    lost: bool


def decide(
    policy: Policy | None,
    tally: Tally,
    *,
    fail_on: Severity | None = None,
    ended_early: str | None = None,
    allow_empty: bool = False,
) -> Decision:
    """The decision on a tally that was counted with the predicates of `compile_checks(policy)`.

    `fail_on` overrides the policy's. `ended_early` says why a run stopped before its end. `allow_empty`: where nothing
    was found there is no verdict, and no failure either.
    """
    rules = () if policy is None else _check_rules(policy, tally, fail_on or policy.gate.fail_on)
    missing = _explain_incomplete(policy, tally, ended_early=ended_early, allow_empty=allow_empty)
    blocking = [rule for rule in rules if rule.blocking]
    failed = [rule for rule in blocking if rule.verdict == "fail"]
    undecided = [rule for rule in blocking if rule.verdict == "inconclusive"]
    if failed:
        also = f"; the audit is also incomplete: {missing}" if missing else ""
        message = f"violated: {_name(failed)} ({len(failed)} of {_count(len(blocking), 'blocking check')}){also}"
        return Decision(rules, "fail", ExitCode.FAIL, message)
    if missing:
        return Decision(rules, "incomplete", ExitCode.INCOMPLETE, f"the audit is incomplete: {missing}")
    if policy is None or not (tally.sampled or tally.bad_records):
        return Decision(rules, "none", ExitCode.PASS, _explain_none(tally))
    if undecided:
        blocks = policy.gate.inconclusive == "block"
        checks = _count(len(blocking), "blocking check")
        message = (
            f"the evidence is too thin for {len(undecided)} of {checks}: {_name(undecided)}; none is proven violated"
        )
        return Decision(rules, "inconclusive", ExitCode.INCONCLUSIVE if blocks else ExitCode.PASS, message)
    return Decision(rules, "pass", ExitCode.PASS, _explain_pass(rules, blocking, tally))


def _check_rules(policy: Policy, tally: Tally, threshold: Severity) -> tuple[RuleCheck, ...]:
    gate = policy.gate
    cases = [_build_case(check, tally, gate, threshold) for check in compile_checks(policy)]
    family = [case for case in cases if case.blocking and can_fail(case.check, gate)]
    p_values = [1.0 if case.alone.p_value is None else case.alone.p_value for case in family]
    adjusted = {case.check.id: p for case, p in zip(family, adjust_holm(p_values), strict=True)}
    alpha = 1 - gate.confidence
    checks = (_build_rule_check(case, _rule(case, gate, adjusted, alpha), gate, len(family)) for case in cases)
    rules = {rule.id: rule for rule in policy.rules}
    return tuple(_cite(check, policy, rules[case.check.rule]) for check, case in zip(checks, cases, strict=True))


def _build_case(check: Check, tally: Tally, gate: Gate, threshold: Severity) -> _Case:
    count = tally.rules.get(check.id, RuleCount())
    counts = count_check(check, count, tally.bad_records)
    blocking = check.enforce is Enforce.BLOCK and check.severity.reaches(threshold)
    return _Case(check, count, counts, accept(check, counts, gate), blocking)


def _rule(case: _Case, gate: Gate, adjusted: dict[str, float], alpha: float) -> _Ruling:
    p_adjusted = adjusted.get(case.check.id)
    if case.check.enforce is Enforce.OFF:
        return _Ruling("off", None, None, False)
    verdict: RuleVerdict = case.alone.verdict
    lost = verdict == "fail" and p_adjusted is not None and p_adjusted >= alpha
    if lost:
        verdict = "inconclusive"
    needed = None
    if verdict == "inconclusive":
        # Holm asks at most alpha / family of any one check: what settles that settles it in any company.
        strict = 1 - alpha / len(adjusted) if p_adjusted is not None else gate.confidence
        needed = find_needed(case.check, case.counts, gate, strict)
    return _Ruling(verdict, p_adjusted, needed, lost)


def _build_rule_check(case: _Case, ruling: _Ruling, gate: Gate, family: int) -> RuleCheck:
    check, count = case.check, case.count
    reasons = tuple(_explain_rule(case, ruling, gate, family))
    return RuleCheck(
        id=check.id,
        kind=check.kind,
        severity=check.severity,
        enforce=check.enforce,
        verdict=ruling.verdict,
        count=count.flagged,
        confirmed=count.hits,
        denominator=count.total,
        denominator_name=check.denominator_name,
        unclassified=count.unknown,
        rate=count.hits / count.total if count.total else None,
        lower=case.alone.lower,
        upper=case.alone.upper,
        limit=check.limit,
        direction=check.direction,
        needed=ruling.needed,
        p_value=case.alone.p_value,
        p_adjusted=ruling.p_adjusted,
        calibrated=False,
        blocking=case.blocking,
        waiver=None,
        statement=check.statement,
        message="; ".join((*_explain_figures(case, gate), *reasons)),
        reasons=reasons,
        evidence=tuple(build_example(sighting) for sighting in count.examples.kept),
    )


def _cite(check: RuleCheck, policy: Policy, rule: Rule) -> RuleCheck:
    """The check with its rule, the place and reason of that, and whether it keeps the run from passing."""
    breaking = {"fail", "inconclusive"} if policy.gate.inconclusive == "block" else {"fail"}
    return msgspec.structs.replace(
        check,
        rule=rule.id,
        line=policy.lines[rule.id],
        breaks=check.blocking and check.verdict in breaking,
        why=rule.why,
        controls=rule.controls,
    )


def _explain_figures(case: _Case, gate: Gate) -> Iterable[str]:
    check, count, name = case.check, case.count, case.check.denominator_name.removeprefix("all ")
    if count.total:
        rate = build_rounded(count.hits / count.total)
        yield f"{count.hits:,} of {count.total:,} {name} ({rate}), {_explain_limit(check)}"
        bounds = f"{build_rounded(case.alone.lower)} to {build_rounded(case.alone.upper)}"
        yield f"bounds {bounds} at {build_percentage(gate.confidence)} confidence"
    else:
        yield f"nothing was found to count among the {name}, {_explain_limit(check)}"


def _explain_rule(case: _Case, ruling: _Ruling, gate: Gate, family: int) -> Iterable[str]:
    count = case.count
    if count.pending:
        yield f"{count.pending:,} flagged but not confirmed"
    if count.unknown:
        yield f"{count.unknown:,} unknown, which count against the rule"
    if ruling.verdict == "inconclusive":
        yield from _explain_missing(case, ruling, gate, family)
    if ruling.verdict == "off":
        yield "not enforced"
    yield UNCALIBRATED


def _explain_missing(case: _Case, ruling: _Ruling, gate: Gate, family: int) -> Iterable[str]:
    check = case.check
    if check.never and check.assure is None:
        yield 'without "assure" the rule cannot pass'
        return
    if not can_fail(check, gate) and case.alone.upper < check.limit:
        yield "a judge without calibration cannot prove that too little is shown"
        return
    if ruling.lost:
        yield f"beyond its limit alone, but not surely enough for one of {_count(family, 'blocking check')}"
    elif case.counts.units < gate.min_units and gate.min_units > 1:
        yield f'the policy asks for at least {gate.min_units:,} conversations ("min_units")'
    if ruling.needed is None:
        yield "no number of further conversations at these rates would decide it"
    elif case.count.total:
        yield f"{_count(ruling.needed, 'further conversation')} at these rates would decide it"
    else:
        yield f"at least {_count(ruling.needed, 'conversation')} would decide it"


def _explain_limit(check: Check) -> str:
    if check.never:
        assured = f", ruled out above {build_percentage(check.assure)}" if check.assure is not None else ""
        return f"none allowed{assured}"
    wish = "allowed" if check.direction == "at_most" else "intended"
    return f"{check.direction.replace('_', ' ')} {build_percentage(check.limit)} {wish}"


def _explain_incomplete(
    policy: Policy | None, tally: Tally, *, ended_early: str | None, allow_empty: bool
) -> str | None:
    """What is missing for a verdict, None where nothing is."""
    if ended_early is not None:
        return f"it ended early, {ended_early}"
    looked_at = tally.sampled + tally.bad_records
    if not looked_at:
        return None if allow_empty else "no conversation was found"
    if not tally.classified:
        return f"none of {_count(looked_at, 'conversation')} could be classified"
    if policy is not None:
        missed, total, most = looked_at - tally.classified, looked_at, policy.gate.max_unclassified
        what = "could not be read or classified"
    else:
        missed = sum(n for reason, n in tally.reasons.items() if reason.is_provider_failure)
        total, most, what = tally.sampled, MOST_PROVIDER_FAILURES, "got no answer from the judge"
    # 29 % of 100 is 28.999999999999996 in binary; a millionth of a conversation is none.
    if missed <= most * total + 1e-6:
        return None
    share = build_rounded(missed / total)
    return f"{missed:,} of {_count(total, 'conversation')} {what} ({share}), at most {build_percentage(most)} allowed"


def _explain_none(tally: Tally) -> str:
    if not tally.sampled:
        return "no conversation was found, as --allow-empty permits; nothing was proven"
    unread = tally.sampled + tally.bad_records - tally.classified
    rest = f", {unread:,} could not be read or classified" if unread else ""
    return f"{_count(tally.classified, 'conversation')} measured{rest}; there is no policy to decide by"


def _explain_pass(rules: tuple[RuleCheck, ...], blocking: list[RuleCheck], tally: Tally) -> str:
    warned = [rule for rule in rules if not rule.blocking and rule.verdict == "fail"]
    also = f"; not blocking but violated: {_name(warned)}" if warned else ""
    if not blocking:
        return f"no check can block at this severity, nothing was proven{also}"
    checks = "the one blocking check holds" if len(blocking) == 1 else f"all {len(blocking)} blocking checks hold"
    return f"{checks}, on {_count(tally.classified, 'classified conversation')}{also}"


def _name(rules: list[RuleCheck]) -> str:
    named = ", ".join(rule.id for rule in rules[:NAMED_RULES])
    more = len(rules) - NAMED_RULES
    return f"{named} and {more} more" if more > 0 else named


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
