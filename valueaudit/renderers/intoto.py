"""The report as an unsigned in-toto statement, so that whoever signs releases can sign this evidence beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from valueaudit.renderers.json_report import render_json
from valueaudit.renderers.outcomes import Outcome, find_gap, select
from valueaudit.renderers.visible import visible
from valueaudit.report import Report

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
NOTE = "supporting evidence: what a judge saw in these conversations, decided by this policy; no statement beyond that"


def render_intoto(report: Report) -> str:
    """An in-toto Statement v1 with a test-result predicate v0.1, in JSON. It is not signed.

    Subjects are the JSON report, by the digest of the bytes that `-o NAME.json` writes, and the inputs that were read
    to their end. The configuration names the program with verdict and coverage, then policy, prompt and taxonomy.
    """
    statement = {
        "_type": STATEMENT,
        "predicateType": PREDICATE,
        "predicate": {
            "result": find_result(report),
            "configuration": list(_list_configuration(report)),
            "passedTests": _name_tests(report, Outcome.PASSED),
            "warnedTests": _name_tests(report, Outcome.WARNED, Outcome.WAIVED),
            "failedTests": _name_tests(report, Outcome.FAILED, Outcome.UNDECIDED),
        },
        "subject": list(_list_subjects(report)),
    }
    return json.dumps(statement, indent=2, ensure_ascii=False) + "\n"


def is_intoto(head: bytes) -> bool:
    """Whether a file that begins like this is a statement of ours."""
    return all(mark in head for mark in (STATEMENT.encode(), PREDICATE.encode(), b'"pkg:pypi/valueaudit@'))


def find_result(report: Report) -> str:
    """PASSED only where a policy was passed without warning or waiver, FAILED where the run lets no release through."""
    if report.exit_code or find_gap(report):
        return "FAILED"
    if report.verdict == "pass" and not select(report.rules, Outcome.WARNED, Outcome.WAIVED):
        return "PASSED"
    return "WARNED"


def _name_tests(report: Report, *outcomes: Outcome) -> list[str]:
    return [visible(check.id) for check in select(report.rules, *outcomes)]


def _list_subjects(report: Report) -> Iterator[dict[str, Any]]:
    digest = hashlib.sha256(render_json(report).encode()).hexdigest()
    yield {"name": "valueaudit-report.json", "digest": {"sha256": digest}, "mediaType": "application/json"}
    for each in report.inputs:
        if each.sha256 is not None:
            yield {"name": visible(each.path), "digest": {"sha256": each.sha256}}


def _list_configuration(report: Report) -> Iterator[dict[str, Any]]:
    judge, coverage = report.classifier, report.coverage
    yield {
        "name": "valueaudit",
        "uri": f"pkg:pypi/valueaudit@{visible(report.tool.version)}",
        "annotations": {
            "note": NOTE,
            "verdict": report.verdict,
            "message": visible(report.message),
            "exit_code": report.exit_code,
            "model": visible(judge.model),
            "resolved_model": None if judge.resolved_model is None else visible(judge.resolved_model),
            "assessed": judge.assessed,
            "conversations": {
                name: getattr(coverage, name)
                for name in ("found", "sampled", "classified", "unclassified", "bad_records")
            },
            "inputs_without_digest": [visible(each.path) for each in report.inputs if each.sha256 is None],
        },
    }
    if report.policy is not None:
        yield _describe(
            "policy",
            report.policy.sha256,
            "of the canonical policy, as valueaudit policy lock prints it",
            policy=report.policy.name,
            path=report.policy.path,
        )
    if judge.prompt_sha256 is not None:
        questions = {visible(value): digest for value, digest in judge.questions.items()}
        yield _describe("prompt", judge.prompt_sha256, "of the prompt template", questions=questions)
    bases = {rule.baseline.path: rule.baseline.sha256 for rule in report.rules if rule.baseline is not None}
    for path, sha256 in bases.items():
        if sha256 is not None:
            yield _describe("baseline", sha256, "of the records that drift rules are held against", path=path)
    yield _describe("taxonomy", report.taxonomy.sha256, "of the taxonomy file", taxonomy=report.taxonomy.id)


def _describe(name: str, sha256: str, what: str, **more: Any) -> dict[str, Any]:
    annotations = {key: visible(value) if isinstance(value, str) else value for key, value in more.items()}
    return {"name": name, "digest": {"sha256": sha256}, "annotations": {"digest": what, **annotations}}
