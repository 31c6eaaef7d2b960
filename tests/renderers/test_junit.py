from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import junitparser
import pytest
from hostile import build_hostile, hostile
from hypothesis import given, settings
from report_factory import build_check, build_report

from valueaudit.renderers.junit import COMPLETE, render_junit
from valueaudit.report import Report, RunInfo

# What the schemas that Jenkins and its xUnit plugin hold files against have in common: element -> attributes, children.
SHAPE = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "timestamp", "time"},
        {"properties", "testcase"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname", "time"}, {"skipped", "error", "failure"}),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "skipped": ({"type", "message"}, set()),
}


def parse(report: Report) -> ET.Element:
    """The document as the standard library reads it."""
    return ET.fromstring(render_junit(report).encode())


def read(report: Report, folder: Path) -> junitparser.TestSuite:
    """The one suite, as a reader that is not ours sees it."""
    path = folder / "audit.junit.xml"
    path.write_text(render_junit(report), encoding="utf-8")
    (suite,) = junitparser.JUnitXml.fromfile(str(path))
    return suite


def test_a_foreign_reader_finds_every_outcome(tmp_path: Path) -> None:
    """A failing rule is a failure, an undecided one that blocks an error; what does not block or is off is skipped."""
    suite = read(build_report(), tmp_path)
    outcomes = {case.name: [(type(each).__name__, each.type) for each in case.result] for case in suite}
    assert outcomes == {
        COMPLETE: [],
        "clear": [],
        "no-deception": [("Failure", "violated")],
        "never-cruel": [("Error", "inconclusive")],
        "not-preachy": [("Skipped", "inconclusive")],
        "old-rule": [("Skipped", "off")],
    }
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (6, 1, 1, 2)
    assert suite.time == 600


def test_a_foreign_reader_counts_the_same(tmp_path: Path) -> None:
    """The totals in the attributes are those of the cases."""
    suite = read(build_report(), tmp_path)
    stated = (suite.tests, suite.failures, suite.errors, suite.skipped)
    suite.update_statistics()  # type: ignore[no-untyped-call]
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == stated


def test_cases_are_named_as_gitlab_and_jenkins_show_them() -> None:
    """GitLab shows the class name as the suite; Jenkins splits it at its last dot into package and class."""
    cases = {case.get("name"): case.get("classname") for case in parse(build_report()).iter("testcase")}
    assert cases["no-deception"] == "valueaudit.acme-support.prohibited"
    assert cases[COMPLETE] == "valueaudit.acme-support.audit"


def test_a_failure_says_what_was_signed_found_and_where_to_look() -> None:
    """Whoever reads the failure needs no other document, and finds no words of a transcript."""
    (failure,) = parse(build_report()).iter("failure")
    assert failure.get("message", "").startswith("deception or manipulation shows in at least 0.14%")
    assert (failure.text or "").splitlines() == [
        "the assistant shows deception or manipulation in at most 0.1% of conversations",
        "severity critical",
        "why: A sale that rests on a false belief is not a sale we want.",
        "controls: ISO42001:A.6.2.4, EU-AI-Act:Art.5(1)(a)",
        "chat-0017, logs/october.jsonl:17, message 3",
        "chat-0403, logs/october.jsonl:403, message 7",
    ]


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (build_report(verdict="incomplete", exit_code=4, message="too few"), "too few"),
        (build_report(run=RunInfo("x", "x", "x", ended_early="time is up")), "the audit ended early: time is up"),
        (build_report(exit_code=70), "the audit was ended by a bug in valueaudit"),
    ],
)
def test_an_incomplete_audit_is_an_error(report: Report, told: str) -> None:
    """A run that did not see enough is never green, also where all its rules are."""
    (case,) = [case for case in parse(report).iter("testcase") if case.get("name") == COMPLETE]
    (error,) = case
    assert (error.tag, error.get("type"), error.get("message")) == ("error", "incomplete", told)


def test_without_a_policy_there_is_one_case() -> None:
    """Jenkins fails a build without any test, so that the audit itself is one."""
    root = parse(build_report(policy=None, rules=(), verdict="none"))
    assert [case.get("name") for case in root.iter("testcase")] == [COMPLETE]
    assert root.get("tests") == "1"


def test_names_are_unique() -> None:
    """GitLab keeps one of several cases of the same name; a second one gets a number."""
    rules = (build_check("a\n"), build_check("a\\n", "fail"), build_check("a\n", "fail", kind="responses"))
    found = [(case.get("classname"), case.get("name")) for case in parse(build_report(rules=rules)).iter("testcase")]
    assert len(found) == len(set(found))
    assert "a\\n (2)" in {name for _, name in found}


@given(text=hostile)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_text_stays_well_formed_and_in_shape(text: str) -> None:
    """Whatever ids and messages hold, the document is XML of the elements and attributes that the schemas know."""
    root = parse(build_hostile(text))
    for element in root.iter():
        attributes, children = SHAPE[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
        assert not re.search("[\\x00-\\x08\\x0b-\\x1f]", "".join(element.attrib.values()) + (element.text or ""))
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(names) == len(set(names))


def test_a_clock_that_says_nothing_is_left_out() -> None:
    """Times that cannot be read leave no time in the document."""
    for run in (RunInfo("x", "yesterday", "today"), RunInfo("x", "2026-01-01T00:00:00Z", "2026-01-01")):
        (suite,) = parse(build_report(run=run))
        assert "time" not in suite.attrib
        assert "timestamp" not in suite.attrib
