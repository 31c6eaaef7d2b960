"""Every refusal of a command line has its code; the table of all codes is in test_exit_code_table."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import click
import pytest

from samples import build_line, write_conversations, write_logs
from valueaudit.cli.main import cli, run

PASSING = "version: 1\npolicy: p\nresponses: [{id: r, type: strong_resistance, at_least: 0%}]\n"
FAILING = "version: 1\npolicy: p\nresponses: [{id: r, type: strong_resistance, at_most: 5%}]\n"
REFUSAL = ("How do I pick my neighbour's lock?", "I can't help with breaking into someone else's home.")


@pytest.fixture
def logs(folder: Path) -> Path:
    """Ten conversations with refusals, in a file of the working folder."""
    return write_logs(folder / "logs.jsonl", (build_line(*REFUSAL, id=f"c-{n}", case=n) for n in range(10)))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "Usage"),
        (("--version",), 0, "version"),
        (("scan",), 2, "Missing argument"),
        (("sacn",), 2, "No such command"),
        (("scan", "logs.jsonl", "--no-such-flag"), 2, "No such option"),
        (("scan", "missing.jsonl"), 2, "error[input]"),
        (("scan", "logs.jsonl", "-p", "missing.yaml"), 2, "error[input]"),
        (("scan", "logs.jsonl", "-p", "bad.yaml"), 2, "error[policy]"),
        (("scan", "logs.jsonl", "-p", "bad.yaml", "--no-policy"), 2, "contradict"),
        (("scan", "logs.jsonl", "-m", "nonsense"), 2, "error[model]"),
        (("scan", "logs.jsonl", "--api-base", "http://127.0.0.1:1"), 2, "needs a model"),
        (("scan", "logs.jsonl", "-m", "openai/x", "--param", "api_key=1"), 2, "cannot be set"),
        (("scan", "logs.jsonl", "-m", "openai/x", "--param", "novalue"), 2, "is no parameter"),
        (("scan", "logs.jsonl", "-m", "openai/x", "--param", "max_tokens=many"), 2, "not a number"),
        (("scan", "logs.jsonl", "-o", "report.docx"), 2, "error[output]"),
        (("scan", "logs.jsonl", "-o", "nowhere/report.json"), 2, "error[output]"),
        (("scan", "logs.jsonl", "-o", "logs.jsonl.json"), 2, "error[output]"),
        (("scan", "logs.jsonl", "--records", "logs.jsonl"), 2, "error[output]"),
        (("scan", "logs.jsonl", "-o", "a.json", "-o", "./a.json"), 2, "written twice"),
        (("scan", "logs.jsonl", "--input-format", "xml"), 2, "no input format"),
        (("scan", "logs.jsonl", "--max-time", "soon"), 2, "no duration"),
        (("scan", "logs.jsonl", "--concurrency", "0"), 2, "--concurrency"),
        (("scan", "empty.jsonl"), 4, "nothing"),
        (("scan", "empty.jsonl", "--allow-empty"), 0, ""),
        (("scan", "empty-folder"), 4, "error[nothing-to-audit]"),
        (("scan", "empty-folder", "--allow-empty"), 0, ""),
        (("scan", "rubbish.jsonl"), 4, "bad records"),
        (("scan", "binary.jsonl"), 2, "error[input]"),
    ],
)
def test_what_goes_wrong_has_its_exit_code(
    logs: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Every refusal has its code and says what is wrong; none is a traceback."""
    Path("bad.yaml").write_text("version: 1\npolicy: p\nprohibeted: []\n")
    Path("empty.jsonl").write_text("")
    Path("empty-folder").mkdir()
    Path("rubbish.jsonl").write_text("this is\nno JSON\n")
    Path("binary.jsonl").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    Path("logs.jsonl.json").write_text('{"somebody": "else"}')
    assert run(list(arguments)) == code
    told = capsys.readouterr()
    assert said in told.out + told.err
    assert "Traceback" not in told.err


def test_two_policies_in_a_folder_are_refused(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which one would decide must not be a matter of luck."""
    for name in ("valueaudit.policy.yaml", "valueaudit.policy.yml"):
        Path(name).write_text(PASSING)
    assert run(["scan", logs.name]) == 2
    assert "two policies" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (ZeroDivisionError(), 70),
        (OSError(errno.EINVAL, "odd"), 70),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (BrokenPipeError(errno.EPIPE, "gone"), 4),
        (SystemExit(1), 4),
    ],
)
def test_what_nobody_foresaw_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: BaseException, code: int
) -> None:
    """A crash is 70 and looks like none of the verdicts; an interruption is 130."""

    def explode(**_: Any) -> int:
        raise raised

    monkeypatch.setattr(cli.commands["scan"], "callback", explode)
    assert run(["scan", "x"]) == code
    assert ("error[bug]" in capsys.readouterr().err) == (code == 70)


def test_errors_are_shown_without_control_characters(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file name cannot drive the terminal."""
    assert run(["scan", "\x1b[31mred.jsonl"]) == 2
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert "\\x1b[31mred" in told


def test_quiet_says_the_verdict_only(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line on standard output, for logs."""
    assert run(["scan", logs.name, "-q"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("none: ")
    assert len(told.out.splitlines()) == 1
    assert told.err == ""


def test_policies_are_not_read_from_elsewhere(logs: Path) -> None:
    """Only the working folder is looked into."""
    Path("sub").mkdir()
    (Path("sub") / "valueaudit.policy.yaml").write_text(FAILING)
    assert run(["scan", logs.name]) == 0


def test_many_files_are_one_audit(folder: Path) -> None:
    """Files, folders and globs add up, each with its own line in the report; what was read before counts once."""
    (folder / "a").mkdir()
    write_conversations(folder / "a" / "one.jsonl", 2)
    write_conversations(folder / "a" / "two.jsonl", 3)
    assert run(["scan", "a"]) == 0
    report = json.loads(Path("valueaudit-report.json").read_text())
    read = [(i["path"], i["conversations"], i["duplicates"]) for i in report["inputs"]]
    assert read == [("a/one.jsonl", 2, 0), ("a/two.jsonl", 1, 2)]
    assert report["coverage"]["duplicate_ids"] == 0
