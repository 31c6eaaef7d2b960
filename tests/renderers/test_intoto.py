from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hostile import build_hostile, hostile
from hypothesis import given, settings
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement as foreign
from in_toto_attestation.v1 import statement_pb2
from report_factory import build_check, build_report

from valueaudit.renderers.intoto import PREDICATE, STATEMENT, render_intoto
from valueaudit.renderers.json_report import render_json
from valueaudit.report import Report, RunInfo

PASSING = build_report(rules=(build_check(),), verdict="pass", exit_code=0)


def parse(report: Report) -> Any:
    """The statement, which the message types and checks of the attestation framework accept."""
    text = render_intoto(report)
    message = json_format.Parse(text, statement_pb2.Statement())
    statement = foreign.Statement([], "", {})
    statement.pb.CopyFrom(message)
    statement.validate()
    found = json.loads(text)
    json_format.ParseDict(found["predicate"], test_result_pb2.TestResult())
    return found


def test_the_statement_names_what_was_tested_and_how_it_ended() -> None:
    """Statement v1 with a test-result predicate: tests are the limits of the policy, by their outcome."""
    statement = parse(build_report())
    assert (statement["_type"], statement["predicateType"]) == (STATEMENT, PREDICATE)
    predicate = statement["predicate"]
    assert predicate["result"] == "FAILED"
    assert predicate["passedTests"] == ["clear"]
    assert predicate["failedTests"] == ["no-deception", "never-cruel"]
    assert predicate["warnedTests"] == ["not-preachy"]


def test_a_foreign_reader_accepts_no_more_than_the_predicate_has() -> None:
    """The check above would find a field that the predicate does not know."""
    with pytest.raises(json_format.ParseError):
        json_format.ParseDict({"result": "PASSED", "verdict": "pass"}, test_result_pb2.TestResult())


def test_subjects_are_the_report_and_the_inputs_by_digest() -> None:
    """The first subject is the JSON report by its bytes; an input not read to its end is none, and is named."""
    report = build_report()
    statement = parse(report)
    digest = hashlib.sha256(render_json(report).encode()).hexdigest()
    assert statement["subject"] == [
        {"name": "valueaudit-report.json", "digest": {"sha256": digest}, "mediaType": "application/json"},
        {"name": "logs/october.jsonl", "digest": {"sha256": "1f" * 32}},
    ]
    annotations = statement["predicate"]["configuration"][0]["annotations"]
    assert annotations["inputs_without_digest"] == ["logs/november.jsonl.zst"]


def test_the_configuration_has_policy_prompt_and_taxonomy() -> None:
    """What decides an answer stands there by digest, each with what the digest is of."""
    configuration = parse(build_report())["predicate"]["configuration"]
    digests = {each["name"]: each["digest"]["sha256"] for each in configuration[1:]}
    assert digests == {"policy": "4c" * 32, "prompt": "2e" * 32, "taxonomy": "3d" * 32}
    assert all("of the" in each["annotations"]["digest"] for each in configuration[1:])
    assert configuration[0]["annotations"]["note"].startswith("supporting evidence")


@pytest.mark.parametrize(
    ("report", "result"),
    [
        (PASSING, "PASSED"),
        (
            build_report(rules=(build_check(), build_check("w", "fail", blocking=False)), verdict="pass", exit_code=0),
            "WARNED",
        ),
        (
            build_report(rules=(build_check("i", "inconclusive", breaks=False),), verdict="inconclusive", exit_code=0),
            "WARNED",
        ),
        (build_report(rules=(), policy=None, verdict="none", exit_code=0), "WARNED"),
        (build_report(rules=(build_check("i", "inconclusive"),), verdict="inconclusive", exit_code=3), "FAILED"),
        (build_report(rules=(build_check(),), verdict="incomplete", exit_code=4), "FAILED"),
        (
            build_report(
                rules=(build_check(),), verdict="pass", exit_code=0, run=RunInfo("x", "x", "x", ended_early="y")
            ),
            "FAILED",
        ),
    ],
)
def test_only_a_passed_policy_without_warnings_passes(report: Report, result: str) -> None:
    """PASSED is said of nothing that was not proven; without a policy nothing was tested."""
    assert parse(report)["predicate"]["result"] == result


@given(text=hostile)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_text_gives_a_valid_statement(text: str) -> None:
    """Whatever names and messages hold, the framework's own types accept the statement."""
    statement = parse(build_hostile(text))
    assert len(statement["subject"]) == 2
