"""The decision: every check of a policy held against the tally, and the one verdict that the exit code tells.

Pure: no clock, no files, no network; the same policy and tally give the same decision (docs/decision.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from valueaudit.drifting import Change
from valueaudit.errors import ExitCode
from valueaudit.policy import Policy
from valueaudit.record import InputInfo
from valueaudit.report import RuleCheck, RunVerdict
from valueaudit.rules import Severity
from valueaudit.rules.fields import build_percentage, build_rounded
from valueaudit.ruling import check_rules, count_noun
from valueaudit.tally import Tally

NAMED_RULES = 3
MOST_PROVIDER_FAILURES = 0.01


@dataclass(frozen=True, slots=True)
class Decision:
    """The checks of all rules, the verdict on the run, its exit code, the verdict in a sentence, and loud warnings."""

    rules: tuple[RuleCheck, ...]
    verdict: RunVerdict
    exit_code: ExitCode
    message: str
    warnings: tuple[str, ...] = ()


def decide(
    policy: Policy | None,
    tally: Tally,
    *,
    today: date | None = None,
    fail_on: Severity | None = None,
    ended_early: str | None = None,
    allow_empty: bool = False,
    inputs: Sequence[InputInfo] = (),
    change: Change | None = None,
) -> Decision:
    """The decision on a tally that was counted with the predicates of `compile_checks(policy)`.

    `today` (UTC) is held against the waivers of the policy: without it none is in force, so that nobody who forgets it
    loosens a rule. `fail_on` overrides the policy's. `ended_early` says why a run stopped before its end.
    `allow_empty`: where nothing was found there is no verdict, and no failure either. `inputs` are the files as read:
    one that gave no conversation makes the audit incomplete, whatever the others gave. `change` holds the
    baselines of the policy; without one that is named there, or with one that is not comparable, it is incomplete too.
    """
    rules: tuple[RuleCheck, ...] = ()
    warnings: tuple[str, ...] = ()
    if policy is not None:
        rules, warnings = check_rules(policy, tally, fail_on or policy.gate.fail_on, today, change)
    changed = tuple(f'"{info.path}" changed while it was read: scan it again' for info in inputs if info.changed)
    left_out = tuple(f'"{info.path}" was left out: it is in no known format' for info in inputs if info.is_no_log)
    warnings = (*warnings, *changed, *left_out)
    unread = () if allow_empty else tuple(info.path for info in inputs if info.is_unread)
    missing = _explain_incomplete(policy, tally, ended_early=ended_early, allow_empty=allow_empty, unread=unread)
    missing = missing or _explain_baselines(rules, tally)
    blocking = [rule for rule in rules if rule.blocking]
    failed = [rule for rule in blocking if rule.verdict == "fail"]
    undecided = [rule for rule in blocking if rule.verdict == "inconclusive"]
    if failed:
        also = f"; the audit is also incomplete: {missing}" if missing else ""
        message = f"violated: {_name(failed)} ({len(failed)} of {count_noun(len(blocking), 'blocking check')}){also}"
        return Decision(rules, "fail", ExitCode.FAIL, message, warnings)
    if missing:
        return Decision(rules, "incomplete", ExitCode.INCOMPLETE, f"the audit is incomplete: {missing}", warnings)
    if policy is None or not (tally.sampled or tally.bad_records):
        return Decision(rules, "none", ExitCode.PASS, _explain_none(tally), warnings)
    if undecided:
        blocks = policy.gate.inconclusive == "block"
        checks = count_noun(len(blocking), "blocking check")
        message = (
            f"the evidence is too thin for {len(undecided)} of {checks}: {_name(undecided)}; none is proven violated"
        )
        return Decision(rules, "inconclusive", ExitCode.INCONCLUSIVE if blocks else ExitCode.PASS, message, warnings)
    return Decision(rules, "pass", ExitCode.PASS, _explain_pass(rules, blocking, tally), warnings)


def _explain_incomplete(
    policy: Policy | None, tally: Tally, *, ended_early: str | None, allow_empty: bool, unread: Sequence[str]
) -> str | None:
    """What is missing for a verdict, None where nothing is."""
    if ended_early is not None:
        return f"it ended early, {ended_early}"
    looked_at = tally.sampled + tally.bad_records
    if not looked_at:
        return None if allow_empty else "no conversation was found"
    if not tally.classified:
        return f"none of {count_noun(looked_at, 'conversation')} could be classified"
    if unread:
        others = f" and {count_noun(len(unread) - 1, 'other file')}" if unread[1:] else ""
        return f'no conversation could be read from "{unread[0]}"{others}'
    if policy is not None:
        missed, total, most = looked_at - tally.classified, looked_at, policy.gate.max_unclassified
        what = "could not be read or classified"
    else:
        missed = sum(n for reason, n in tally.reasons.items() if reason.is_provider_failure)
        total, most, what = tally.sampled, MOST_PROVIDER_FAILURES, "got no answer from the judge"
    # 29% of 100 is 28.999999999999996 in binary; a millionth of a conversation is none.
    if missed <= most * total + 1e-6:
        return None
    share = build_rounded(missed / total)
    return (
        f"{missed:,} of {count_noun(total, 'conversation')} {what} ({share}), at most {build_percentage(most)} allowed"
    )


def _explain_baselines(rules: tuple[RuleCheck, ...], tally: Tally) -> str | None:
    """Which baseline cannot be compared with and why, None where all can, or where there is nothing to compare."""
    if not (tally.sampled or tally.bad_records):
        return None
    bases = (rule.baseline for rule in rules if rule.baseline is not None and rule.verdict != "off")
    refused = {base.path: base.reasons for base in bases if base.reasons}
    return (
        "; ".join(f'the baseline "{path}" is not comparable, {", ".join(why)}' for path, why in refused.items()) or None
    )


def _explain_none(tally: Tally) -> str:
    if not tally.sampled:
        return "no conversation was found, as --allow-empty permits; nothing was proven"
    unread = tally.sampled + tally.bad_records - tally.classified
    rest = f", {unread:,} could not be read or classified" if unread else ""
    return f"{count_noun(tally.classified, 'conversation')} measured{rest}; there is no policy to decide by"


def _explain_pass(rules: tuple[RuleCheck, ...], blocking: list[RuleCheck], tally: Tally) -> str:
    warned = [rule for rule in rules if not rule.blocking and rule.verdict == "fail"]
    waived = [rule for rule in blocking if rule.waiver is not None and rule.waiver.state == "in force"]
    also = f"; under a waiver: {_name(waived)}" if waived else ""
    also += f"; not blocking but violated: {_name(warned)}" if warned else ""
    if not blocking:
        return f"no check can block at this severity, nothing was proven{also}"
    checks = "the one blocking check holds" if len(blocking) == 1 else f"all {len(blocking)} blocking checks hold"
    return f"{checks}, on {count_noun(tally.classified, 'classified conversation')}{also}"


def _name(rules: list[RuleCheck]) -> str:
    named = ", ".join(rule.id for rule in rules[:NAMED_RULES])
    more = len(rules) - NAMED_RULES
    return f"{named} and {more} more" if more > 0 else named
