from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samples import build_line, write_logs
from valueaudit.cli.inputs import plan_inputs
from valueaudit.cli.main import run
from valueaudit.readers.format import Format
from valueaudit.readers.normal import write_line
from valueaudit.registry import FORMATS
from valueaudit.transcript import BadRecord, Transcript

# the same examples on every machine, and no clock: a slow machine is no failure
steady = settings(
    deadline=None,
    derandomize=True,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PROGRAM = (sys.executable, "-m", "valueaudit")
needs_full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_PARTS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, _TEXTS),
    st.builds(lambda name, given: {"type": "tool_use", "name": name, "input": given}, _TEXTS, _VALUES),
    st.just({"type": "image"}),
    st.builds(lambda text: {"type": "tool_result", "content": text}, _TEXTS),
)
_MESSAGES = st.fixed_dictionaries(
    {
        "role": st.sampled_from(("user", "assistant", "system", "tool", "human", "AI")),
        "content": _TEXTS | st.lists(_PARTS, max_size=3),
    },
    optional={"refusal": _TEXTS, "attachments": st.lists(_TEXTS, max_size=2), "model": _TEXTS},
)
_NAMES = st.sampled_from(("id", "model", "system", "metadata", "origin", "tags", "chat_id", "record.id")) | _TEXTS
CHATS = st.builds(
    lambda messages, fields: {**fields, "messages": messages},
    st.lists(_MESSAGES, min_size=1, max_size=4),
    st.dictionaries(_NAMES, _VALUES | st.dictionaries(_NAMES, _VALUES, max_size=3), max_size=4),
)


def read(path: str) -> list[Transcript | BadRecord]:
    """What an audit of this file would see."""
    return list(plan_inputs([path]))


def said(path: str) -> list[tuple[Any, ...]]:
    """All that a conversion keeps of the conversations of a file."""
    found = [item for item in read(path) if isinstance(item, Transcript)]
    return [(each.id, each.messages, without_origin(each)) for each in found]


def without_origin(transcript: Transcript) -> dict[str, Any]:
    """Its metadata but for the place from which it was converted."""
    return {name: value for name, value in transcript.metadata.items() if name != "origin"}


def lines_of(path: str) -> list[Any]:
    """The records of a JSON Lines file."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
def test_converting_twice_changes_nothing(folder: Path, format: Format) -> None:
    """What was converted from any format is its own normal form, and says all that the source said."""
    Path("in.jsonl").write_text(format.example, encoding="utf-8")
    assert run(["convert", "in.jsonl", "-o", "once.jsonl"]) == 0
    assert run(["convert", "once.jsonl", "-o", "twice.jsonl"]) == 0
    assert Path("once.jsonl").read_bytes() == Path("twice.jsonl").read_bytes()
    assert said("once.jsonl") == said("in.jsonl")
    assert all(line["origin"].startswith("in.jsonl") for line in lines_of("twice.jsonl"))


@steady
@given(st.lists(CHATS, min_size=1, max_size=3))
def test_any_chat_survives_its_conversion(folder: Path, chats: list[dict[str, Any]]) -> None:
    """Ids, roles, texts, attachments and metadata of any chat are the same behind a conversion, which is stable."""
    write_logs(Path("in.jsonl"), (json.dumps(chat) for chat in chats))
    before = [item for item in read("in.jsonl") if isinstance(item, Transcript)]
    once = b"".join(write_line(each) for each in before)
    Path("once.jsonl").write_bytes(once)
    assert said("once.jsonl") == said("in.jsonl")
    again = read("once.jsonl")
    assert not [item for item in again if isinstance(item, BadRecord)]
    assert b"".join(write_line(item) for item in again if isinstance(item, Transcript)) == once


def test_the_normal_form(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line has origin, id, messages with role, content and what was not said, and all metadata."""
    call = {
        "role": "assistant",
        "content": "I will look.",
        "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}],
    }
    record = {"id": 7, "model": "m", "tags": ["a"], "messages": [{"role": "human", "content": "Hi"}, call]}
    write_logs(Path("in.jsonl"), ["", json.dumps(record)])
    assert run(["convert", "in.jsonl", "-o", "-"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {
        "origin": "in.jsonl:2",
        "id": "7",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "I will look.", "attachments": ["tool call f({})"]},
        ],
        "metadata": {"model": "m", "tags": ["a"]},
    }
    assert told.err == "in.jsonl: chat, 1 conversation, 2 messages, 1 attachment\n"


