"""Drift rules from the command line: the baseline is found beside the policy, and refused before a call is paid."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from loopback import Answer, Asked, JudgeServer, build_reply
from samples import REPLY, build_line, write_logs
from valueaudit.cli.main import run
from valueaudit.report import schema_of_report

PLAIN = """version: 1
policy: gate
prohibited: [{id: no-deception, value: deception, at_most: 90%, confirm: 0}]
"""
DRIFT = (
    PLAIN + "drift: [{id: same, baseline: kept/v4.jsonl, rules: no-deception, max_increase: 10pp, severity: high}]\n"
)
COUNT = 60


def behave(asked: Asked) -> Answer:
    """Conversations that say so show deception."""
    reply = build_reply(asked)
    if "deceive" in asked.transcript:
        reply["declared"]["deception"] = {"state": "shown", "message": 1, "quote": REPLY[:20]}
    return Answer(json.dumps(reply))


def scan(
    server: JudgeServer, deceiving: int, *more: str, policy: str = "rules/p.yaml", model: str = "openai/test"
) -> int:
    """The exit code of a scan of sixty conversations, so many of which deceive."""
    server.behaviour = behave
    texts = ("deceive me" if n < deceiving else "be fair" for n in range(COUNT))
    write_logs(
        Path("logs.jsonl"), (build_line(f"{text} {n}", f"{REPLY} {n}", id=f"c-{n}") for n, text in enumerate(texts))
    )
    judge = ("-m", model, "--api-base", server.base, "--concurrency", "32")
    return run(["scan", "logs.jsonl", "-p", policy, "-q", "-o", "report.json", *judge, *more])


def read_check(name: str = "report.json") -> dict[str, Any]:
    """The check of the drift rule in a report, which is valid."""
    report = json.loads(Path(name).read_text())
    jsonschema.Draft202012Validator(schema_of_report()).validate(report)
    found: dict[str, Any] = next(rule for rule in report["rules"] if rule["id"] == "same")
    return found


@pytest.fixture
def baseline(server: JudgeServer, folder: Path) -> Path:
    """A baseline without deception beside a policy in a folder of its own."""
    Path("rules/kept").mkdir(parents=True)
    Path("rules/plain.yaml").write_text(PLAIN)
    Path("rules/p.yaml").write_text(DRIFT)
    path = Path("rules/kept/v4.jsonl")
    assert scan(server, 0, "--records", str(path), policy="rules/plain.yaml") == 0
    return path


@pytest.mark.parametrize(("deceiving", "code", "verdict"), [(0, 0, "pass"), (30, 1, "fail"), (7, 3, "inconclusive")])
def test_a_scan_is_held_against_the_baseline_and_a_check_says_the_same(
    server: JudgeServer, baseline: Path, deceiving: int, code: int, verdict: str
) -> None:
    """The path is relative to the policy file; deciding again from records gives the same report."""
    assert scan(server, deceiving, "--records", "now.jsonl") == code
    check = read_check()
    assert (check["verdict"], check["baseline"]["method"], check["baseline"]["pairs"]) == (verdict, "paired", COUNT)
    assert check["baseline"]["path"] == "rules/kept/v4.jsonl"
    assert run(["check", "now.jsonl", "-p", "rules/p.yaml", "-o", "again.json", "-q"]) == code
    first, second = (json.loads(Path(name).read_text()) for name in ("report.json", "again.json"))
    assert {**first, "run": None} == {**second, "run": None}


def test_the_other_formats_tell_the_change(
    server: JudgeServer, baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A result at the rule's line, a failed test case, the change in percentage points, the digest of the baseline."""
    outputs = [
        part for name in ("r.sarif", "r.junit.xml", "r.md", "r.rules.csv", "r.intoto.json") for part in ("-o", name)
    ]
    assert scan(server, 30, *outputs) == 1
    digest = read_check()["baseline"]["sha256"]
    (result,) = json.loads(Path("r.sarif").read_text())["runs"][0]["results"]
    assert (result["ruleId"], result["locations"][0]["physicalLocation"]["region"]["startLine"]) == ("same", 4)
    assert 'classname="valueaudit.gate.drift" name="same"' in Path("r.junit.xml").read_text()
    assert "worse" in Path("r.md").read_text()
    assert '"rules/kept/v4.jsonl",0,60,0.5' in Path("r.rules.csv").read_text()
    assert digest in Path("r.intoto.json").read_text()
    capsys.readouterr()
    assert run(["report", "report.json", "--verbose"]) in (0, 1)
    told = capsys.readouterr().out
    assert "rules/kept/v4.jsonl: 0 of 60" in told
    assert "pp worse" in told


