from __future__ import annotations

from typing import Any

import pytest

from read_logs import carried, force, left_out, only, only_reason, read_document, read_lines, read_log, words
from valueaudit.readers.scout import SCOUT, is_scout
from valueaudit.transcript import Location, Transcript


def record(*messages: Any, **fields: Any) -> dict[str, Any]:
    """A transcript of these messages."""
    return {"transcript_id": "t1", "source_type": "eval_log", "messages": list(messages), **fields}


def test_one_transcript() -> None:
    """A transcript has its id, its messages, and as metadata all else that it says, its own metadata first."""
    said = [{"role": "user", "content": "May I?"}, {"role": "assistant", "content": "Yes."}]
    about = {"model": "m-1", "score": 1, "limit": None, "events": [{"event": "model"}], "metadata": {"topic": "x"}}
    transcript = only(read_lines(record(*said, **about)))
    assert (transcript.id, transcript.location) == ("t1", Location("log", 1, None))
    assert words(transcript) == [("user", "May I?"), ("assistant", "Yes.")]
    assert transcript.metadata == {"source_type": "eval_log", "model": "m-1", "score": 1, "topic": "x"}


def test_messages_of_inspect() -> None:
    """Messages are read as those of Inspect: attachments resolved, calls of tools named."""
    call = {"id": "c", "function": "look", "arguments": {"a": 1}}
    said = {"role": "assistant", "content": "attachment://1", "tool_calls": [call]}
    transcript = only(read_document([record(said, attachments={"1": "I look."})]))
    assert (words(transcript), carried(transcript)) == ([("assistant", "I look.")], [('tool call look({"a":1})',)])


def test_an_index_is_left_out() -> None:
    """What says of a transcript only what it is about holds no speech."""
    assert len(left_out(read_lines({"transcript_id": "t1", "source_id": "x"}, record()))) == 2


@pytest.mark.parametrize(
    ("messages", "reason"),
    [("x", '"messages" is a string, not a list'), (["x"], "messages[0] is a string, not an object")],
)
def test_broken_transcripts(messages: Any, reason: str) -> None:
    """A broken transcript is one bad record that says what is wrong without its text."""
    assert only_reason(read_lines({"transcript_id": "t1", "messages": messages})) == reason


@pytest.mark.parametrize("value", [None, [], "x", {}, {"transcript_id": "t"}, {"messages": []}], ids=repr)
def test_other_records_are_not_taken(value: Any) -> None:
    """An object of another kind is not taken."""
    assert not is_scout(value)


def test_example_is_read() -> None:
    """The example of the format is one conversation."""
    assert words(only(read_log(SCOUT.example))) == [
        ("user", "May I return a worn coat?"),
        ("assistant", "Yes, within 30 days."),
    ]


def test_a_forced_record_without_an_id() -> None:
    """It gets one from its words."""
    (item,) = force(SCOUT, {"messages": [{"role": "user", "content": "a"}]})
    assert isinstance(item, Transcript)
    assert item.id.startswith("sha256:")
