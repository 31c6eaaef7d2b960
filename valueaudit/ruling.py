"""One check among all: its case, Holm's correction, and the words in which the report tells how it stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import msgspec

from valueaudit.acceptance import Accepted, Counts, accept, can_fail, count_check, find_min_units, find_needed
from valueaudit.drifting import Change, Drifted, explain_change, find_warnings, judge_change
from valueaudit.policy import Gate, Policy, Waiver, compile_checks
from valueaudit.report import UNCALIBRATED, RuleCheck, RuleVerdict
from valueaudit.rules import Check, Enforce, Rule, Severity
from valueaudit.rules.fields import build_percentage, build_rounded
from valueaudit.sightings import build_example
from valueaudit.statistics import adjust_holm
from valueaudit.tally import RuleCount, Tally
from valueaudit.waiving import Waived, waive

RAW_FLAGS = "no second question was asked about what the judge flagged: its wrong flags, if any, count as violations"


@dataclass(frozen=True, slots=True)
class _Case:
    """One check after its waivers, what was counted, and how it stands alone."""

    waived: Waived
    counts: Counts
    alone: Accepted
    blocking: bool
    drifted: Drifted | None = None

    @property
    def check(self) -> Check:
        return self.waived.check

    @property
    def count(self) -> RuleCount:
        return self.waived.count


@dataclass(frozen=True, slots=True)
class _Ruling:
    """How a case stands among all: `needed` further conversations would decide it, `lost` says Holm took its FAIL."""

    verdict: RuleVerdict
    p_adjusted: float | None
    needed: int | None
    lost: bool


def check_rules(
    policy: Policy, tally: Tally, threshold: Severity, today: date | None, change: Change | None = None
) -> tuple[tuple[RuleCheck, ...], tuple[str, ...]]:
    """Every check of a policy held against the tally, in the order of the file, and what must be told loudly.

    `threshold` is the least severity that blocks, `today` the day (UTC) that waivers are held against, `change` holds
    the baselines that drift rules need.
    """
    gate = policy.gate
    waivers: dict[str, list[Waiver]] = defaultdict(list)
    for waiver in policy.waivers:
        waivers[waiver.rule].append(waiver)
    cases = [
        _build_case(check, tally, gate, threshold, waivers.get(check.rule, ()), today, change)
        for check in compile_checks(policy)
    ]
    family = [case for case in cases if case.blocking and can_fail(case.check, gate)]
    p_values = [1.0 if case.alone.p_value is None else case.alone.p_value for case in family]
    adjusted = {case.check.id: p for case, p in zip(family, adjust_holm(p_values), strict=True)}
    alpha = 1 - gate.confidence
    rulings = [_rule(case, gate, adjusted, alpha) for case in cases]
    built = (_build_rule_check(*pair, gate, len(family)) for pair in zip(cases, rulings, strict=True))
    rules = {rule.id: rule for rule in policy.rules}
    checks = tuple(_cite(check, policy, rules[case.check.rule]) for check, case in zip(built, cases, strict=True))
    return checks, (*find_warnings(change), *(warning for case in cases for warning in case.waived.warnings))


def _build_case(
    check: Check,
    tally: Tally,
    gate: Gate,
    threshold: Severity,
    waivers: Iterable[Waiver],
    today: date | None,
    change: Change | None,
) -> _Case:
    def judge(check: Check, count: RuleCount) -> tuple[Counts, Accepted, Drifted | None]:
        counts = count_check(check, count, tally.bad_records, gate)
        if check.against is None:
            return counts, accept(check, counts, gate), None
        drifted = judge_change(check, counts, gate, change)
        return counts, drifted.accepted, drifted

    waived = Waived(check, tally.rules.get(check.id, RuleCount()))
    if check.enforce is not Enforce.OFF:
        waived = waive(check, waived.count, waivers, today, lambda *both: judge(*both)[1].verdict == "pass")
    blocking = check.enforce is Enforce.BLOCK and check.severity.reaches(threshold)
    counts, alone, drifted = judge(waived.check, waived.count)
    return _Case(waived, counts, alone, blocking, drifted)


def _rule(case: _Case, gate: Gate, adjusted: dict[str, float], alpha: float) -> _Ruling:
    p_adjusted = adjusted.get(case.check.id)
    if case.check.enforce is Enforce.OFF:
        return _Ruling("off", None, None, False)
    verdict: RuleVerdict = case.alone.verdict
    lost = verdict == "fail" and p_adjusted is not None and p_adjusted >= alpha
    if lost:
        verdict = "inconclusive"
    needed = None
    if verdict == "inconclusive" and case.drifted is None:
        # Holm asks at most alpha / family of any one check: what settles that settles it in any company.
        strict = 1 - alpha / len(adjusted) if p_adjusted is not None else gate.confidence
        needed = find_needed(case.check, case.counts, gate, strict)
    return _Ruling(verdict, p_adjusted, needed, lost)


def _build_rule_check(case: _Case, ruling: _Ruling, gate: Gate, family: int) -> RuleCheck:
    check, count, waivers, effective = case.check, case.count, case.waived.waivers, case.counts.effective
    reasons = tuple(_explain_rule(case, ruling, gate, family))
    return RuleCheck(
        id=check.id,
        kind=check.kind,
        asked=check.asked,
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
        effective=effective.size if effective else None,
        clusters=effective.clusters if effective else None,
        p_value=case.alone.p_value,
        p_adjusted=ruling.p_adjusted,
        calibrated=check.correction is not None,
        sensitivity=None if check.correction is None else check.correction.least_sensitivity((1 - gate.confidence) / 2),
        specificity=None if check.correction is None else check.correction.least_specificity((1 - gate.confidence) / 3),
        blocking=case.blocking,
        waiver=next((w for w in waivers if w.state == "in force"), waivers[0] if waivers else None),
        waivers=waivers,
        statement=check.statement,
        message="; ".join((*_explain_figures(case, gate), *reasons)),
        reasons=reasons,
        evidence=tuple(build_example(sighting) for sighting in count.examples.kept),
        baseline=case.drifted.baseline if case.drifted is not None else None,
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
    if case.drifted is not None:
        yield from explain_change(check, count, case.drifted, gate)
    elif count.total:
        rate = build_rounded(count.hits / count.total)
        yield f"{count.hits:,} of {count.total:,} {name} ({rate}), {_explain_limit(check)}"
        bounds = f"{build_rounded(case.alone.lower)} to {build_rounded(case.alone.upper)}"
        yield f"bounds {bounds} at {build_percentage(gate.confidence)} confidence"
    else:
        yield f"nothing was found to count among the {name}, {_explain_limit(check)}"
    effective = case.counts.effective
    if effective is not None:
        worth = f"worth {effective.size:,.1f} independent ones"
        yield f"{worth} in {count_noun(effective.clusters, 'cluster')} by {gate.cluster}"


def _explain_rule(case: _Case, ruling: _Ruling, gate: Gate, family: int) -> Iterable[str]:
    check, count = case.check, case.count
    if count.pending:
        yield f"{count.pending:,} flagged but not confirmed"
    if count.unknown:
        yield f"{count.unknown:,} unknown, which count against the rule"
    yield from case.waived.notes
    if ruling.verdict == "inconclusive":
        yield from _explain_missing(case, ruling, gate, family)
    if ruling.verdict == "fail" and check.direction == "at_most" and not check.confirmed and check.against is None:
        yield RAW_FLAGS
    if check.asked == "open" and count.total:
        yield "by the open question, nobody was asked about it by name"
    if ruling.verdict == "off":
        yield "not enforced"
    if case.check.correction is None:
        yield UNCALIBRATED


def _explain_missing(case: _Case, ruling: _Ruling, gate: Gate, family: int) -> Iterable[str]:
    check = case.check
    if case.drifted is not None:
        yield from _explain_open_change(case, ruling, gate, family)
        return
    if check.never and check.assure is None:
        yield 'without "assure" the rule cannot pass'
        return
    if not can_fail(check, gate) and case.alone.upper < check.limit:
        yield "a judge without calibration cannot prove that too little is shown"
        return
    if ruling.lost:
        yield f"beyond its limit alone, but not surely enough for one of {count_noun(family, 'blocking check')}"
    elif case.counts.units < (asked := find_min_units(check, gate)) and asked > 1:
        yield f'the policy asks for at least {asked:,} conversations ("min_units")'
    if ruling.needed is None:
        yield "no number of further conversations at these rates would decide it"
    elif case.count.total:
        yield f"{count_noun(ruling.needed, 'further conversation')} at these rates would decide it"
    else:
        yield f"at least {count_noun(ruling.needed, 'conversation')} would decide it"


def _explain_open_change(case: _Case, ruling: _Ruling, gate: Gate, family: int) -> Iterable[str]:
    if case.drifted is not None and case.drifted.baseline.reasons:
        return
    if ruling.lost:
        yield f"worse alone, but not surely enough for one of {count_noun(family, 'blocking check')}"
    elif case.counts.units < (asked := find_min_units(case.check, gate)) and asked > 1:
        yield f'the policy asks for at least {asked:,} conversations ("min_units")'
    else:
        yield "the evidence does not rule out a larger change, nor prove one"


def _explain_limit(check: Check) -> str:
    if check.never:
        assured = f", ruled out above {build_percentage(check.assure)}" if check.assure is not None else ""
        return f"none allowed{assured}"
    wish = "allowed" if check.direction == "at_most" else "intended"
    return f"{check.direction.replace('_', ' ')} {build_percentage(check.limit)} {wish}"


def count_noun(number: int, noun: str) -> str:
    """A number with its noun: "1 conversation", "2,000 conversations"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
