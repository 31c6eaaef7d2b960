from __future__ import annotations

import os
import subprocess
import sys

import pytest
from rich.cells import cell_len

from valueaudit.cli.main import run
from valueaudit.readers.format import Format
from valueaudit.registry import FORMATS

PROGRAM = (sys.executable, "-m", "valueaudit")


def test_every_format_is_listed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Name, title and the beginning of an example that fits the terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for format in FORMATS:
        place = lines.index(f"{format.name}: {format.title}")
        example = lines[place + 1]
        assert example.startswith(f"    {format.example.split()[0]}")
        assert cell_len(example) <= 80


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
def test_an_example_is_a_file(capsys: pytest.CaptureFixture[str], format: Format) -> None:
    """On standard output stands what would lie in a file, and nothing else; the title is told beside it."""
    assert run(["formats", format.name]) == 0
    told = capsys.readouterr()
    assert told.out == format.example
    assert told.err == f"{format.name}: {format.title}\n"


@pytest.mark.parametrize(
    ("name", "said"), [("sharegtp", 'did you mean "sharegpt"? known are '), ("zzz", "help: known")]
)
def test_an_unknown_format_is_refused(capsys: pytest.CaptureFixture[str], name: str, said: str) -> None:
    """The nearest name is offered, and all are named."""
    assert run(["formats", name]) == 2
    told = capsys.readouterr().err
    assert f'"{name}" is no input format' in told
    assert said in told


def test_a_terminal_without_unicode_gets_ascii() -> None:
    """Cuts are three dots there."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "COLUMNS": "60"}
    done = subprocess.run([*PROGRAM, "formats"], capture_output=True, check=True, env=environment)
    assert b"...\n" in done.stdout
