"""The report as SARIF 2.1.0, so that a violated rule shows at its own line of the policy, in a review or an editor."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from valueaudit.record import PolicyInfo
from valueaudit.renderers.outcomes import Outcome, describe_waiver, find_gap, find_outcome, find_waivers
from valueaudit.renderers.places import describe_place
from valueaudit.renderers.visible import visible
from valueaudit.report import Example, Report, RuleCheck

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# No id of a policy holds a slash.
INCOMPLETE = "valueaudit/incomplete"

_STDIN = "-"
_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}
# What GitHub shows of a rule: ten tags, 1,024 characters of a description.
_MOST_TAGS = 10
_LONGEST_DESCRIPTION = 1024


def render_sarif(report: Report) -> str:
    """SARIF 2.1.0: one rule for each rule of the policy, one result for each limit that fails or is undecided.

    One that passes under a waiver is a result too, and suppressed.

    Every result has a physical location, the line of its rule in the policy file: GitHub refuses a file where one has
    none. An audit that did not come to its end is a result too, so that no alert closes because nothing was looked at.
    """
    gap = find_gap(report)
    limits = _group(report.rules)
    descriptors = [_build_descriptor(name, checks) for name, checks in limits.items()]
    results: list[dict[str, Any]] = []
    if report.policy is not None:
        if gap is not None:
            descriptors.append(_build_gap_descriptor())
            results.append(_build_gap_result(report.policy, gap, len(limits)))
        results += _build_results(report.policy, limits)
        _state_suppressions(results)
    run = {
        "tool": {
            "driver": {"name": "valueaudit", "version": visible(report.tool.version), "rules": descriptors},
        },
        "invocations": [_build_invocation(report, gap)],
        "results": results,
        "columnKind": "unicodeCodePoints",
        "properties": {"verdict": report.verdict, "message": visible(report.message)},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def is_sarif(head: bytes) -> bool:
    """Whether a file that begins like this is a SARIF file of ours."""
    return b'"version": "2.1.0"' in head and b'"driver": {\n          "name": "valueaudit"' in head


def build_uri(path: str) -> str:
    """A path as a URI reference: a relative one stays relative, an absolute one begins with `file:`."""
    parts = PurePosixPath(path)
    return parts.as_uri() if parts.is_absolute() else quote(str(parts))


def _group(checks: Sequence[RuleCheck]) -> Mapping[str, Sequence[RuleCheck]]:
    """The limits of each rule, by its id in the policy."""
    found: dict[str, list[RuleCheck]] = {}
    for check in checks:
        found.setdefault(visible(check.rule or check.id), []).append(check)
    return found


def _build_descriptor(name: str, checks: Sequence[RuleCheck]) -> dict[str, Any]:
    first = checks[0]
    statements = [_end(check.statement) for check in checks]
    described = " ".join([*statements, *([_end(f"Why: {first.why}")] if first.why else [])])
    level = _level_of(first)
    tags = ["values", first.kind, first.severity, *first.controls]
    return {
        "id": name,
        "shortDescription": {"text": _cut(statements[0])},
        "fullDescription": {"text": _cut(described)},
        "help": {"text": f"{described} How the verdict comes about: docs/decision.md of valueaudit."},
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": list(dict.fromkeys(visible(tag) for tag in tags))[:_MOST_TAGS],
            "problem.severity": _PROBLEMS[level],
        },
    }


def _build_gap_descriptor() -> dict[str, Any]:
    text = "The audit looks at enough of the conversations to decide by the policy."
    return {
        "id": INCOMPLETE,
        "shortDescription": {"text": text},
        "fullDescription": {"text": text},
        "help": {"text": f"{text} What is missing stands in the message and in the log of the run."},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["values"], "problem.severity": "error"},
    }


def _build_results(policy: PolicyInfo, limits: Mapping[str, Sequence[RuleCheck]]) -> list[dict[str, Any]]:
    return [
        _build_result(policy, name, index, check)
        for index, (name, checks) in enumerate(limits.items())
        for check in checks
        if find_outcome(check) not in (Outcome.PASSED, Outcome.OFF)
    ]


def _build_result(policy: PolicyInfo, name: str, index: int, check: RuleCheck) -> dict[str, Any]:
    outcome = find_outcome(check)
    also = " Does not block." if outcome is Outcome.WARNED else ""
    word = "WAIVED" if outcome is Outcome.WAIVED else check.verdict.upper()
    waivers = {"waivers": [_plain(describe_waiver(waiver)) for waiver in check.waivers]} if check.waivers else {}
    found = f" {_end(check.message)}" if check.message else ""
    examples = [example for example in check.evidence if example.source != _STDIN]
    places = [_build_place(number, example) for number, example in enumerate(examples)]
    return {
        "ruleId": name,
        "ruleIndex": index,
        "level": "note" if outcome in (Outcome.WARNED, Outcome.WAIVED) else _level_of(check),
        "message": {"text": f"{word}: {_end(check.statement)}{found}{also}"},
        "locations": [_build_location(policy.path, check.line or 1)],
        **({"relatedLocations": places} if places else {}),
        "partialFingerprints": {"primaryLocationLineHash": _build_fingerprint(policy.name, check.id)},
        "properties": {"verdict": check.verdict, "check": visible(check.id), "blocking": check.blocking, **waivers},
        **({"suppressions": _build_suppressions(check)} if outcome is Outcome.WAIVED else {}),
    }


def _build_suppressions(check: RuleCheck) -> list[dict[str, Any]]:
    """Who accepted what. A waiver that has expired, or that does not save its rule, suppresses nothing."""
    found = [_plain(describe_waiver(waiver)) for waiver in find_waivers(check)]
    return [{"kind": "external", "status": "accepted", "justification": told} for told in found]


def _state_suppressions(results: list[dict[str, Any]]) -> None:
    """SARIF 2.1.0, section 3.27.23: where one result of a run says whether it is suppressed, all must."""
    if any("suppressions" in result for result in results):
        for result in results:
            result.setdefault("suppressions", [])


def _build_gap_result(policy: PolicyInfo, gap: str, index: int) -> dict[str, Any]:
    return {
        "ruleId": INCOMPLETE,
        "ruleIndex": index,
        "level": "error",
        "message": {"text": f"INCOMPLETE: {_end(gap)}"},
        "locations": [_build_location(policy.path, 1)],
        "partialFingerprints": {"primaryLocationLineHash": _build_fingerprint(policy.name, INCOMPLETE)},
    }


def _build_invocation(report: Report, gap: str | None) -> dict[str, Any]:
    told = [] if gap is None else [{"level": "error", "message": {"text": _plain(gap)}}]
    return {"executionSuccessful": gap is None, "exitCode": report.exit_code, "toolExecutionNotifications": told}


def _build_location(path: str, line: int) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": build_uri(path)}, "region": {"startLine": line}}}


def _build_place(number: int, example: Example) -> dict[str, Any]:
    place = _build_location(example.source, example.line or 1)
    return {"id": number, **place, "message": {"text": _plain(describe_place(example))}}


def _build_fingerprint(policy: str, check: str) -> str:
    # By id and not by the text of the line: an alert stays the same one when its limit is edited or its rule moves.
    return f"{hashlib.sha256(f'{policy}/{check}'.encode()).hexdigest()[:16]}:1"


def _level_of(check: RuleCheck) -> str:
    return _LEVELS.get(check.severity, "warning")


def _plain(text: str) -> str:
    """Text in which SARIF finds no embedded link (section 3.11.6): `[text](target)`."""
    return visible(text).replace("](", "] (")


def _end(text: str) -> str:
    """Plain text that ends as a sentence."""
    return f"{_plain(text).rstrip('.')}."


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_DESCRIPTION else f"{text[: _LONGEST_DESCRIPTION - 1]}…"
