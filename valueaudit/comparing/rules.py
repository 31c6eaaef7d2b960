"""The rules as figures of a comparison: what each counts, which direction is worse, what keeps it from comparing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from valueaudit.comparing.comparability import compare_questions, find_changed_questions
from valueaudit.comparing.measuring import WORSE
from valueaudit.comparison import DocumentInfo, Role, Worse
from valueaudit.policy import Policy, compile_checks
from valueaudit.report import Report, RuleCheck
from valueaudit.rules import Enforce


@dataclass(frozen=True, slots=True)
class Ruled:
    """One limit of one rule. `reasons` say why it may not be compared; `has_baseline` is False where that is only
    because BASE never asked about its values."""

    name: str
    kind: str
    worse: Worse
    role: Role
    statement: str
    rests_on_judge: bool
    reasons: tuple[str, ...] = ()
    has_baseline: bool = True


def find_policy_rules(policy: Policy, base: DocumentInfo, new: DocumentInfo) -> tuple[Ruled, ...]:
    """The rules of a policy that are not off, in its order; a report has only the rules of its own policy."""
    rules = {rule.id: rule for rule in policy.rules}
    foreign = tuple(
        f"{name} is a report of another policy: compare records, which can be counted anew"
        for name, side in (("BASE", base), ("NEW", new))
        if side.kind == "report" and (side.policy is None or side.policy.sha256 != policy.sha256)
    )
    found = []
    for check in compile_checks(policy):
        if check.against is not None:
            continue
        rule = rules[check.rule]
        asked, since = compare_questions(rule.names(), base, new)
        blocks = check.enforce is Enforce.BLOCK and check.severity.reaches(policy.gate.fail_on)
        role: Role = "deciding" if blocks else "warning"
        if check.enforce is not Enforce.OFF:
            found.append(
                Ruled(
                    check.id,
                    check.kind,
                    WORSE[check.direction],
                    role,
                    check.statement,
                    check.rests_on_judge,
                    (*foreign, *asked),
                    has_baseline=not since,
                )
            )
    return tuple(found)


def find_report_rules(
    base: Report | None, new: Report | None, sides: tuple[DocumentInfo, DocumentInfo]
) -> tuple[Ruled, ...]:
    """The rules that the reports bring along: all of them, with a reason where they may not count the same."""
    rules: dict[str, RuleCheck] = {}
    for report in (new, base):
        for rule in report.rules if report is not None else ():
            if rule.enforce != Enforce.OFF:
                rules.setdefault(rule.id, rule)
    reasons = _explain_policies(base, new)
    changed = find_changed_questions(*sides)
    asked = (f"asked differently, or on one side only: {', '.join(changed)}",) if changed else ()
    return tuple(
        Ruled(
            rule.id,
            rule.kind,
            WORSE[rule.direction],
            "deciding" if rule.blocking else "warning",
            rule.statement,
            rests_on_judge=False,
            reasons=(*reasons, *(asked if rule.asked == "declared" else ())),
        )
        for rule in rules.values()
    )


def _explain_policies(base: Report | None, new: Report | None) -> Sequence[str]:
    if base is None or new is None:
        missing = "BASE" if base is None else "NEW"
        return (f"{missing} is records, which hold no rules: name the policy with --policy",)
    digests = {report.policy.sha256 if report.policy else None for report in (base, new)}
    if len(digests) > 1:
        return ("the reports were decided by different policies: compare records and name one with --policy",)
    return ()
