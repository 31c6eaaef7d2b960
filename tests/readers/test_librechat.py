from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from read_logs import carried, left_out, only, only_reason, read_document, read_lines, read_log, words
from valueaudit.readers.librechat import LIBRECHAT, is_librechat
from valueaudit.transcript import Item, Location, Transcript

NOBODY = "00000000-0000-0000-0000-000000000000"


def said(key: str, parent: str | None, text: Any, **fields: Any) -> dict[str, Any]:
    """A message; those whose key begins with u are the user's."""
    own = {"messageId": key, "parentMessageId": parent, "isCreatedByUser": key.startswith("u"), "text": text}
    return own | fields


def read_messages(*messages: Any, **fields: Any) -> Transcript:
    """The conversation of these."""
    return only(read_document({"conversationId": "c1", "messages": list(messages), **fields}))


def test_one_conversation() -> None:
    """A conversation has its id, its messages in order, and metadata with model, user and time."""
    transcript = read_messages(
        said("u1", None, "May I?", user="u7", createdAt="2026-01-01T10:00:00Z"),
        said("a1", "u1", "Yes.", model="m-1"),
        title="T",
        options={"model": "m-2", "temperature": 0.5, "promptPrefix": None, "presetId": None},
    )
    assert (transcript.id, transcript.location) == ("c1", Location("log", 1, None))
    assert words(transcript) == [("user", "May I?"), ("assistant", "Yes.")]
    assert transcript.metadata == {
        "title": "T",
        "temperature": 0.5,
        "model": "m-1",
        "user": "u7",
        "createdAt": "2026-01-01T10:00:00Z",
    }


def test_the_prompt_is_a_system_message_after_the_last() -> None:
    """A prompt in the options is a system message behind the others, so that their indexes stay."""
    transcript = read_messages(said("u1", None, "a"), options={"promptPrefix": "Be kind.", "model": "m-2"})
    assert words(transcript) == [("user", "a"), ("system", "Be kind.")]
    assert transcript.metadata == {"model": "m-2"}


def test_branches_in_a_list() -> None:
    """In a list with branches the newest one is read, and the others are counted, a second first question too."""
    transcript = read_messages(
        said("u1", NOBODY, "a", createdAt="2026-01-01T10:00:00Z"),
        said("a1", "u1", "b", createdAt="2026-01-01T10:00:01Z"),
        said("a2", "u1", "c", createdAt="2026-01-01T10:00:02Z"),
        said("u2", NOBODY, "d", createdAt="2026-01-01T09:00:00Z"),
        said("a3", "u2", "e", createdAt="2026-01-01T09:00:01Z"),
    )
    assert words(transcript) == [("user", "a"), ("assistant", "c")]
    assert transcript.branches == 2


def test_messages_below_each_other() -> None:
    """Messages that hang below each other are read along the last branch, with or without their keys."""
    answer = said("a2", "u1", "c", children=[{"isCreatedByUser": True, "text": "d"}])
    transcript = read_messages(said("u1", NOBODY, "a", children=[said("a1", "u1", "b"), answer]), recursive=True)
    assert words(transcript) == [("user", "a"), ("assistant", "c"), ("user", "d")]
    assert transcript.branches == 1


def nested(length: int) -> dict[str, Any]:
    """A conversation in which so many messages hang below each other."""
    last: dict[str, Any] = said("a0", None, "a")
    for index in range(1, length):
        last = said(f"u{index}", None, "a", children=[last])
    return {"conversationId": "c1", "messages": [last]}


@pytest.mark.parametrize("read", [read_document, read_lines])
def test_a_long_conversation_below_each_other(read: Callable[[Any], list[Item]]) -> None:
    """Three hundred messages below each other are read, however deep that is; more of them are refused by number."""
    assert len(only(read(nested(300))).messages) == 300
    assert only_reason(read(nested(301))) == "more than 300 messages below each other"


