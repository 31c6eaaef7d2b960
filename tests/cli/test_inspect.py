from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from samples import build_line, write_conversations, write_logs
from valueaudit.cli.main import run
from valueaudit.files import LOG_ENDINGS

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "valueaudit")


@pytest.fixture
def shown(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Runs `inspect` on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    return Shown(capsys)


class Shown:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.errors = ""

    def __call__(self, *arguments: str, code: int = 0) -> list[str]:
        """The lines on standard output."""
        assert run(["inspect", *arguments]) == code
        told = self._capsys.readouterr()
        self.errors = told.err
        return told.out.splitlines()


def test_a_log_is_shown_as_it_is_understood(shown: Shown) -> None:
    """Format, counts, metadata, problems, and the first conversations with their places."""
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}
    record = {"id": "b", "topic": "x", "messages": [{"role": "user", "content": "Is it\n open?"}, call]}
    write_logs(Path("in.jsonl"), [build_line("Hi", "Hello", id="a"), "{x", json.dumps(record), build_line(id="c")])
    assert shown("in.jsonl", code=4) == [
        "in.jsonl: chat, 3 conversations, 6 messages, 1 attachment, 1 bad record",
        "metadata: topic",
        "1 without any text of the assistant: they cannot be judged",
        "bad record at in.jsonl:2: not valid JSON: expecting property name enclosed in",
        "  double quotes at character 2",
        "",
        "a at in.jsonl:1",
        "  user:      Hi",
        "  assistant: Hello",
        "",
        "b at in.jsonl:3",
        "  user:      Is it open?",
        "  assistant: (no text)",
        "             (tool call f({}))",
    ]


def test_as_many_are_shown_as_are_asked_for(shown: Shown) -> None:
    """None at all is a number too."""
    write_conversations(Path("in.jsonl"), 4)
    assert shown("in.jsonl", "-n", "0") == ["in.jsonl: chat, 4 conversations, 8 messages"]
    assert sum(" at in.jsonl:" in line for line in shown("in.jsonl", "-n", "3")) == 3


def test_long_things_are_cut(shown: Shown) -> None:
    """Texts, messages, attachments, fields and bad records are counted where they are too many to show."""
    many = {f"field{n:02}": n for n in range(15)}
    attachments = [f"note {n}" for n in range(7)]
    first = {"role": "user", "content": "x" * 300, "attachments": attachments}
    messages = [first, *({"role": "assistant", "content": str(n)} for n in range(9))]
    write_logs(Path("in.jsonl"), [json.dumps({"id": "a", "messages": messages, **many}), *["{"] * 6])
    lines = shown("in.jsonl", code=4)
    text = "\n".join(lines)
    assert "field11 and 3 more" in text
    assert "and 1 more bad record\n" in text
    assert "(300 characters)" in text
    assert "(and 2 more attachments)" in text
    assert lines[-1] == "  and 2 more messages"