def _damage(path: Path, kind: str) -> None:
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    match kind:
        case "missing":
            path.unlink()
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "unfinished":
            path.write_bytes(b"".join(lines[:-1]))
        case "changed":
            path.write_bytes(b"".join(lines[:1] + lines[2:]))
        case "foreign":
            path.write_text('{"messages": []}\n')
        case "folder":
            path.unlink()
            path.mkdir()
        case "prompt":
            asked = json.loads(lines[0])["classifier"]["prompt_sha256"]
            path.write_bytes(content.replace(asked.encode(), b"0" * 64))
        case "taxonomy":
            path.write_bytes(content.replace(json.loads(lines[0])["taxonomy"]["sha256"].encode(), b"0" * 64))
        case "question":
            asked = json.loads(lines[0])["classifier"]["questions"]["deception"]
            path.write_bytes(content.replace(asked.encode(), b"0" * 64))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", "rules/kept/v4.jsonl"),
        ("cut", "is cut off"),
        ("unfinished", "no footer"),
        ("changed", "it was changed since"),
        ("foreign", "no records file of valueaudit"),
        ("folder", "v4.jsonl"),
        ("prompt", "another prompt template"),
        ("taxonomy", "another taxonomy"),
        ("question", '"deception" was asked differently'),
    ],
)
def test_a_baseline_that_cannot_be_used_costs_no_call(
    server: JudgeServer, baseline: Path, capsys: pytest.CaptureFixture[str], kind: str, said: str
) -> None:
    """Exit code 4 with reason and help, from scan and check, before anybody is asked."""
    assert scan(server, 1, "--records", "now.jsonl") in (0, 3)
    asked = len(server.asked)
    _damage(baseline, kind)
    capsys.readouterr()
    for command in (("check", "now.jsonl"), ("scan", "logs.jsonl", "--no-cache", "-m", "openai/test")):
        more = ("--api-base", server.base) if command[0] == "scan" else ()
        assert run([*command, "-p", "rules/p.yaml", *more]) == 4
        told = capsys.readouterr().err
        assert "error[not-comparable]" in told
        assert said in told
        assert "help: " in told
    assert len(server.asked) == asked


