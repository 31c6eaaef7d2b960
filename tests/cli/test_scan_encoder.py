"""The encoder, chosen on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from samples import QUESTION, REPLY, build_line, write_conversations
from valueaudit.classifiers.embedded_model import load_card
from valueaudit.classifiers.encoder_model import SLOWER
from valueaudit.classifiers.pool import CHARACTERS_FOR_ONE_MORE
from valueaudit.cli.main import run


def scan(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The report of a scan that passes."""
    assert run(["scan", "logs.jsonl", "-o", "-", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_encoder_judges_without_a_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report names it, with its own counts, and calls what it says a screening."""
    write_conversations(folder / "logs.jsonl", 3)
    report = scan(capsys, "-m", "encoder", "-q")
    assert report["coverage"]["classified"] == 3
    judge = report["classifier"]
    assert (judge["model"], judge["assessed"]) == ("encoder", "screening")
    assert judge["calibration"]["adverse"]["true_positives"] == load_card("encoder").counts["adverse"].true_positives


def test_the_default_has_a_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who wants to write down what is judged with can: `embedded` is what no model means."""
    write_conversations(folder / "logs.jsonl", 3)
    named, unnamed = scan(capsys, "-m", "embedded", "-q"), scan(capsys, "-q")
    assert named["classifier"] == unnamed["classifier"]
    assert named["profile"] == unnamed["profile"]


def test_the_encoder_says_where_text_goes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nowhere, also with several processes, which start sooner since it takes longer."""
    text = REPLY + " x" * (CHARACTERS_FOR_ONE_MORE // SLOWER // 2)
    lines = [build_line(QUESTION, text, id="long"), *(build_line(QUESTION, REPLY, id=str(n)) for n in range(40))]
    (folder / "logs.jsonl").write_text("\n".join(lines))
    assert run(["scan", "logs.jsonl", "-m", "encoder", "--processes", "2", "--no-report"]) == 0
    assert "the embedded encoder; no text leaves this machine" in capsys.readouterr().out


@pytest.mark.parametrize("flag", [["--api-base", "http://127.0.0.1:1/v1"], ["--param", "seed=1"], ["--unprimed"]])
def test_flags_of_a_judge_are_refused(flag: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The encoder is asked nothing, so nothing can be said to it."""
    write_conversations(folder / "logs.jsonl", 1)
    assert run(["scan", "logs.jsonl", "-m", "encoder", *flag]) == 2
    assert f"{flag[0]} needs a model" in capsys.readouterr().err
