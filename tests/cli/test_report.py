from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from samples import write_conversations
from valueaudit.cli.main import run
from valueaudit.registry import KINDS

POLICY = """version: 1
policy: p
prohibited:
  - id: kind
    value: cruelty
    at_most: 50%
    why: Nobody deserves it.
    controls: [A.1]
"""


@pytest.fixture
def saved(folder: Path) -> Path:
    """A report that a scan has written with every other kind beside it."""
    (folder / "p.yaml").write_text(POLICY)
    logs = write_conversations(folder / "logs.jsonl", 3)
    outputs = [part for ending in KINDS for part in ("-o", f"scan{ending}")]
    run(["scan", str(logs), "-q", "-p", "p.yaml", "--records", "records.jsonl", *outputs])
    return folder / "scan.json"


def change(path: Path, **changes: Any) -> Path:
    """The same report with other top level keys."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return path


@pytest.mark.parametrize("ending", KINDS)
def test_a_saved_report_gives_the_documents_of_its_scan(saved: Path, ending: str) -> None:
    """Rendered later, from the JSON alone, every document has the bytes that the scan itself wrote."""
    assert run(["report", str(saved), "-o", f"again{ending}"]) == 0
    assert Path(f"again{ending}").read_bytes() == Path(f"scan{ending}").read_bytes()


def test_without_output_the_summary_is_printed(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report that somebody sends can be read in a terminal; its verdict is no failure of this command."""
    capsys.readouterr()
    assert run(["report", str(saved)]) == 0
    assert "── Verdict" in capsys.readouterr().out
    assert run(["report", str(saved), "-q"]) == 0
    assert capsys.readouterr().out.startswith("inconclusive: ")


def test_with_output_nothing_is_printed(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who names a file wants the file; - is the JSON report."""
    capsys.readouterr()
    assert run(["report", str(saved), "-o", "again.md"]) == 0
    assert capsys.readouterr().out == ""
    assert run(["report", str(saved), "-o", "-"]) == 0
    assert capsys.readouterr().out == saved.read_text("utf-8")


def test_a_compressed_report_is_read(saved: Path) -> None:
    """Archives keep reports compressed."""
    Path("old.json.gz").write_bytes(gzip.compress(saved.read_bytes()))
    assert run(["report", "old.json.gz", "-o", "again.json"]) == 0
    assert Path("again.json").read_bytes() == saved.read_bytes()


def test_the_rule_is_cited_with_line_reason_and_controls(saved: Path) -> None:
    """The report says where each limit stands in the policy and what it keeps from passing."""
    (rule,) = json.loads(saved.read_text())["rules"]
    cited = {key: rule[key] for key in ("rule", "line", "breaks", "why", "controls")}
    expected = {"rule": "kind", "line": 4, "breaks": True, "why": "Nobody deserves it.", "controls": ["A.1"]}
    assert cited == expected


def test_an_older_report_without_new_keys_is_read(saved: Path) -> None:
    """Keys that came later have defaults: a report of an earlier 1.x stays readable."""
    rules = json.loads(saved.read_text())["rules"]
    for rule in rules:
        for key in ("rule", "line", "breaks", "why", "controls"):
            del rule[key]
    change(saved, rules=rules)
    assert run(["report", str(saved), "-o", "again.sarif", "-o", "again.junit.xml"]) == 0
    assert '"startLine": 1' in Path("again.sarif").read_text()
    assert 'type="inconclusive"' in Path("again.junit.xml").read_text()


def test_a_statement_about_other_bytes_is_warned_of(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A digest that is not that of the file at hand is no surprise to whoever signs it."""
    capsys.readouterr()
    run(["report", str(saved), "-o", "a.intoto.json"])
    assert "warning" not in capsys.readouterr().err
    change(saved)
    assert run(["report", str(saved), "-o", "a.intoto.json"]) == 0
    assert "warning: the statement names the report by the bytes" in capsys.readouterr().err


@pytest.mark.parametrize("version", ["1.1", "1.10", "2.0", "2"])
def test_a_newer_report_is_refused(saved: Path, version: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of a newer report would be a wrong one: it is refused with what wrote it and what to do."""
    assert run(["report", str(change(saved, schema_version=version))]) == 2
    err = capsys.readouterr().err
    assert f"has schema version {version}, written by valueaudit" in err
    assert "reads up to 1.0" in err
    assert "help: update valueaudit" in err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("# notes", "is truncated or no JSON"),
        ("[]", "is no report of valueaudit"),
        ("{}", "is no report of valueaudit"),
        ('{"schema_version": "1.0", "tool": {"name": "other", "version": "1"}}', 'it says "other"'),
        ('{"schema_version": "new", "tool": {"name": "valueaudit", "version": "1"}}', 'no schema version but "new"'),
        ('{"schema_version": "1.0", "tool": {"name": "valueaudit", "version": "1"}}', "is no whole report"),
    ],
)
def test_what_is_no_report_is_refused(
    folder: Path, content: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty, foreign and halved files are told apart, and nothing is written."""
    Path("x.json").write_text(content)
    assert run(["report", "x.json", "-o", "x.md"]) == 2
    assert told in capsys.readouterr().err
    assert not Path("x.md").exists()


def test_a_truncated_report_is_refused(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that was cut off in transfer is not rendered as far as it goes."""
    content = saved.read_bytes()
    for size in (1, len(content) // 2, len(content) - 3):
        saved.write_bytes(content[:size])
        assert run(["report", str(saved)]) == 2
        assert "is truncated" in capsys.readouterr().err


def test_records_are_no_report(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever names the records instead is told which command takes them."""
    assert run(["report", "records.jsonl"]) == 2
    assert "help: valueaudit check RECORDS" in capsys.readouterr().err


def test_a_missing_report_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The name is in the message."""
    assert run(["report", "gone.json"]) == 2
    assert '"gone.json"' in capsys.readouterr().err


def test_only_the_flag_adds_to_a_job_summary(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering again in the job that scanned does not put a second page into its summary, unless asked to."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "s.md")
    assert run(["report", str(saved)]) == 0
    assert not Path("s.md").exists()
    assert run(["report", str(saved), "--github"]) == 0
    assert Path("s.md").read_bytes() == Path("scan.md").read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_disk_is_told_and_does_not_cost_the_others(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be written is named and ends with exit code 4; the other documents are there."""
    Path("full.md").symlink_to("/dev/full")
    assert run(["report", str(saved), "-o", "full.md", "-o", "again.csv"]) == 4
    assert "no space left" in capsys.readouterr().err
    assert Path("again.csv").read_bytes() == Path("scan.csv").read_bytes()