def test_hostile_words_fit_and_do_nothing(shown: Shown) -> None:
    """Escapes are shown as text, markup is no markup, and even wide characters stay within the columns."""
    name = os.fsdecode(b"n\xff[b]\x1b[31m.jsonl")
    words = ("\x1b[2J\u202e[bold]" * 20, "表" * 150 + " [link=x]y[/link]")
    write_logs(Path(name), [build_line(*words, id="\x1b]0;owned\x07" * 12, **{"\x1b[0m": 1})])
    lines = shown(name)
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[2J\\u202e[bold]" in text
    assert "n\ufffd[b]\\x1b[31m.jsonl: chat" in text
    assert "[link=x]y[/link]" in text
    assert max(map(cell_len, lines)) <= 80


def test_a_narrow_terminal_is_enough(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty columns hold everything."""
    monkeypatch.setenv("COLUMNS", "10")
    write_conversations(Path("in.jsonl"), 1)
    assert max(map(len, shown("in.jsonl"))) <= 40


def test_a_terminal_without_unicode_gets_ascii(folder: Path) -> None:
    """Whatever the words are, what is printed can be printed."""
    write_logs(Path("in.jsonl"), [build_line("Grüße " * 60, "…", id="a")])
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([*PROGRAM, "inspect", "in.jsonl"], capture_output=True, check=True, env=environment)
    assert b"Gr\\xfc\\xdfe" in done.stdout
    assert b"... (360 characters)" in done.stdout


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"], ids=["empty", "blank", "mark"])
def test_an_empty_file_is_no_success(shown: Shown, content: bytes) -> None:
    """It says that nothing is in it, and where to look for what is read."""
    Path("in.jsonl").write_bytes(content)
    assert shown("in.jsonl", code=4) == [
        "in.jsonl: nothing in it",
        "no conversation was found in 1 file",
        "valueaudit formats lists what is read, with an example of each",
    ]


def test_bad_records_alone_speak_for_themselves(shown: Shown) -> None:
    """Where the format is known, its own reasons say what to do."""
    write_logs(Path("in.jsonl"), ['{"messages": []}'])
    assert shown("in.jsonl", code=4)[1:] == [
        'bad record at in.jsonl:1: "messages" is empty',
        "no conversation was found in 1 file",
        "each bad record says why; valueaudit formats lists what is read, with an",
        "  example of each",
    ]


def test_a_file_without_a_conversation_beside_others_says_what_to_try(shown: Shown) -> None:
    """One log that is not read gets its advice, though another one is."""
    write_conversations(Path("in.jsonl"), 1)
    Path("chat.txt").write_text("[01/31/26, 10:00:00] Ann: Hi\n[01/31/26, 10:00:09] Bot: Hello\n")
    lines = shown("in.jsonl", "chat.txt", "--conversations", "0", code=4)
    assert lines[-2:] == [
        '"chat.txt" gave no conversation: each bad record says why; valueaudit formats',
        "  lists what is read, with an example of each",
    ]
    Path("d").mkdir()
    write_logs(Path("d/a.jsonl"), ['{"messages": [{"sender": "user", "text": "Hi"}]}'])
    told = " ".join(line.strip() for line in shown("in.jsonl", "chat.txt", "d", "-n", "0", code=4))
    assert '"d/a.jsonl" gave no conversation: try --map messages=/messages,role=/sender,text=/text, and' in told


def test_a_folder_of_something_else_says_what_to_try(shown: Shown) -> None:
    """Where nobody said that a file is a log it is left out, and still explained when nothing else is there."""
    for name in ("a.json", "b.json"):
        Path(name).write_text('{"q": "Is it open?", "a": "Until five."}\n')
    lines = shown(".", code=4)
    assert lines[:2] == [f"./{name}.json: no known format, 1 record left out" for name in "ab"]
    assert lines[2] == "no conversation was found in 2 files"
    assert lines[3].startswith("try --map user=q,assistant=a, ")


def test_standard_input_is_looked_at_too(folder: Path) -> None:
    """What comes through a pipe is told like a file, and an unknown record of it explained."""
    done = subprocess.run(
        [*PROGRAM, "inspect", "-"],
        input='{"q": "Is it open?", "a": "No."}',
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert 'bad record at -:1: no known format; the fields are "q", "a"' in done.stdout
    assert "try --map user=q,assistant=a" in done.stdout


def test_a_very_long_line_is_shown_short(shown: Shown) -> None:
    """A message of megabytes costs a few lines."""
    write_logs(Path("in.jsonl"), [build_line("y" * 3_000_000, "Hello", id="a")])
    lines = shown("in.jsonl")
    assert len(lines) < 12
    assert any("(3,000,000 characters)" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rec.jsonl"], '"rec.jsonl" is a records file of valueaudit, no chat log'),
        (["rep.json"], '"rep.json" is a report of valueaudit, no chat log'),
        (["nosuch.jsonl"], 'no such file or folder "nosuch.jsonl"'),
        (
            ["u.json"],
            '"u.json" cannot be understood: no known format; the fields are "d" (a list of objects with "speaker"',
        ),
    ],
)
def test_what_is_no_log_is_refused(shown: Shown, arguments: list[str], said: str) -> None:
    """Our own documents, missing files and unknown formats are told apart, with exit code 2."""
    write_conversations(Path("in.jsonl"), 1)
    assert run(["scan", "in.jsonl", "--records", "rec.jsonl", "-o", "rep.json", "-q"]) == 0
    Path("u.json").write_text('{"d": [{"speaker": "Ann", "said": "Well, hello."}]}')
    shown(*arguments, code=2)
    assert said in shown.errors
    assert "help: " in shown.errors
    assert "Well" not in shown.errors
    assert "Ann" not in shown.errors


def test_a_reader_that_goes_away_ends_nothing_badly(folder: Path) -> None:
    """`inspect | head` neither fails nor complains."""
    write_conversations(Path("in.jsonl"), 3)
    command = f"'{sys.executable}' -m valueaudit inspect in.jsonl | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_refusal_that_the_page_shows(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/formats.md shows word for word what is said of the example in a shape of its own."""
    monkeypatch.chdir(ROOT)
    shown("examples/calls.json", code=2)
    assert shown.errors in (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


def test_the_page_names_what_a_folder_is_searched_for() -> None:
    """Every ending of a log stands on the page."""
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8").split("## How a format is told")[0]
    assert all(f"`{ending.removesuffix('.gz').removesuffix('.zst')}`" in page for ending in LOG_ENDINGS)
