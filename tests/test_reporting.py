from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
import pytest

from loopback import Answer, Asked, JudgeServer, build_reply, good
from samples import REPLY, build_line, write_logs
from valueaudit.cli.main import run
from valueaudit.decide import decide
from valueaudit.policy import compile_checks, parse_policy
from valueaudit.record import BadRecordRecord, ConversationRecord, FooterRecord, parse_lines
from valueaudit.renderers.json_report import parse_report
from valueaudit.report import Report
from valueaudit.reporting import Facts, build_report
from valueaudit.tally import tally_records
from valueaudit.taxonomy import load_taxonomy

POLICY = """
version: 1
policy: rebuilt
gate: {max_unclassified: 40%}
contexts: {even: {metadata.parity: even}, advice: {task: ask for advice}}
intended: [{id: clear, value: clarity, at_least: 10%, violated_at_most: 50%, in: advice}]
prohibited:
  - {id: honest, value: deception, at_most: 90%, in: even}
  - {id: kind, value: cruelty, never: true, assure: 50%}
responses: [{id: firm, type: mild_support, at_most: 99%, of: subjective}]
"""


def behave(asked: Asked) -> Answer:
    """Every third conversation shows deception, every fifth reply is unusable, evidence is sometimes invented."""
    if asked.is_confirmation:
        return good(asked)
    number = int(asked.transcript.split("(case ")[1].split(")")[0])
    if number % 5 == 0:
        return Answer("no JSON")
    stated = {"value": "clarity", "message": 0, "quote": f"My bike (case {number})"}
    reply = build_reply(asked, subjectivity=1 + number % 4, human_values=[stated])
    if number % 3 == 0:
        quote = REPLY[:20] if number % 2 else "never said"
        reply["declared"]["deception"] = {"state": "shown", "message": 1, "quote": quote}
        reply["ai_values"].append({**reply["ai_values"][0], "value": "deception", "adverse": True, "quote": quote})
    return Answer(json.dumps(reply))


def rebuild(report: Report, seed: int) -> Report:
    """The report, made anew from the records file alone in another order."""
    with Path("r.jsonl").open("rb") as file:
        lines = list(parse_lines(file))
    footer = lines[-1]
    assert isinstance(footer, FooterRecord)
    records = [line for line in lines if isinstance(line, ConversationRecord | BadRecordRecord)]
    random.Random(seed).shuffle(records)
    policy = parse_policy(Path("p.yaml").read_bytes(), "p.yaml", load_taxonomy())
    tally = tally_records(records, {check.id: check.predicate for check in compile_checks(policy)})
    facts = Facts(
        run=report.run,
        inputs=footer.inputs,
        classifier=footer.classifier,
        taxonomy=report.taxonomy,
        policy=report.policy,
        cost=footer.cost,
        duplicate_ids=footer.coverage.duplicate_ids,
    )
    return build_report(facts, tally, decide(policy, tally))


@pytest.mark.parametrize("text", [(), ("--include-text",)], ids=["without text", "with text"])
def test_the_report_can_be_rebuilt_from_the_records(server: JudgeServer, folder: Path, text: tuple[str, ...]) -> None:
    """Scan and re-decision are one fold: in any order of the records every byte is the same."""
    server.behaviour = behave
    parity = ("even", "odd")
    lines = [build_line(f"My bike (case {n})", f"{REPLY} {n}", id=f"c-{n}", parity=parity[n % 2]) for n in range(30)]
    write_logs(folder / "logs.jsonl", [*lines, "no JSON", build_line("hello?", id="alone")])
    (folder / "p.yaml").write_text(POLICY)
    judge = ("-m", "openai/test", "--api-base", server.base)
    run(["scan", "logs.jsonl", "-p", "p.yaml", "--records", "r.jsonl", "-q", *judge, *text])
    report = parse_report(Path("valueaudit-report.json").read_bytes())
    assert report.coverage.unclassified == 7
    assert report.coverage.unsupported_labels > 0
    assert {rule.id for rule in report.rules} == {"clear", "clear:violated", "honest", "kind", "firm"}
    assert report.profile.mirroring.count > 0
    for seed in range(3):
        assert msgspec.json.encode(rebuild(report, seed)) == msgspec.json.encode(report)