def test_another_judge_is_refused_before_it_is_asked(
    server: JudgeServer, baseline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So is the embedded classifier beside a baseline of a language model."""
    asked = len(server.asked)
    assert scan(server, 0, model="openai/other") == 4
    assert 'another judge: "openai/test" in BASE, "openai/other" in NEW' in capsys.readouterr().err
    assert run(["scan", "logs.jsonl", "-p", "rules/p.yaml"]) == 4
    assert "another kind of judgement" in capsys.readouterr().err
    assert len(server.asked) == asked


def test_a_baseline_may_be_compressed_and_screened(folder: Path) -> None:
    """What the embedded classifier found is compared with what it finds now."""
    write_logs(Path("logs.jsonl"), (build_line(f"be fair {n}", f"{REPLY} {n}", id=f"c-{n}") for n in range(COUNT)))
    Path("p.yaml").write_text(PLAIN)
    assert run(["scan", "logs.jsonl", "-p", "p.yaml", "--records", "v4.jsonl", "-q", "--no-report"]) in (0, 3)
    Path("kept").mkdir()
    Path("kept/v4.jsonl.gz").write_bytes(gzip.compress(Path("v4.jsonl").read_bytes()))
    Path("p.yaml").write_text(DRIFT.replace("v4.jsonl", "v4.jsonl.gz"))
    assert run(["scan", "logs.jsonl", "-p", "p.yaml", "-q", "-o", "report.json"]) in (0, 3)
    assert read_check()["baseline"]["denominator"] == COUNT


def test_the_offline_commands_know_drift_rules(
    baseline: Path, server: JudgeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """lint, explain and lock need no baseline, plan says how to get one; compare leaves the rule to the policy."""
    baseline.rename("base.jsonl")
    for command in (("policy", "lint"), ("policy", "explain"), ("policy", "lock")):
        assert run([*command, "rules/p.yaml"]) == 0
    assert run(["policy", "lint", "rules/p.yaml", "base.jsonl"]) == 0
    assert run(["plan", "-p", "rules/p.yaml"]) == 0
    told = capsys.readouterr().out
    assert "is at most 10pp higher than in kept/v4.jsonl" in " ".join(told.split())
    assert "same: not planned, a baseline of the policy cannot be used: " in told
    assert "audit what is to be compared with: valueaudit scan LOGS --records rules/kept/v4.jsonl\n" in told
    assert run(["compare", "base.jsonl", "base.jsonl", "-p", "rules/p.yaml", "--margin", "20pp", "-q"]) == 0


def test_a_plan_reads_the_baseline(baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How many new conversations prove that it is no worse, at the baseline's rate or at a named one."""
    assert run(["plan", "-p", "rules/p.yaml"]) == 0
    assert "  same          at most 10pp worse  0%         pass  29\n" in capsys.readouterr().out
    assert run(["plan", "-p", "rules/p.yaml", "--rate", "same=2%"]) == 0
    assert "  same          at most 10pp worse  2%         pass  61\n" in capsys.readouterr().out
    assert run(["plan", "-p", "rules/p.yaml", "--rate", "other=2%"]) == 2


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("cut", "is cut off"),
        ("unfinished", "no footer"),
        ("taxonomy", "is not comparable: another taxonomy"),
        ("question", '"deception" was asked differently'),
    ],
)
def test_a_baseline_that_a_scan_would_refuse_is_not_planned_with(
    baseline: Path, capsys: pytest.CaptureFixture[str], kind: str, said: str
) -> None:
    """The plan says so for the rule, and plans the others."""
    _damage(baseline, kind)
    assert run(["plan", "-p", "rules/p.yaml"]) == 0
    told = capsys.readouterr().out
    assert "same: not planned, " in told
    assert said in told
    assert "the most is " in told


def test_the_example_of_the_page_runs(folder: Path) -> None:
    """What docs/policy.md shows under `drift` can be scanned with, beside a baseline of the same rules."""
    page = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
    example = page.split("## `drift`")[1].split("```yaml\n")[1].split("```")[0]
    rules, _, drift = example.partition("drift:")
    assert drift
    write_logs(Path("logs.jsonl"), (build_line(f"be fair {n}", f"{REPLY} {n}", id=f"c-{n}") for n in range(COUNT)))
    Path("baselines").mkdir()
    head = "version: 1\npolicy: p\n"
    Path("p.yaml").write_text(head + rules)
    assert run(["scan", "logs.jsonl", "-p", "p.yaml", "--records", "baselines/v4.records.jsonl", "--no-report"]) == 3
    Path("p.yaml").write_text(head + example)
    assert run(["scan", "logs.jsonl", "-p", "p.yaml", "-o", "report.json"]) == 3
    kinds = [rule["kind"] for rule in json.loads(Path("report.json").read_text())["rules"]]
    assert kinds == ["intended", "prohibited", "drift", "drift"]


def test_each_change_of_a_drift_rule_has_a_rate_of_its_own(baseline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One rate for several limits would be true of none of them, so it is refused."""
    both = DRIFT.replace("rules: no-deception", "rules: [no-deception, clear], max_decrease: 5pp")
    Path("rules/p.yaml").write_text(both + "intended: [{id: clear, value: clarity, at_least: 1%}]\n")
    assert run(["plan", "-p", "rules/p.yaml", "--rate", "same=1%"]) == 2
    assert 'the policy has no rule "same"' in capsys.readouterr().err
    assert run(["plan", "-p", "rules/p.yaml", "--rate", "same:no-deception=1%"]) == 0
    told = capsys.readouterr().out
    assert "same:no-deception  at most 10pp worse  1%" in told
    assert (
        'same:clear: not planned, the baseline "rules/kept/v4.jsonl" is not comparable: BASE was not asked about'
        in told
    )
