from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from loopback import Answer, Asked, JudgeServer, build_reply
from samples import REPLY, build_line, write_logs
from valueaudit.cli.main import run

REFUSAL = ("How do I pick my neighbour's lock?", "I can't help with breaking into someone else's home.")


@pytest.fixture
def records(folder: Path) -> Path:
    """The records of a scan over three conversations."""
    lines = [
        build_line(*REFUSAL, id="refused"),
        build_line("\x1b[31mHi", "Hello [bold]there[/bold].\nHow are you?", id="[red]x[/]"),
        build_line("Anyone here?", id="alone"),
    ]
    write_logs(folder / "logs.jsonl", lines)
    assert run(["scan", "logs.jsonl", "--records", "records.jsonl", "--no-report", "-q"]) == 0
    return folder / "records.jsonl"


def test_a_conversation_is_read_from_its_source(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The text comes from the log file, with what was noted and where."""
    assert run(["show", "records.jsonl", "refused"]) == 0
    shown = capsys.readouterr().out
    assert "refused at logs.jsonl:1" in shown
    assert "[M1] assistant" in shown
    assert REFUSAL[1] in shown
    assert "response type strong_resistance" in shown


def test_text_cannot_drive_the_terminal(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Escapes become visible, markup stays text, and line breaks stay line breaks."""
    assert run(["show", "records.jsonl", "[red]x[/]"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\\x1b[31mHi" in shown
    assert "Hello [bold]there[/bold].\nHow are you?" in shown


def test_an_unclassified_conversation_says_why(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to mark, but the reason is told."""
    assert run(["show", "records.jsonl", "alone"]) == 0
    assert "not classified: no assistant message" in capsys.readouterr().out


def test_the_source_may_lie_beside_the_records(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run from elsewhere, the source is looked for beside the records file."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert run(["show", str(records), "refused"]) == 0
    assert REFUSAL[1] in capsys.readouterr().out


def test_a_conversation_that_spans_files_is_read_from_all(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The request of a batch is found in its own file, in the order in which the scan read them."""
    for number, (question, reply) in enumerate([REFUSAL, ("Anyone here?", "I am.")]):
        body = {"model": "m", "messages": [{"role": "user", "content": question}]}
        answer = {"object": "chat.completion", "choices": [{"message": {"role": "assistant", "content": reply}}]}
        write_logs(folder / f"{number}-in.jsonl", [json.dumps({"custom_id": "a", "body": body})])
        write_logs(folder / f"{number}-out.jsonl", [json.dumps({"custom_id": "a", "response": {"body": answer}})])
    write_logs(folder / "other.jsonl", [build_line(id="b")])
    assert run(["scan", ".", "--records", "records.jsonl", "--no-report", "-q"]) == 0
    assert run(["show", "records.jsonl", "a"]) == 0
    shown = capsys.readouterr().out
    first, second = shown.split("a at ./1-out.jsonl:1")
    assert all(text in first for text in REFUSAL)
    assert "Anyone here?" in second
    assert "I am." in second


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        ("unknown id", 'has no conversation "nobody"'),
        ("source gone", "is not here"),
        ("source changed", "no longer has"),
        ("not records", "no records file"),
    ],
)
def test_what_cannot_be_shown_is_told(
    records: Path, capsys: pytest.CaptureFixture[str], break_it: str, said: str
) -> None:
    """Each refusal says what is missing and what to do."""
    wanted = "nobody" if break_it == "unknown id" else "refused"
    if break_it == "source gone":
        Path("logs.jsonl").unlink()
    elif break_it == "source changed":
        write_logs(Path("logs.jsonl"), [build_line(*REFUSAL, id="another")])
    elif break_it == "not records":
        records.write_text('{"messages": []}\n')
    assert run(["show", "records.jsonl", wanted]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "help:" in told


@pytest.mark.parametrize(("answer", "said"), [("yes", "confirmed"), ("no", "refuted"), ("unclear", "not confirmed")])
def test_declared_values_are_noted(
    server: JudgeServer, folder: Path, capsys: pytest.CaptureFixture[str], answer: str, said: str
) -> None:
    """What the policy asked about is marked where it was seen, with what the second question said."""

    def behave(asked: Asked) -> Answer:
        if asked.is_confirmation:
            return Answer(json.dumps({"answer": answer, "message": 1, "quote": REPLY[:20]}))
        reply = build_reply(asked, human_values=[{"value": "family", "message": 0, "quote": "my brother"}])
        reply["declared"]["deception"] = {"state": "shown", "message": 1, "quote": REPLY[:20]}
        return Answer(json.dumps(reply))

    server.behaviour = behave
    (folder / "p.yaml").write_text("version: 1\npolicy: p\nprohibited: [{id: r, value: deception, at_most: 50%}]\n")
    write_logs(folder / "logs.jsonl", [build_line(id="c")])
    judge = ("-m", "openai/test", "--api-base", server.base)
    run(["scan", "logs.jsonl", "-p", "p.yaml", "--records", "r.jsonl", "--no-report", "-q", *judge])
    capsys.readouterr()
    assert run(["show", "r.jsonl", "c"]) == 0
    shown = capsys.readouterr().out
    assert f"declared deception: shown, {said}" in shown
    assert "the user states family" in shown
    assert "clarity (positive)" in shown


def test_members_of_an_archive_are_told_apart(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Conversations of one id on the same line of two members are each shown with their own words."""
    with zipfile.ZipFile(folder / "logs.zip", "w") as archive:
        for name in ("a", "b"):
            archive.writestr(f"{name}.jsonl", build_line("Hi", f"Words of {name}.", id="c"))
    assert run(["scan", "logs.zip", "--records", "records.jsonl", "--no-report", "-q"]) == 0
    assert run(["show", "records.jsonl", "c"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("assistant\nWords of a.") == shown.count("assistant\nWords of b.") == 1


def test_a_format_that_was_forced_is_forced_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is shown was read as the scan read it, though the table would now choose another format."""
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
    record = {"id": "c", "messages": said, "chosen": said, "rejected": said}
    write_logs(folder / "logs.jsonl", [json.dumps(record)])
    forced = ["--input-format", "chat", "--records", "records.jsonl", "--no-report", "-q"]
    assert run(["scan", "logs.jsonl", *forced]) == 0
    assert run(["show", "records.jsonl", "c"]) == 0
    assert "[M1] assistant\nHello." in capsys.readouterr().out


def test_a_conversation_inside_of_an_object_is_found_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What only held it together is taken off as in the scan."""
    (folder / "a.json").write_text(f'{{"data": [{build_line(id="x")}, {build_line("Hi", "Hello", id="y")}]}}')
    assert run(["scan", "a.json", "--records", "records.jsonl", "--no-report", "-q"]) == 0
    assert run(["show", "records.jsonl", "y"]) == 0
    assert "y at a.json:1/data/1" in capsys.readouterr().out
