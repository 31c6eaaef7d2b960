from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from samples import write_conversations
from valueaudit.cli.judge_options import Duration
from valueaudit.cli.main import run
from valueaudit.cli.progress import Progress
from valueaudit.cli.terminal import has_color, is_ascii_only, width_of
from valueaudit.record import Cost
from valueaudit.registry import FORMATS, KINDS
from valueaudit.tally import Tally


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2 H", 7200), (30, 30)])
def test_durations_have_units(text: Any, seconds: float) -> None:
    """Seconds are the unit where none is given."""
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "soon", "1d", "1h30m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """The refusal shows how one is written."""
    with pytest.raises(click.BadParameter, match="no duration"):
        Duration().convert(text, None, None)


@pytest.mark.parametrize(
    ("environment", "stream", "expected"),
    [
        ({}, Terminal(), True),
        ({}, io.StringIO(), False),
        ({"NO_COLOR": "1"}, Terminal(), False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, Terminal(), False),
        ({"FORCE_COLOR": "1"}, io.StringIO(), True),
        ({"TERM": "dumb"}, Terminal(), False),
    ],
)
def test_colour_follows_the_conventions(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], stream: io.StringIO, expected: bool
) -> None:
    """NO_COLOR wins, then FORCE_COLOR, then what the stream is."""
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert has_color(stream) is expected


def test_width_is_that_of_the_terminal_or_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS decides everywhere; nothing is ever narrower than forty."""
    assert width_of(io.StringIO()) == 100
    monkeypatch.setenv("COLUMNS", "80")
    assert width_of(io.StringIO()) == width_of(Terminal()) == 80
    monkeypatch.setenv("COLUMNS", "5")
    assert width_of(Terminal()) == 40


def test_streams_without_unicode_are_known() -> None:
    """Only UTF encodings carry more than ASCII safely."""
    assert not is_ascii_only(Terminal())
    assert is_ascii_only(io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))


@pytest.mark.parametrize("document", ["report", "records", "policy"])
def test_schemas_are_valid(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each printed schema is itself valid under draft 2020-12."""
    assert run(["schema", document]) == 0
    Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


def test_written_documents_fit_their_schemas(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A foreign validator accepts the report and every line of the records."""
    write_conversations(folder / "logs.jsonl", 3)
    (folder / "bad.jsonl").write_text("no JSON\n")
    run(["scan", "logs.jsonl", "bad.jsonl", "--records", "r.jsonl", "-q"])
    capsys.readouterr()
    run(["schema", "report"])
    report_schema = json.loads(capsys.readouterr().out)
    run(["schema", "records"])
    records_schema = json.loads(capsys.readouterr().out)
    Draft202012Validator(report_schema).validate(json.loads(Path("valueaudit-report.json").read_text()))
    lines = Path("r.jsonl").read_text().splitlines()
    assert len(lines) == 6
    for line in lines:
        Draft202012Validator(records_schema).validate(json.loads(line))


def test_progress_is_drawn_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversations, rate, errors and spend; nothing at all in a log file."""
    tally = Tally(sampled=7, classified=5, bad_records=1)
    for stream, drawn in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stderr", stream)
        with Progress(total=100, position=lambda: 50, cost=lambda: Cost(calls=5, usd=0.25), quiet=False) as progress:
            progress(tally)
            progress._bar.refresh()
        told = stream.getvalue()
        assert ("7 conversations" in told) is drawn
        assert ("2 not classified" in told) is drawn
        assert ("$0.2500" in told) is drawn
        assert ("50%" in told) is drawn


@pytest.mark.parametrize(
    ("cost", "said"), [(Cost(calls=1), "price unknown"), (Cost(), "7 conversations")], ids=["unknown", "free"]
)
def test_progress_without_a_price_or_a_size(monkeypatch: pytest.MonkeyPatch, cost: Cost, said: str) -> None:
    """An unknown price is said to be unknown; a pipe has no percentage."""
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    with Progress(total=None, position=lambda: 0, cost=lambda: cost, quiet=False) as progress:
        progress(Tally(sampled=7))
        progress._bar.refresh()
    assert said in stream.getvalue()
    assert "%" not in stream.getvalue()


def test_every_registered_name_leads_to_something_callable() -> None:
    """The tables hold functions, and the endings of outputs begin with a dot."""
    assert all(callable(known.recognises) and callable(known.start) for known in FORMATS)
    assert all(ending.startswith(".") and callable(kind.render) for ending, kind in KINDS.items())
