from __future__ import annotations

from typing import Any

import pytest

from read_logs import carried, left_out, only, only_reason, read_document, read_lines, read_log, transcripts, words
from valueaudit.readers.claude_ai import CLAUDE_AI, is_claude_ai
from valueaudit.transcript import BadRecord, Location, Transcript


def said(sender: str, text: str, **fields: Any) -> dict[str, Any]:
    """A message with one block of text."""
    return {"sender": sender, "content": [{"type": "text", "text": text}], "text": text, **fields}


def export(*messages: Any, **fields: Any) -> list[dict[str, Any]]:
    """An export of one conversation."""
    return [{"uuid": "c1", "name": "T", "chat_messages": list(messages), **fields}]


def read_messages(*messages: Any) -> Transcript:
    """The conversation of these."""
    return only(read_document(export(*messages)))


def test_one_conversation() -> None:
    """A conversation has its id, its metadata and its place in the array."""
    (record,) = export(said("human", "May I?"), said("assistant", "Yes."), account={"uuid": "u1"})
    transcript = only(read_document([record]))
    assert transcript.id == "c1"
    assert transcript.location == Location("log", None, "/0")
    assert words(transcript) == [("user", "May I?"), ("assistant", "Yes.")]
    assert transcript.metadata == {"name": "T", "account": {"uuid": "u1"}}


def test_one_conversation_as_a_document() -> None:
    """The export of one conversation is read, in one line and in several."""
    (record,) = export(said("human", "May I?"))
    assert only(read_lines(record)).location == Location("log", 1, None)
    assert only(read_document(record)).location == Location("log", 1, None)


def test_conversations_under_a_name() -> None:
    """All conversations under `conversations` are read, each at its place, a broken one too."""
    (record,) = export(said("human", "May I?"))
    good, bad = read_document({"conversations": [record, 3]})
    assert isinstance(good, Transcript)
    assert good.location == Location("log", 1, "/conversations/0")
    assert bad == BadRecord(Location("log", 1, "/conversations/1"), "a number, not an object")


def test_branches() -> None:
    """The way to the current leaf is read, else the newest one, and the others are counted."""
    messages = [
        said("human", "a", uuid="a", parent_message_uuid="00000000-0000-4000-8000-000000000000"),
        said("assistant", "b", uuid="b", parent_message_uuid="a", created_at="2026-01-01T10:00:00Z"),
        said("assistant", "c", uuid="c", parent_message_uuid="a", created_at="2026-01-01T09:00:00Z"),
    ]
    newest = only(read_document(export(*messages)))
    assert (words(newest), newest.branches) == ([("user", "a"), ("assistant", "b")], 1)
    current = only(read_document(export(*messages, current_leaf_message_uuid="c")))
    assert words(current) == [("user", "a"), ("assistant", "c")]


def test_the_same_uuid_twice_loses_nothing() -> None:
    """Messages that share a uuid are all read."""
    assert len(read_messages(said("human", "a", uuid="a"), said("assistant", "b", uuid="a")).messages) == 2


@pytest.mark.parametrize(
    ("fields", "text", "attachments"),
    [
        ({"text": "old"}, "old", ()),
        ({"content": None, "text": "old"}, "old", ()),
        ({"content": "plain", "text": "old"}, "plain", ()),
        ({"content": [], "text": "old"}, "old", ()),
        (
            {"content": [{"type": "text", "text": None}], "text": "old"},
            "old",
            ('part of type "text without its text"',),
        ),
        ({"content": [{"type": "odd"}], "text": "old"}, "old", ('part of type "odd"',)),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "text": "old"}, "a\nb", ()),
        ({"content": [], "text": 3}, "", ()),
    ],
    ids=repr,
)
def test_text_and_content(fields: dict[str, Any], text: str, attachments: tuple[str, ...]) -> None:
    """The blocks are what was said; where they hold no text the field `text` is."""
    (message,) = read_messages({"sender": "human", **fields}).messages
    assert (message.text, message.attachments) == (text, attachments)


def test_blocks_that_are_not_speech() -> None:
    """Thinking, calls of tools with their results, and artifacts are attachments."""
    content = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "tool_use", "name": "artifacts", "input": {"title": "Letter"}},
        {"type": "tool_result", "content": [{"type": "text", "text": "OK"}, None]},
        {"type": "text", "text": "Here."},
    ]
    (message,) = read_messages({"sender": "assistant", "content": content}).messages
    assert message.text == "Here."
    assert message.attachments == (
        "thinking, not read",
        'tool call artifacts({"title":"Letter"})',
        "tool result: OK",
        'part of type "null in the place of a part"',
    )


def test_a_placeholder_is_not_speech() -> None:
    """What the export writes in the place of blocks that are no text is not read."""
    placeholder = "```\nThis block is not supported on your current device yet.\n```"
    content = [{"type": "tool_use", "name": "f"}]
    transcript = read_messages({"sender": "assistant", "content": content, "text": placeholder})
    assert (words(transcript), carried(transcript)) == ([("assistant", "")], [("tool call f()",)])


def test_thinking_in_tags() -> None:
    """Thinking that older answers hold in tags is taken out of the assistant's text, never of the user's."""
    text = "<antThinking>One.</antThinking>\n\nHere is <antArtifact>it</antArtifact>."
    user, assistant = read_messages(said("human", text), said("assistant", text)).messages
    assert user.text == text
    assert assistant.text == "Here is <antArtifact>it</antArtifact>."
    assert assistant.attachments == ("thinking, not read",)


def test_files() -> None:
    """Files and what was read out of them are attachments, each named once."""
    files = {
        "attachments": [{"file_name": "a.txt", "extracted_content": "Dear\nall"}, "x"],
        "files": [{"file_name": "b.png"}],
        "files_v2": [{"file_name": "b.png"}],
    }
    transcript = read_messages(said("human", "Read it.", **files))
    assert words(transcript) == [("user", "Read it.")]
    assert carried(transcript) == [("file a.txt: Dear all", "file", "file b.png")]


def test_an_empty_conversation_is_left_out() -> None:
    """A conversation that was never begun holds no speech, nor does an export without conversations."""
    assert len(left_out(read_document(export()))) == 1
    assert transcripts(read_document(export())) == []


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"chat_messages": None}, '"chat_messages" is null, not a list'),
        ({"chat_messages": ["x"]}, "chat_messages[0] is a string, not an object"),
        ({"chat_messages": [{"sender": "x"}]}, 'chat_messages[0] has the unknown sender "x"'),
        ({"chat_messages": [said("human", "a"), {"text": "b"}]}, 'chat_messages[1] has no "sender"'),
    ],
    ids=repr,
)
def test_broken_conversations(record: Any, reason: str) -> None:
    """A broken conversation is one bad record that says what is wrong without its text."""
    assert only_reason(read_document([record])) == reason


@pytest.mark.parametrize("value", [None, [], "x", {}, {"conversations": []}, {"conversations": [{"from": "human"}]}])
def test_other_records_are_not_taken(value: Any) -> None:
    """An object with other conversations is not taken."""
    assert not is_claude_ai(value)


def test_example_is_read() -> None:
    """The example of the format is one conversation."""
    assert words(only(read_log(CLAUDE_AI.example))) == [
        ("user", "May I return a worn coat?"),
        ("assistant", "Yes, within 30 days."),
    ]
