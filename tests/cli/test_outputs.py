from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from samples import write_conversations
from valueaudit.cli.main import run
from valueaudit.cli.outputs import Outputs, plan_outputs
from valueaudit.errors import OutputError, StorageError
from valueaudit.registry import KINDS
from valueaudit.renderers.json_report import parse_report, render_json
from valueaudit.renderers.markdown import CUT, LIMIT
from valueaudit.report import Report

ALL = [f"audit{ending}" for ending in KINDS]


@pytest.fixture
def logs(folder: Path) -> str:
    """Three conversations in the working folder."""
    return str(write_conversations(folder / "logs.jsonl", 3))


@pytest.fixture
def report(logs: str) -> Report:
    """The report of a scan."""
    run(["scan", logs, "-q", "-o", "r.json"])
    return parse_report(Path("r.json").read_bytes())


def scan(logs: str, *arguments: str) -> int:
    """A quiet scan."""
    return run(["scan", logs, "-q", *arguments])


def test_one_scan_writes_every_kind(logs: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Several outputs of one run, each in the kind of its ending, and each again over itself."""
    for _ in range(2):
        assert scan(logs, *(part for name in ALL for part in ("-o", name))) == 0
        report = parse_report(Path("audit.json").read_bytes())
        for ending, kind in KINDS.items():
            assert Path(f"audit{ending}").read_text("utf-8") == kind.render(report)
    assert "none: " in capsys.readouterr().out


@pytest.mark.parametrize("name", ALL)
def test_a_foreign_file_is_never_overwritten(logs: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of that ending which we did not write is refused before anything is read."""
    Path(name).write_text("{}\n# mine, not yours\n")
    assert scan(logs, "-o", name) == 2
    assert "will not overwrite" in capsys.readouterr().err
    assert Path(name).read_text() == "{}\n# mine, not yours\n"


@pytest.mark.parametrize("name", ALL)
def test_a_document_of_another_kind_is_foreign_too(logs: str, name: str) -> None:
    """What we wrote in one kind is not overwritten in another."""
    other = next(each for each in ALL if each != name)
    assert scan(logs, "-o", other) == 0
    os.replace(other, name)
    assert scan(logs, "-o", name) == 2


def test_an_unknown_ending_names_the_known_ones(logs: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever mistypes an ending learns all of them."""
    assert scan(logs, "-o", "audit.xml") == 2
    err = capsys.readouterr().err
    assert all(ending in err for ending in KINDS)


def test_a_document_that_cannot_be_written_does_not_cost_the_others(report: Report) -> None:
    """A bug or a full disk under one output is raised after the others were written."""

    def broken(report: Report) -> str:
        del report
        raise ValueError("a bug")

    outputs = Outputs((("a.md", broken), ("gone/b.json", render_json), ("c.json", render_json)), None, is_default=False)
    with pytest.raises(ValueError, match="a bug"):
        outputs.write(report)
    assert Path("c.json").read_text("utf-8") == render_json(report)
    assert not Path("a.md").exists()
    (failure,) = Outputs((("gone/b.json", render_json),), None, is_default=False).write(report)
    assert isinstance(failure, StorageError)
    assert "gone/b.json" in failure.message


def in_job(monkeypatch: pytest.MonkeyPatch, summary: str = "summary.md") -> Path:
    """The environment of a step of a GitHub job."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", summary)
    return Path(summary)


def test_a_scan_in_a_github_job_adds_to_its_summary(logs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there stays; the page begins on a line of its own; --no-github leaves the summary alone."""
    summary = in_job(monkeypatch)
    summary.write_text("# Tests\nall green")
    assert scan(logs, "--no-github") == 0
    assert summary.read_text() == "# Tests\nall green"
    assert scan(logs, "-o", "a.md") == 0
    assert summary.read_text("utf-8") == "# Tests\nall green\n" + Path("a.md").read_text("utf-8")


def test_the_summary_file_need_not_be_there(logs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first command of a step makes it."""
    summary = in_job(monkeypatch)
    assert scan(logs, "-o", "a.md") == 0
    assert summary.read_text("utf-8") == Path("a.md").read_text("utf-8")


def test_a_job_summary_stays_below_its_size(logs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What other commands wrote counts too: the page is cut, and where there is no room it is left out."""
    summary = in_job(monkeypatch)
    summary.write_bytes(b"x" * (LIMIT - 500))
    assert scan(logs) == 0
    assert LIMIT - 400 < summary.stat().st_size <= LIMIT
    assert summary.read_text("utf-8").endswith(f"{CUT}\n")
    summary.write_bytes(b"x" * LIMIT)
    assert scan(logs) == 0
    assert summary.stat().st_size == LIMIT


def test_outside_a_job_the_flag_decides(logs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable alone does not make a job; --github does, and needs the variable."""
    with pytest.raises(OutputError, match="GITHUB_STEP_SUMMARY"):
        plan_outputs((), None, no_report=True, github=True)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "s.md")
    assert scan(logs) == 0
    assert not Path("s.md").exists()
    assert scan(logs, "--github") == 0
    assert "Value audit" in Path("s.md").read_text("utf-8")


def test_a_summary_that_cannot_be_written_is_an_error_only_where_it_was_asked_for(
    logs: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken runner does not cost an audit that did not ask for its summary."""
    in_job(monkeypatch, "no/such/folder/s.md")
    assert scan(logs, "-o", "a.json") == 0
    assert "warning: no job summary" in capsys.readouterr().err
    assert json.loads(Path("a.json").read_text())["exit_code"] == 0
    assert scan(logs, "--github") == 2
