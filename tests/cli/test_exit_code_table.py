"""The table of exit codes row by row, from the command line to the code, precedence included."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from loopback import Answer, Asked, JudgeServer, good
from samples import build_line, write_logs
from valueaudit.cli.main import cli, run
from valueaudit.errors import ExitCode

HEAD = "version: 1\npolicy: p\n"
PASSING = f"{HEAD}responses: [{{id: r, type: strong_resistance, at_least: 0%}}]\n"
FAILING = f"{HEAD}responses: [{{id: r, type: strong_resistance, at_most: 5%}}]\n"
THIN = f"{HEAD}prohibited: [{{id: t, value: cruelty, at_most: 1%}}]\n"
BOTH = FAILING + THIN.removeprefix(HEAD)
DRIFT = f"{PASSING}drift: [{{id: d, baseline: gone.jsonl, rules: r, max_decrease: 9pp}}]\n"
TOLERANT = f"{THIN}gate: {{inconclusive: warn}}\n"
MIXED = PASSING + THIN.removeprefix(HEAD)
WARNED = FAILING.replace("at_most", "enforce: warn, at_most")
ASKED = ("scan", "logs.jsonl", "-m", "openai/test", "--api-base", "SERVER", "--no-cache")
REFUSAL = ("How do I pick my neighbour's lock?", "I can't help with breaking into someone else's home.")

# What goes wrong at the sixth conversation: a bug, a signal from outside, a program that writes no more.
SABOTAGE = """
import asyncio, os, signal, sys
from valueaudit.classifiers.embedded import EmbeddedClassifier
from valueaudit.classifiers.pool import PooledClassifier
seen = []
def sabotage(classify):
    async def sabotaged(self, transcript):
        seen.append(transcript)
        if len(seen) == 6:
            {}
        return await classify(self, transcript)
    return sabotaged
for kind in (EmbeddedClassifier, PooledClassifier):
    kind.classify = sabotage(kind.classify)
from valueaudit.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
BUG, INTERRUPT, TERMINATE = (
    "1 / 0",
    "os.kill(os.getpid(), signal.SIGINT); await asyncio.sleep(0.3)",
    "os.kill(os.getpid(), signal.SIGTERM); await asyncio.sleep(0.3)",
)


@dataclass(frozen=True)
class Row:
    """One line of the table: what is done, what it ends in, and the verdict in the report (None: there is none)."""

    what: str
    code: int
    command: tuple[str, ...] = ("scan", "logs.jsonl")
    policy: str | None = None
    verdict: str | None = None
    said: str = ""
    sabotage: str | None = None
    answer: Answer | None = None


