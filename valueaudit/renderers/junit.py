"""The report as test results, because that is what GitLab, Jenkins and their kin can already show."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from valueaudit.renderers.outcomes import Outcome, describe_waiver, find_gap, find_outcome, find_waivers
from valueaudit.renderers.places import describe_place
from valueaudit.renderers.visible import visible
from valueaudit.report import Report, RuleCheck

COMPLETE = "the audit is complete"

# What the production Char of XML 1.0 leaves out and `visible` lets through.
_NO_CHARACTER = re.compile("[\ufffe\uffff]")
_HEAD = '<testsuites name="valueaudit"'


def render_junit(report: Report) -> str:
    """JUnit XML, UTF-8: one suite, first whether the audit is complete, then one test case for each limit of a rule.

    FAIL is a failure and INCONCLUSIVE an error where they keep the run from passing; else both are skipped with a
    message, as is a rule that is off and one that passes under a waiver: Jenkins and GitLab show why a case was
    skipped, and nothing of one that passed. Names are unique, because GitLab drops all but one of those that are not.
    """
    cases = list(_build_cases(report))
    found = Counter(child.tag for case in cases for child in case)
    counts = {"tests": str(len(cases)), "failures": str(found["failure"]), "errors": str(found["error"])}
    root = ET.Element("testsuites", {"name": "valueaudit", **counts})
    suite = ET.SubElement(root, "testsuite", {"name": _name_suite(report), **counts, "skipped": str(found["skipped"])})
    suite.attrib.update(_describe_time(report))
    properties = ET.SubElement(suite, "properties")
    for name, value in _list_properties(report):
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    suite.extend(cases)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def is_junit(head: bytes) -> bool:
    """Whether a file that begins like this is a JUnit file of ours."""
    return head.lstrip().startswith(b"<?xml") and _HEAD.encode() in head


def _build_cases(report: Report) -> Iterator[ET.Element]:
    suite, gap = _name_suite(report), find_gap(report)
    whole = ET.Element("testcase", {"classname": f"{suite}.audit", "name": COMPLETE, "time": "0"})
    if gap is not None:
        _tell(whole, "error", "incomplete", gap)
    yield whole
    names: Counter[tuple[str, str]] = Counter()
    for check in report.rules:
        classname, name = f"{suite}.{_clean(check.kind)}", _clean(check.id)
        names[classname, name] += 1
        number = names[classname, name]
        unique = name if number == 1 else f"{name} ({number})"
        case = ET.Element("testcase", {"classname": classname, "name": unique, "time": "0"})
        _judge(case, check)
        yield case


def _judge(case: ET.Element, check: RuleCheck) -> None:
    outcome = find_outcome(check)
    if outcome is Outcome.FAILED:
        _tell(case, "failure", "violated", check.message or check.statement, *_describe(check))
    elif outcome is Outcome.UNDECIDED:
        _tell(case, "error", "inconclusive", check.message or check.statement, *_describe(check))
    elif outcome is Outcome.WARNED:
        _tell(case, "skipped", check.verdict, f"does not block, {check.verdict}: {check.message or check.statement}")
    elif outcome is Outcome.WAIVED:
        told = "; ".join(describe_waiver(waiver) for waiver in find_waivers(check))
        _tell(case, "skipped", "waived", f"passes under a waiver, {told}", *_describe(check))
    elif outcome is Outcome.OFF:
        _tell(case, "skipped", "off", "not enforced")


def _tell(case: ET.Element, tag: str, kind: str, message: str, *lines: str) -> None:
    told = ET.SubElement(case, tag, {"type": kind, "message": _clean(message)})
    if lines:
        told.text = "\n".join(_clean(line) for line in lines)


def _describe(check: RuleCheck) -> Iterator[str]:
    """The sentence that was signed and where to look, a line each; never the words of a transcript."""
    yield check.statement
    yield f"severity {check.severity}"
    if check.why:
        yield f"why: {check.why}"
    if check.controls:
        yield f"controls: {', '.join(check.controls)}"
    for waiver in check.waivers:
        yield f"waiver: {describe_waiver(waiver)}"
    for example in check.evidence:
        yield describe_place(example)


def _name_suite(report: Report) -> str:
    # Jenkins takes what stands before the last dot of a class name for its package.
    return "valueaudit" if report.policy is None else f"valueaudit.{_clean(report.policy.name)}"


def _describe_time(report: Report) -> dict[str, str]:
    """When the run started and how long it took, in UTC and without a zone as the format has it; nothing if unclear."""
    try:
        started, finished = (datetime.fromisoformat(text) for text in (report.run.started, report.run.finished))
        seconds = (finished - started).total_seconds()
    except (ValueError, TypeError):
        return {}
    return {"timestamp": started.strftime("%Y-%m-%dT%H:%M:%S"), "time": f"{max(seconds, 0):.0f}"}


def _list_properties(report: Report) -> Iterator[tuple[str, str]]:
    yield "verdict", report.verdict
    yield "message", report.message
    yield "exit_code", str(report.exit_code)
    yield "version", report.tool.version
    yield "model", report.classifier.model
    yield "assessed", report.classifier.assessed
    if report.run.looks is not None:
        yield "looks", str(report.run.looks)
    yield "classified", f"{report.coverage.classified} of {report.coverage.sampled}"
    if report.policy is not None:
        yield "policy_sha256", report.policy.sha256


def _clean(text: str) -> str:
    return _NO_CHARACTER.sub(lambda found: f"\\u{ord(found[0]):04x}", visible(text))