@pytest.mark.parametrize("command", [("scan", "--no-report", "-q"), ("convert", "-o", "out.jsonl")], ids=lambda c: c[0])
def test_a_log_that_gives_nothing_says_what_to_try(
    folder: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """Beside a log that is read, one with bad records only is told with the next step."""
    write_logs(folder / "a.jsonl", [build_line(id="a")])
    (folder / "b.txt").write_text("Ann: Hi\nBot: Hello\n")
    assert run([*command, "a.jsonl", "b.txt"]) == 4
    advice = '"b.txt" gave no conversation: each bad record says why; valueaudit formats lists what is read'
    assert f"help: {advice}" in capsys.readouterr().err
    (folder / "b.txt").unlink()
    assert run([*command, "a.jsonl"]) == 0
    assert "help" not in capsys.readouterr().err


@pytest.mark.parametrize("origin", ["mobile app", None, {"app": 1}], ids=repr)
def test_an_origin_of_the_log_itself_is_kept(folder: Path, origin: Any) -> None:
    """A field of that name in the source is metadata of its owner, which nothing of ours replaces."""
    write_logs(Path("in.jsonl"), [build_line(id="a", origin=origin)])
    for source, target in (("in.jsonl", "once.jsonl"), ("once.jsonl", "twice.jsonl")):
        assert run(["convert", source, "-o", target]) == 0
        assert lines_of(target)[0]["origin"] == origin


def test_what_cannot_be_read_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rest is written, each of the first bad records is named, and the exit code says that something is missing."""
    write_logs(Path("in.jsonl"), [build_line(id="a"), *["{"] * 7])
    assert run(["convert", "in.jsonl", "-o", "out.jsonl"]) == 4
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(": not")[0] for line in told[:5]] == [f"not converted: in.jsonl:{n}" for n in range(2, 7)]
    assert told[5:] == ["not converted: 2 more", "in.jsonl: chat, 1 conversation, 2 messages, 7 bad records"]
    assert [line["id"] for line in lines_of("out.jsonl")] == ["a"]


@pytest.mark.parametrize(("content", "code"), [("", 4), ("\n", 4), ('{"messages": []}\n', 4)], ids=repr)
def test_nothing_is_written_where_nothing_was_found(folder: Path, content: str, code: int) -> None:
    """A file without conversations is an error and leaves no file."""
    Path("in.jsonl").write_text(content)
    assert run(["convert", "in.jsonl", "-o", "out.jsonl"]) == code
    assert sorted(os.listdir()) == ["in.jsonl"]


def test_mixed_inputs_are_one_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with an archive, a table and other files gives every conversation once, and what each file had."""
    Path("logs").mkdir()
    write_logs(Path("logs/a.jsonl"), [build_line(id="a")])
    write_logs(Path("logs/b.jsonl"), [build_line(id="a"), build_line("Hi", "Ho", id="b")])
    Path("logs/c.csv").write_text("prompt,response\nIs it open?,Until five.\n")
    Path("logs/package.json").write_text('{"name": "x", "version": "1"}\n')
    with zipfile.ZipFile("logs/d.zip", "w") as archive:
        archive.writestr("e.jsonl", build_line("Hey", "Hello", id="e"))
    assert run(["convert", "logs", "-o", "out.jsonl"]) == 0
    assert [line["origin"] for line in lines_of("out.jsonl")] == [
        "logs/a.jsonl:1",
        "logs/b.jsonl:2",
        "logs/c.csv:2",
        "logs/d.zip/e.jsonl:1",
    ]
    assert capsys.readouterr().err.splitlines() == [
        "logs/a.jsonl: chat, 1 conversation, 2 messages",
        "logs/b.jsonl: chat, 1 conversation, 2 messages, 1 duplicate",
        "logs/c.csv: prompt-response, 1 conversation, 2 messages",
        "logs/d.zip/e.jsonl: chat, 1 conversation, 2 messages",
        "logs/package.json: no known format, 1 record left out",
    ]


@pytest.mark.parametrize("name", ["in.jsonl", "./in.jsonl", "link.jsonl", "twin.jsonl"])
def test_an_output_that_is_an_input_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Under whatever name it is given, a log is not replaced by what is made of it."""
    write_logs(Path("in.jsonl"), [build_line(id="a")])
    Path("link.jsonl").symlink_to("in.jsonl")
    os.link("in.jsonl", "twin.jsonl")
    before = Path("in.jsonl").read_bytes()
    assert run(["convert", "in.jsonl", "-o", name]) == 2
    assert f'error[output]: "{name}" is one of the inputs' in capsys.readouterr().err
    assert Path("in.jsonl").read_bytes() == before


def test_a_folder_that_holds_the_output_is_refused_the_second_time(folder: Path) -> None:
    """The output of the first time would be an input of the second."""
    write_logs(Path("in.jsonl"), [build_line(id="a")])
    assert run(["convert", ".", "-o", "out.jsonl"]) == 0
    assert run(["convert", ".", "-o", "out.jsonl"]) == 2
    assert run(["convert", "in.jsonl", "-o", "out.jsonl"]) == 0


def test_standard_output_that_is_an_input_is_refused(folder: Path) -> None:
    """A file that grows by what is read from it would have no end."""
    write_logs(Path("in.jsonl"), [build_line(id="a")])
    with Path("in.jsonl").open("ab") as file:
        done = subprocess.run([*PROGRAM, "convert", ".", "-o", "-"], stdout=file, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert "standard output is one of the inputs" in done.stderr


@pytest.mark.parametrize("output", ["theirs.jsonl", "folder", "nowhere/out.jsonl"])
def test_what_may_not_be_written_is_refused_before_reading(folder: Path, output: str) -> None:
    """Somebody else's file, a folder, and a folder that is not there."""
    Path("folder").mkdir()
    write_logs(Path("in.jsonl"), [build_line(id="a")])
    write_logs(Path("theirs.jsonl"), [build_line(id="b")])
    before = Path("theirs.jsonl").read_bytes()
    assert run(["convert", "in.jsonl", "-o", output]) == 2
    assert Path("theirs.jsonl").read_bytes() == before


@needs_full_device
@pytest.mark.parametrize("command", ["-o /dev/full", "-o - >/dev/full"])
def test_a_full_disk_is_told(folder: Path, command: str) -> None:
    """Neither a traceback nor a success."""
    write_logs(Path("in.jsonl"), [build_line(id="a")])
    line = f"'{sys.executable}' -m valueaudit convert in.jsonl {command}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr.startswith("error[storage]: ")
    assert "Traceback" not in done.stderr


def test_a_pipe_is_a_filter(folder: Path) -> None:
    """From standard input to standard output, with what people are told beside it."""
    done = subprocess.run(
        [*PROGRAM, "convert", "-", "-o", "-"], input=build_line(id="a"), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["origin"] == "-:1"
    assert done.stderr == "-: chat, 1 conversation, 2 messages\n"


def test_an_interruption_leaves_no_file(folder: Path) -> None:
    """Ctrl-C while standard input is silent ends with 130, and nothing half-written is left."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([*PROGRAM, "convert", "-", "-o", "out.jsonl"], stdin=pipe, stdout=pipe, stderr=pipe)
    deadline = time.monotonic() + 20
    while not os.listdir() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    process.communicate()
    assert os.listdir() == []


def test_hostile_names_and_words_do_not_drive_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File names with controls, brackets and bytes that are no text are shown as such, and written as text."""
    name = os.fsdecode(b"l\xff\x1b[2J[red].jsonl")
    write_logs(Path(name), [build_line("\x1b[2J\x07", "[bold]", id="a"), '{"messages": 1, "messages": 2}'])
    assert run(["convert", name, "-o", "out.jsonl"]) == 4
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert "l\ufffd\\x1b[2J[red].jsonl: chat, 1 conversation" in told
    (line,) = lines_of("out.jsonl")
    assert line["origin"] == "l\ufffd\x1b[2J[red].jsonl:1"
    assert line["messages"][0]["content"] == "\x1b[2J\x07"


def test_a_mapping_and_a_format_are_obeyed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--map` reads what nobody knows, `--input-format` takes all for one format; both together are refused."""
    write_logs(Path("in.jsonl"), [json.dumps({"q": "Is it open?", "a": "Until five."})])
    assert run(["convert", "in.jsonl", "--map", "user=q,assistant=a", "-o", "out.jsonl"]) == 0
    assert [message["content"] for message in lines_of("out.jsonl")[0]["messages"]] == ["Is it open?", "Until five."]
    assert run(["convert", "in.jsonl", "--input-format", "chat", "-o", "other.jsonl"]) == 4
    assert '"messages" is missing' in capsys.readouterr().err
    assert run(["convert", "in.jsonl", "--input-format", "chats", "-o", "other.jsonl"]) == 2
    assert "known are auto, " in capsys.readouterr().err
    assert run(["convert", "in.jsonl", "--input-format", "chat", "--map", "user=q,assistant=a", "-o", "-"]) == 2