ROWS = (
    Row("every blocking rule passes", 0, policy=PASSING, verdict="pass"),
    Row("a scan without a policy", 0, verdict="none"),
    Row("a violation that only warns", 0, policy=WARNED, verdict="pass"),
    Row("a violation below fail_on", 0, ("scan", "logs.jsonl", "--fail-on", "critical"), FAILING, "pass"),
    Row(
        "thin evidence where the policy says warn",
        0,
        policy=f"{THIN}gate: {{inconclusive: warn}}\n",
        verdict="inconclusive",
    ),
    Row("nothing to audit, as allowed", 0, ("scan", "empty.jsonl", "--allow-empty"), THIN, "none"),
    Row("a policy that is left out", 0, ("scan", "logs.jsonl", "--no-policy"), FAILING, "none"),
    Row("a violation", 1, policy=FAILING, verdict="fail"),
    Row("wrong usage", 2, ("scan",), said="Missing argument"),
    Row("wrong configuration", 2, ("scan", "logs.jsonl", "--concurrency", "0"), said="--concurrency"),
    Row("a policy file with a mistake", 2, policy="version: 1\npolicy: p\nprohibeted: []\n", said="error[policy]"),
    Row("an unknown model", 2, ("scan", "logs.jsonl", "-m", "nonsense"), said="error[model]"),
    Row("an input that is none", 2, ("scan", "missing.jsonl"), said="error[input]"),
    Row("an output that cannot be written", 2, ("scan", "logs.jsonl", "-o", "no/r.json"), said="error[output]"),
    Row("a screening where a judge is asked for", 2, policy=f"{THIN}gate: {{judge: llm}}\n", said="error[usage]"),
    Row("thin evidence", 3, policy=THIN, verdict="inconclusive"),
    Row("nothing to audit", 4, ("scan", "empty.jsonl"), verdict="incomplete"),
    Row("coverage below the minimum", 4, ("scan", "half.jsonl"), PASSING, "incomplete"),
    Row("a rejected key", 4, ASKED, verdict="incomplete", said="error[key]", answer=Answer(status=401)),
    Row("a judge without sense", 4, ASKED, verdict="incomplete", answer=Answer("no JSON")),
    Row("a limit of time", 4, (*ASKED, "--max-time", "1s"), verdict="incomplete", answer=Answer("{}", delay=2)),
    Row("a full disk", 4, ("scan", "logs.jsonl", "-o", "full.json"), said="no space left"),
    Row("a baseline that is not comparable", 4, policy=DRIFT, said="error[not-comparable]"),
    Row("a bug", 70, policy=PASSING, verdict="incomplete", said="ZeroDivisionError", sabotage=BUG),
    Row("Ctrl-C", 130, policy=PASSING, said="error[interrupted]", sabotage=INTERRUPT),
    Row("a termination", 130, policy=PASSING, said="error[interrupted]", sabotage=TERMINATE),
    Row("70 before 1", 70, policy=FAILING, verdict="fail", said="error[bug]", sabotage=BUG),
    Row("130 before 1", 130, policy=FAILING, said="error[interrupted]", sabotage=INTERRUPT),
    Row("2 before 1", 2, ("scan", "logs.jsonl", "-o", "no/r.json"), FAILING, said="error[output]"),
    Row("2 before 4", 2, ("scan", "empty.jsonl", "-o", "no/r.json"), said="error[output]"),
    Row("1 before 4: coverage", 1, ("scan", "half.jsonl"), FAILING, "fail"),
    Row("1 before 4: disk", 1, ("scan", "logs.jsonl", "-o", "full.json"), FAILING, said="no space left"),
    Row("1 before 3", 1, policy=BOTH, verdict="fail"),
    Row("4 before 3", 4, ("scan", "half.jsonl"), THIN, "incomplete"),
    Row(
        "3 before 0",
        3,
        policy=f"{PASSING}prohibited: [{{id: t, value: cruelty, at_most: 1%}}]\n",
        verdict="inconclusive",
    ),
    Row("--exit-zero masks 1", 0, ("scan", "logs.jsonl", "--exit-zero"), FAILING, "fail"),
    Row("--exit-zero masks 3", 0, ("scan", "logs.jsonl", "--exit-zero"), THIN, "inconclusive"),
    Row("--exit-zero does not mask 2", 2, ("scan", "missing.jsonl", "--exit-zero"), said="error[input]"),
    Row("--exit-zero does not mask 4", 4, ("scan", "half.jsonl", "--exit-zero"), PASSING, "incomplete"),
    Row("--exit-zero does not mask 70", 70, ("scan", "logs.jsonl", "--exit-zero"), sabotage=BUG, verdict="incomplete"),
    Row("--exit-zero does not mask 130", 130, ("scan", "logs.jsonl", "--exit-zero"), sabotage=INTERRUPT),
)


@pytest.fixture
def world(folder: Path) -> Path:
    """Ten refusals, the same with as many lines that cannot be read, a file without any, and a full disk."""
    lines = [build_line(*REFUSAL, id=f"c-{n}", case=n) for n in range(10)]
    write_logs(folder / "logs.jsonl", lines)
    write_logs(folder / "half.jsonl", [*lines, *["no JSON"] * 10])
    write_logs(folder / "empty.jsonl", [])
    if Path("/dev/full").exists():
        os.symlink("/dev/full", "full.json")
    return folder


def play(row: Row, server: JudgeServer, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code of a row and all that was said; a sabotaged one runs in a process of its own."""
    answer = row.answer

    def behave(asked: Asked) -> Answer:
        return good(asked) if answer is None else answer

    server.behaviour = behave
    command = [part.replace("SERVER", server.base) for part in row.command]
    if row.sabotage is None:
        code = run(command)
        told = capfd.readouterr()
        return code, told.out + told.err
    script = SABOTAGE.format(row.sabotage)
    done = subprocess.run([sys.executable, "-c", script, *command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_every_row_of_the_table(world: Path, server: JudgeServer, capfd: pytest.CaptureFixture[str], row: Row) -> None:
    """Each meaning of each code, and which goes first where several apply; the report tells the same as the process."""
    if "full.json" in row.command and not Path("full.json").exists():
        pytest.skip("this system has no /dev/full")
    if row.policy is not None:
        Path("valueaudit.policy.yaml").write_text(row.policy)
    code, said = play(row, server, capfd)
    assert (code, row.said in said) == (row.code, True), said
    assert ("Traceback" in said) == (row.code == ExitCode.CRASH)
    report = Path("valueaudit-report.json")
    assert report.exists() == (row.verdict is not None)
    if row.verdict is not None:
        found = json.loads(report.read_text())
        assert found["verdict"] == row.verdict
        assert found["exit_code"] == row.code or "--exit-zero" in row.command


def test_the_table_is_whole() -> None:
    """Every code has a row here, in the help and in the documentation."""
    page = (Path(__file__).parents[2] / "docs" / "decision.md").read_text(encoding="utf-8")
    help = str(cli.epilog)
    for code in ExitCode:
        assert any(row.code == code for row in ROWS)
        assert re.search(rf"^\| {code.value} \|", page, re.MULTILINE)
        assert re.search(rf"^  {code.value} ", help, re.MULTILINE)
