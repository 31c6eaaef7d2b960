from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from samples import build_line, write_conversations, write_logs
from valueaudit.cli.inputs import AUTO, Inputs, build_reading, open_stdin, plan_inputs
from valueaudit.errors import InputError, UsageError
from valueaudit.transcript import BadRecord, Location, Transcript

UNKNOWN = '{"topic": "x", "n": 1}'


def test_bytes_are_counted_as_they_are_read(folder: Path) -> None:
    """Progress knows the size of all files, and ends there."""
    write_conversations(folder / "a.jsonl", 3)
    write_logs(folder / "b.jsonl", [build_line(id="x"), build_line(id="y")])
    inputs = plan_inputs(["a.jsonl", "b.jsonl"])
    total = sum(os.path.getsize(name) for name in ("a.jsonl", "b.jsonl"))
    assert (inputs.bytes_read, inputs.bytes_total) == (0, total)
    assert len(list(inputs)) == 5
    assert inputs.bytes_read == total


def test_a_pipe_has_no_size() -> None:
    """What comes through standard input has no known end."""
    inputs = Inputs(["-"], build_reading(), io.BytesIO(build_line(id="a").encode()))
    assert inputs.bytes_total is None
    (found,) = inputs
    assert isinstance(found, Transcript)
    assert found.location.source == "-"


def test_the_same_words_under_the_same_id_count_once(folder: Path) -> None:
    """Copies are counted for the file they lie in; the same words under two ids are two conversations."""
    lines = [build_line(id="a"), build_line(id="b"), build_line(id="a"), build_line("Hi", "Ho", id="a")]
    write_logs(folder / "a.jsonl", lines)
    write_logs(folder / "b.jsonl", [build_line(), build_line(), build_line(id="b")])
    inputs = plan_inputs(["a.jsonl", "b.jsonl"])
    assert [item.location.line for item in inputs] == [1, 2, 4, 1]
    assert [(info.conversations, info.duplicates) for info in inputs.infos] == [(3, 1), (1, 2)]


def test_a_file_that_changes_meanwhile_is_told(folder: Path) -> None:
    """What is written to, or removed, while it is read is marked; a file that lies still is not."""
    for name in ("a.jsonl", "b.jsonl", "c.jsonl"):
        write_logs(folder / name, [build_line(id=name), build_line(id=name + "2")])
    inputs = plan_inputs(["a.jsonl", "b.jsonl", "c.jsonl"])
    for item in inputs:
        if item.location == Location("a.jsonl", 1):
            with (folder / "a.jsonl").open("a") as log:
                log.write(build_line(id="late") + "\n")
        elif item.location == Location("b.jsonl", 1):
            (folder / "b.jsonl").unlink()
    assert [info.changed for info in inputs.infos] == [True, True, False]


def test_names_that_look_alike_are_counted_together(folder: Path) -> None:
    """Two names that differ in bytes which are no text share one line of the report, and nothing is lost."""
    for byte in (b"\xfe", b"\xff"):
        write_logs(folder / os.fsdecode(b"l" + byte + b".jsonl"), [build_line(id=repr(byte))])
    inputs = plan_inputs(["."])
    assert len(list(inputs)) == 2
    assert [(info.path, info.conversations) for info in inputs.infos] == [("./l\ufffd.jsonl", 2)]


def test_a_named_file_of_no_format_is_refused_at_once(folder: Path) -> None:
    """Nothing is read of the others; a broken line may belong to a log, so the file is then read."""
    write_conversations(folder / "a.jsonl", 1)
    write_logs(folder / "b.jsonl", [UNKNOWN])
    with pytest.raises(InputError, match=r'"b\.jsonl" cannot be understood'):
        plan_inputs(["a.jsonl", "b.jsonl"])
    write_logs(folder / "b.jsonl", [UNKNOWN, "{"])
    assert all(isinstance(item, BadRecord) for item in plan_inputs(["b.jsonl"]))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ('{"messages": [{"sender": "user", "text": "Hi"}]}', 'looks like chat, but messages[0] has no "role"'),
        ('{"messages": [{"role": "narrator", "content": "Hi"}]}', 'messages[0] has the unknown role "narrator"'),
    ],
)
def test_a_file_that_only_looks_like_a_format_is_refused(folder: Path, record: str, said: str) -> None:
    """Where another shape would read what the format cannot, that is said before anything is judged."""
    write_logs(folder / "a.jsonl", [record] * 3)
    with pytest.raises(InputError) as refused:
        plan_inputs(["a.jsonl"])
    assert said in refused.value.message
    assert "--map messages=/messages,role=/" in (refused.value.help or "")
    assert all(isinstance(item, BadRecord) for item in plan_inputs(["a.jsonl"], "chat"))
    write_logs(folder / "a.jsonl", [record, build_line(id="a")])
    assert [type(item) for item in plan_inputs(["a.jsonl"])] == [BadRecord, Transcript]


def test_what_a_format_cannot_read_in_any_shape_is_read_as_bad(folder: Path) -> None:
    """Its own reason says more than a refusal would."""
    write_logs(folder / "a.jsonl", ['{"messages": []}'])
    (bad,) = plan_inputs(["a.jsonl"])
    assert isinstance(bad, BadRecord)
    assert bad.reason == '"messages" is empty'


def test_an_archive_is_refused_where_none_of_its_members_is_a_log(folder: Path) -> None:
    """One that is known is enough, and the others are left out."""
    for name, members in (("a.zip", [UNKNOWN]), ("b.zip", [UNKNOWN, build_line(id="a")])):
        with zipfile.ZipFile(name, "w") as archive:
            for number, line in enumerate(members):
                archive.writestr(f"{number}.jsonl", line)
    with pytest.raises(InputError, match=r'"a\.zip/0\.jsonl" cannot be understood'):
        plan_inputs(["a.zip"])
    inputs = plan_inputs(["b.zip"])
    assert [str(item.location) for item in inputs] == ["b.zip/1.jsonl:1"]
    assert [info.left_out for info in inputs.infos] == [1, 0]
    assert inputs.first_unknown is not None


def test_a_file_that_says_nothing_yet_is_no_unknown_one(folder: Path) -> None:
    """An empty file is planned, and found to be empty when it is read."""
    Path("a.jsonl").touch()
    assert list(plan_inputs(["a.jsonl"])) == []


def test_formats_and_mappings_are_checked() -> None:
    """A name that is none is refused with those that are; a mapping goes without a format."""
    assert build_reading(AUTO)
    assert build_reading("chat")
    assert build_reading(mapping="user=a,assistant=b")
    with pytest.raises(UsageError, match='"x" is no input format'):
        build_reading("x")
    with pytest.raises(UsageError, match="contradict"):
        build_reading("chat", "user=a,assistant=b")


def test_a_closed_standard_input_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the caller closed it, there is nothing to read and nothing fails."""

    def refuse(_: int) -> int:
        raise OSError

    with open_stdin() as stream:
        assert stream.readable()
    monkeypatch.setattr(os, "dup", refuse)
    assert open_stdin().read() == b""
