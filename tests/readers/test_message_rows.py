from __future__ import annotations

import json
from typing import Any

import pytest
from dataset_reading import read_lines, read_one, read_text, reason_of, said, transcripts

from valueaudit.readers.message_rows import MESSAGE_ROWS
from valueaudit.transcript import BadRecord, Location, Message, Role

SAID = [("user", "Is it open?"), ("assistant", "Until five.")]


def row(role: str, text: Any, **fields: Any) -> dict[str, Any]:
    """One message of the conversation c1, unless another is given."""
    return {"conversation_id": "c1", "role": role, "content": text, **fields}


def test_rows_that_interleave_are_told_apart_by_the_id() -> None:
    """Each conversation has its messages in the order of the file, and the place of its first row."""
    items = read_lines(
        row("user", "Is it open?"),
        row("user", "Hi", conversation_id="c2"),
        row("assistant", "Until five."),
        row("assistant", "Hello", conversation_id="c2"),
    )
    first, second = transcripts(items)
    assert (first.id, said(first), first.location) == ("c1", SAID, Location("log.jsonl", 1, None))
    assert (second.id, said(second)) == ("c2", [("user", "Hi"), ("assistant", "Hello")])
    assert second.location.line == 2


@pytest.mark.parametrize(
    ("early", "late"),
    [
        ({"turn": 1}, {"turn": 2}),
        ({"turn": "9"}, {"turn": "10"}),
        ({"timestamp": "2026-01-01T09:00:00Z"}, {"timestamp": "2026-01-01T09:30:00+00:00"}),
        ({"created_at": "2026-01-01 09:00"}, {"created_at": "2026-01-01T09:00:01Z"}),
        ({"created_at": 1.5}, {"created_at": 2}),
        ({"turn": 1, "timestamp": 5}, {"turn": 1, "timestamp": 6}),
    ],
)
def test_rows_are_put_into_the_order_in_which_they_were_said(early: dict[str, Any], late: dict[str, Any]) -> None:
    """A turn or a time decides over the order of the file."""
    items = read_lines(row("assistant", "Until five.", **late), row("user", "Is it open?", **early))
    assert said(transcripts(items)[0]) == SAID


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"turn": 2}, {}),
        ({"timestamp": "later"}, {"timestamp": "earlier"}),
        ({"turn": 10**400}, {"turn": 1}),
        ({"turn": None}, {"turn": 1}),
    ],
)
def test_without_an_order_that_every_row_has_the_file_decides(first: dict[str, Any], second: dict[str, Any]) -> None:
    """An order that is known of some rows only is none."""
    items = read_lines(row("user", "Is it open?", **first), row("assistant", "Until five.", **second))
    assert said(transcripts(items)[0]) == SAID


def test_what_is_the_same_in_all_rows_is_metadata() -> None:
    """Fields that differ are of messages; the model is that of the assistant, the time that of the first message."""
    items = read_lines(
        row("user", "Is it open?", id=1, lang="en", user_id="u1", rating=1, timestamp=7, model="nobody"),
        row("assistant", "Until five.", id=2, lang="en", user_id="u1", rating=2, timestamp=8, model="m-1", more=True),
        row("user", "Thanks", id=3, lang="en", user_id="u1", rating=1, timestamp=9),
    )
    (found,) = transcripts(items)
    assert found.metadata == {"lang": "en", "user_id": "u1", "more": True, "timestamp": 7, "model": "m-1"}


@pytest.mark.parametrize(
    ("role", "text", "key"),
    [("Role", "Content", "Conversation ID"), ("sender", "text", "sessionId"), ("speaker", "utterance", "dialogue_id")],
)
def test_columns_are_told_however_they_are_written(role: str, text: str, key: str) -> None:
    """Case, signs and common other names make no difference."""
    items = read_lines({key: 4, role: "Human", text: "Is it open?"}, {key: 4, role: "AI", text: "Until five."})
    (found,) = transcripts(items)
    assert (found.id, said(found)) == ("4", SAID)


def test_tool_calls_of_a_row_are_attachments() -> None:
    """A row may hold what a message of the OpenAI shape holds."""
    calls = [{"function": {"name": "hours", "arguments": "{}"}}]
    (found,) = transcripts(read_lines(row("assistant", None, tool_calls=calls)))
    assert found.messages == (Message(Role.ASSISTANT, "", ("tool call hours({})",)),)


def test_an_array_of_bare_messages_is_one_conversation() -> None:
    """Its place is the whole document, to which the empty pointer leads."""
    messages = [{"role": "user", "content": "Is it open?"}, {"role": "assistant", "content": "Until five.", "ts": 3}]
    items, formats = read_text(json.dumps(messages))
    (found,) = transcripts(items)
    assert formats == ("message-rows",)
    assert (said(found), found.location) == (SAID, Location("log.jsonl", None, ""))


def test_lines_of_bare_messages_are_one_conversation() -> None:
    """Messages that name no conversation are one, from the first line on."""
    items = read_lines({"role": "user", "content": "Is it open?"}, {"role": "assistant", "content": "Until five."})
    (found,) = transcripts(items)
    assert (said(found), found.location.line) == (SAID, 1)


def test_a_role_that_nobody_knows_is_a_bad_record() -> None:
    """The other messages of the conversation are read."""
    found, bad = sorted(
        read_lines(row("user", "Hi"), row("narrator", "x")), key=lambda item: isinstance(item, BadRecord)
    )
    assert isinstance(bad, BadRecord)
    assert bad.reason.startswith('record has the unknown role "narrator"; known are user')
    assert said(transcripts([found])[0]) == [("user", "Hi")]


@pytest.mark.parametrize("record", [5, {}, {"role": "user"}, {"role": "user", "content": 5}])
def test_forced_onto_something_else_it_says_what_is_missing(record: Any) -> None:
    """A forced format refuses what is not its own, with a reason."""
    assert reason_of(record, MESSAGE_ROWS)


@pytest.mark.parametrize(
    "record",
    [
        5,
        {"role": "user", "content": "x", "session": {}},
        {"role": "admin", "content": "x"},
        {"role": "user", "content": {"a": 1}},
        {"role": "assistant", "type": "message", "content": [], "stop_reason": "end_turn"},
        {"sender": "Ann", "text": "x", "conversation_id": "c"},
        {"role": "user", "text": "x"},
        {"role": "user", "text": 5, "conversation_id": "c"},
        {"role": 5, "text": "x", "conversation_id": "c"},
        {"conversation_id": "c", "text": "x"},
        {"conversation_id": "c", "role": "user"},
        {"conversationId": "c", "sender": "user", "text": "x", "isCreatedByUser": True},
    ],
)
def test_other_rows_are_not_taken(record: Any) -> None:
    """Without a known role, a text or the id of a conversation a row is no message."""
    assert not MESSAGE_ROWS.recognises(record)


def test_a_single_bare_message_is_a_conversation() -> None:
    """One message alone is read, at its line."""
    assert said(read_one({"role": "user", "content": "Hi"}, "message-rows")) == [("user", "Hi")]
