"""What became of a rule, in the few words that the formats of CI systems have for it: the same in every output."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from valueaudit.report import Report, RuleCheck, WaiverInfo


class Outcome(Enum):
    """How a check stands to a release: WARNED is a failing or undecided one that does not keep the run from passing,
    WAIVED one that passes because somebody answers for it."""

    PASSED = "passed"
    WAIVED = "waived"
    FAILED = "failed"
    UNDECIDED = "undecided"
    WARNED = "warned"
    OFF = "off"


def find_outcome(check: RuleCheck) -> Outcome:
    """How one check stands. Where the report does not say what it breaks, every blocking one does."""
    if check.verdict == "off":
        return Outcome.OFF
    if check.verdict == "pass":
        return Outcome.WAIVED if find_waivers(check) else Outcome.PASSED
    if not (check.blocking if check.breaks is None else check.breaks):
        return Outcome.WARNED
    return Outcome.FAILED if check.verdict == "fail" else Outcome.UNDECIDED


def find_waivers(check: RuleCheck) -> tuple[WaiverInfo, ...]:
    """The waivers of a check that are in force."""
    return tuple(waiver for waiver in check.waivers if waiver.state == "in force")


def describe_waiver(waiver: WaiverInfo) -> str:
    """Who answers for what, until when and why, and whether it still counts."""
    what = "another limit" if waiver.limit is not None else f"{len(waiver.conversations):,} known conversations"
    return f"{what} until {waiver.expires} by {waiver.approved_by}: {waiver.reason} ({waiver.state})"


def select(checks: Iterable[RuleCheck], *outcomes: Outcome) -> tuple[RuleCheck, ...]:
    """The checks with one of these outcomes, in their order."""
    return tuple(check for check in checks if find_outcome(check) in outcomes)


def describe_looks(report: Report) -> str | None:
    """That these conversations were looked at before, None where they were not or nobody knows."""
    looks = report.run.looks or 0
    if looks < 2:
        return None
    return (
        f"this is look {looks} at a sample that grew; each look has its own chance of a wrong verdict, so decide on "
        "the size before you look"
    )


def find_gap(report: Report) -> str | None:
    """Why the audit did not come to its end, None where it did."""
    if report.exit_code == 70:
        return "the audit was ended by a bug in valueaudit"
    if report.verdict == "incomplete":
        return report.message
    if report.run.ended_early is not None:
        return f"the audit ended early: {report.run.ended_early}"
    return None