@pytest.mark.parametrize("field", ["children", "tree"])
def test_depth_beside_the_messages_counts(field: str) -> None:
    """What is nested otherwise, in a message or beside them, is refused where it is too deep."""
    inner: Any = []
    for _ in range(60):
        inner = {"children": [inner]}
    record = {"conversationId": "c", "messages": [said("u1", None, "a", x=inner)]}
    assert only_reason(read_lines(record)) == "nested more than 100 levels deep"
    assert only_reason(read_lines({**record, "messages": [], field: inner})) == "nested more than 100 levels deep"


def test_a_key_twice_below_other_messages() -> None:
    """A message far below that says its text twice is refused."""
    line = json.dumps(nested(5)).replace('"messageId": "a0"', '"messageId": "a0", "text": "b"')
    assert only_reason(read_log(line)) == 'duplicate key "text"'


def test_older_name_of_the_tree() -> None:
    """A tree under `messagesTree` is read like one under `messages`."""
    record = {"conversationId": "c1", "messagesTree": [said("u1", None, "a", children=[said("a1", "u1", "b")])]}
    assert words(only(read_document(record))) == [("user", "a"), ("assistant", "b")]


def test_senders() -> None:
    """Without a mark who created it, a message of the sender User is the user's, and every other an assistant's."""
    names = ("user", "User ", "GPT-4", "Software Engineer")
    transcript = read_messages(
        {"messageId": "m", "sender": "User", "text": ""}, *({"sender": n, "text": n} for n in names)
    )
    assert [role for role, _ in words(transcript)] == ["user", "user", "user", "assistant", "assistant"]


def test_parts() -> None:
    """Text is read from parts; thoughts, calls of tools with their results, images and files are attachments."""
    content = [
        {"type": "think", "think": "hm"},
        {"type": "text", "text": {"value": "One."}},
        {"type": "text", "text": "Two."},
        {"type": "tool_call", "tool_call": {"name": "f", "args": "{}", "output": "ok"}},
        {"type": "tool_call", "tool_call": {"name": "g", "args": {"a": 1}}},
        {"type": "image_file", "image_file": {}},
        {"type": "image_url", "image_url": {}},
        {"type": "text"},
        None,
    ]
    transcript = read_messages(said("a1", None, "", content=content, files=[{"filename": "a.pdf"}], attachments=["x"]))
    assert words(transcript) == [("assistant", "One.\nTwo.")]
    assert carried(transcript) == [
        (
            "thinking, not read",
            "tool call f({})",
            "tool result: ok",
            'tool call g({"a":1})',
            "image",
            "image",
            'part of type "text without its text"',
            'part of type "null in the place of a part"',
            "file a.pdf",
            "file",
        )
    ]


def test_an_error_is_no_answer() -> None:
    """The text of an error is the program's, not the assistant's."""
    transcript = read_messages(said("u1", None, "a"), said("a1", "u1", '{"type": "quota"}', error=True))
    assert words(transcript)[1] == ("assistant", "")
    assert carried(transcript)[1] == ("error, no answer",)


def test_an_empty_conversation_is_left_out() -> None:
    """A conversation without messages holds no speech."""
    assert len(left_out(read_document({"conversationId": "c", "messages": []}))) == 1


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        (None, '"messages" is null, not a list'),
        (["x"], "a message is a string, not an object"),
        ([{"messageId": "m", "text": "a"}], 'a message has no "isCreatedByUser" and no "sender"'),
        ([said("u1", None, None)], 'a message has no "text" and no "content"; its "text" is null'),
    ],
    ids=repr,
)
def test_broken_conversations(messages: Any, reason: str) -> None:
    """A broken conversation is one bad record that says what is wrong without its text."""
    assert only_reason(read_document({"conversationId": "c", "messages": messages})) == reason


@pytest.mark.parametrize(
    "value", [None, [], "x", {}, {"conversationId": "c"}, {"conversationId": "c", "messages": [{"role": "user"}]}]
)
def test_other_records_are_not_taken(value: Any) -> None:
    """An object with other messages is not taken."""
    assert not is_librechat(value)


def test_example_is_read() -> None:
    """The example of the format is one conversation."""
    assert words(only(read_log(LIBRECHAT.example))) == [
        ("user", "May I return a worn coat?"),
        ("assistant", "Yes, within 30 days."),
    ]
