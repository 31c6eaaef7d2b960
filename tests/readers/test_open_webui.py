from __future__ import annotations

from typing import Any

import pytest

from read_logs import carried, left_out, only, only_reason, read_document, read_lines, read_log, words
from valueaudit.readers.open_webui import OPEN_WEBUI, is_open_webui
from valueaudit.transcript import Location, Transcript


def said(parent: str | None, role: str, content: Any, **fields: Any) -> dict[str, Any]:
    """A message below `parent`."""
    return {"parentId": parent, "childrenIds": [], "role": role, "content": content, **fields}


def row(nodes: dict[str, Any], current: str | None = None, **fields: Any) -> dict[str, Any]:
    """A chat with these messages."""
    return {
        "id": "c1",
        "user_id": "u1",
        "title": "T",
        "chat": {"history": {"messages": nodes, "currentId": current}, **fields},
    }


def read_answer(content: Any, **fields: Any) -> Transcript:
    """The conversation of one answer."""
    return only(read_document([row({"a": said(None, "assistant", content, **fields)})]))


def test_one_conversation() -> None:
    """A chat has its id, its messages, and metadata of its row and of itself with the model of the first answer."""
    nodes = {"a": said(None, "user", "May I?"), "b": said("a", "assistant", "Yes.", model="m-1")}
    transcript = only(read_document([row(nodes, "b", models=["m-2"], tags=["coat"])]))
    assert (transcript.id, transcript.location) == ("c1", Location("log", None, "/0"))
    assert words(transcript) == [("user", "May I?"), ("assistant", "Yes.")]
    assert transcript.metadata == {
        "user_id": "u1",
        "title": "T",
        "models": ["m-2"],
        "tags": ["coat"],
        "model": "m-1",
    }


def test_answers_of_several_models_are_branches() -> None:
    """The current answer is read, and what other models answered is counted."""
    nodes = {
        "a": said(None, "user", "a"),
        "b": said("a", "assistant", "b", timestamp=2),
        "c": said("a", "assistant", "c", timestamp=1),
    }
    for current, text in (("c", "c"), (None, "b")):
        transcript = only(read_document([row(nodes, current)]))
        assert words(transcript) == [("user", "a"), ("assistant", text)]
        assert transcript.branches == 1


def test_the_system_prompt_comes_first() -> None:
    """A system prompt of the chat or of its parameters is the first message."""
    nodes = {"a": said(None, "user", "a")}
    for fields in ({"system": "Be kind."}, {"params": {"system": "Be kind."}}):
        assert words(only(read_document([row(nodes, **fields)]))) == [("system", "Be kind."), ("user", "a")]


def test_messages_in_a_list() -> None:
    """Where there is no history, the list of messages is read."""
    listed = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    record = {"id": "c1", "user_id": "u1", "chat": {"id": "inner", "messages": listed}}
    assert words(only(read_lines(record))) == [("user", "a"), ("assistant", "b")]


def test_a_chat_without_its_row() -> None:
    """A chat is read without the row of the table around it, by its own id and models."""
    history = {"messages": {"a": said(None, "user", "a"), "b": None}, "current_id": "a"}
    transcript = only(read_lines({"id": "c2", "history": history, "models": [None, "m-2"], "messages": []}))
    assert (transcript.id, transcript.metadata) == ("c2", {"models": [None, "m-2"], "model": "m-2"})


def test_what_is_folded_away() -> None:
    """Thoughts and calls of tools in an answer are attachments, with what the tool was called with."""
    content = (
        '<details type="reasoning" done="true"><summary>Thought</summary>\n&gt; hm\n</details>\n'
        '<details type="tool_calls" done="true" name="look" arguments="{&quot;a&quot;: 1}">\n</details>\n'
        '<details type="code_interpreter" done="true"><summary>x</summary>\n</details>\n'
        "Yes. <details>shown</details>"
    )
    transcript = read_answer(content)
    assert words(transcript) == [("assistant", "Yes. <details>shown</details>")]
    assert carried(transcript) == [("thinking, not read", 'tool call look({"a": 1})', "tool call code_interpreter()")]


def test_what_the_user_writes_is_not_folded() -> None:
    """The user's text is read as it is."""
    text = '<details type="reasoning">x</details>'
    assert words(only(read_document([row({"a": said(None, "user", text)})]))) == [("user", text)]


def test_files_and_errors() -> None:
    """Files and images are attachments, and an error is no answer."""
    files = [{"type": "image", "url": "x"}, {"type": "file", "name": "a.pdf"}, None]
    assert carried(read_answer("See.", files=files)) == [("image", "file a.pdf", "file")]
    assert carried(read_answer("", error={"content": "quota"})) == [("error, no answer",)]
    assert carried(read_answer("Half", error=True)) == [()]


def test_an_empty_chat_is_left_out() -> None:
    """A chat without messages holds no speech."""
    assert len(left_out(read_document([row({})]))) == 1


@pytest.mark.parametrize(
    ("node", "reason"),
    [({"content": "a"}, 'message "a" has no "role"'), ({"role": "x"}, 'message "a" has the unknown role "x"')],
)
def test_broken_chats(node: Any, reason: str) -> None:
    """A broken chat is one bad record that says what is wrong without its text."""
    assert only_reason(read_document([row({"a": node})])) == reason


@pytest.mark.parametrize(
    "value", [None, [], "x", {}, {"chat": {}}, {"chat": {"messages": []}}, {"history": {"messages": []}}]
)
def test_other_records_are_not_taken(value: Any) -> None:
    """An object with another chat or history is not taken."""
    assert not is_open_webui(value)


def test_example_is_read() -> None:
    """The example of the format is one conversation."""
    assert words(only(read_log(OPEN_WEBUI.example))) == [
        ("user", "May I return a worn coat?"),
        ("assistant", "Yes, within 30 days."),
    ]
