from __future__ import annotations

from typing import Any

import pytest

from read_logs import carried, left_out, only, only_reason, read_document, read_log, words
from valueaudit.readers.chatgpt import CHATGPT, is_chatgpt
from valueaudit.transcript import Location, Transcript


def said(role: str, *parts: Any, **fields: Any) -> dict[str, Any]:
    """A message of text."""
    return {"author": {"role": role}, "content": {"content_type": "text", "parts": list(parts)}, **fields}


def holding(role: str, content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A message of another type of content."""
    return {"author": {"role": role}, "content": content, **fields}


def chain(*messages: Any) -> dict[str, Any]:
    """Nodes n0, n1, … below each other, under a root without a message."""
    names = ["root", *(f"n{index}" for index in range(len(messages)))]
    nodes = zip(names, (None, *names), (*names[1:], None), (None, *messages), strict=False)
    return {
        name: {"id": name, "parent": parent, "children": [child] if child else [], "message": message}
        for name, parent, child, message in nodes
    }


def export(*messages: Any, **fields: Any) -> list[dict[str, Any]]:
    """An export of one conversation in which these follow each other."""
    return [{"title": "T", "create_time": 1.0, "mapping": chain(*messages), "conversation_id": "c1", **fields}]


def read_messages(*messages: Any) -> Transcript:
    """The conversation in which these follow each other."""
    return only(read_document(export(*messages)))


def test_one_conversation() -> None:
    """A conversation has its id, its metadata with the model of its first answer, and its place in the array."""
    answer = said("assistant", "Yes.", metadata={"model_slug": "m-1"})
    transcript = only(read_document(export(said("user", "May I?"), answer, default_model_slug="m-2")))
    assert transcript.id == "c1"
    assert transcript.location == Location("log", None, "/0")
    assert words(transcript) == [("user", "May I?"), ("assistant", "Yes.")]
    assert transcript.metadata == {"title": "T", "create_time": 1.0, "default_model_slug": "m-2", "model": "m-1"}
    assert transcript.branches == 0


def test_the_model_of_the_conversation_stands_in() -> None:
    """Where no answer names its model, that of the conversation does; a model of the record itself comes first."""
    assert only(read_document(export(said("user", "a"), default_model_slug="m-2"))).metadata["model"] == "m-2"
    assert only(read_document(export(said("user", "a"), model="m-0"))).metadata["model"] == "m-0"
    assert "model" not in read_messages(said("user", "a")).metadata


def test_the_current_branch_is_read() -> None:
    """The branch of `current_node` is the conversation, and the others are counted."""
    (record,) = export(said("user", "a"), said("assistant", "b"))
    record["mapping"]["n2"] = {"id": "n2", "parent": "n0", "children": [], "message": said("assistant", "other")}
    for current, text in (("n1", "b"), ("n2", "other")):
        transcript = only(read_document([{**record, "current_node": current}]))
        assert words(transcript)[-1] == ("assistant", text)
        assert transcript.branches == 1


def test_without_a_current_node_the_newest_leaf_counts() -> None:
    """Without `current_node` the leaf with the latest time is the end of the conversation."""
    (record,) = export(said("user", "a", create_time=1), said("assistant", "late", create_time=9))
    other = said("assistant", "early", create_time=5)
    record["mapping"]["n2"] = {"id": "n2", "parent": "n0", "children": [], "message": other}
    assert words(only(read_document([record])))[-1] == ("assistant", "late")


def test_a_missing_node_survives() -> None:
    """What was said before and after a missing or broken node is one conversation."""
    for broken in ({}, {"n1": None}):
        (record,) = export(said("user", "a"), said("assistant", "b"), said("user", "c"))
        del record["mapping"]["n1"]
        record["mapping"] |= broken
        assert words(only(read_document([{**record, "current_node": "n2"}]))) == [("user", "a"), ("user", "c")]


def test_nodes_without_links_follow_each_other() -> None:
    """Nodes that name neither parents nor children are read in their order."""
    mapping = {"x": {"id": "x", "message": said("user", "a")}, "y": {"id": "y", "message": said("assistant", "b")}}
    assert words(only(read_document([{"id": 1, "mapping": mapping}]))) == [("user", "a"), ("assistant", "b")]


def test_two_roots_are_two_branches() -> None:
    """Of two roots the current one is read, and the other counted."""
    mapping = chain(said("user", "a"), said("assistant", "b"))
    mapping |= {"x": {"parent": None, "message": said("user", "x")}}
    transcript = only(read_document([{"mapping": mapping, "current_node": "n1"}]))
    assert words(transcript) == [("user", "a"), ("assistant", "b")]
    assert transcript.branches == 1


def test_calls_and_results_of_tools_are_nobodys_speech() -> None:
    """What the assistant writes to a tool is an attachment, what comes back has the role tool."""
    transcript = read_messages(
        holding("assistant", {"content_type": "code", "text": 'search("x")'}, recipient="browser"),
        holding("tool", {"content_type": "tether_browsing_display", "result": "# found"}),
        holding("assistant", {"content_type": "code", "language": "python", "text": "1+1"}, recipient="all"),
        holding("tool", {"content_type": "execution_output", "text": "2"}),
        said("assistant", '{"size": 1}', recipient="dalle.text2im"),
        said("plugin", "ok"),
        said("assistant", "", recipient="browser"),
    )
    assert words(transcript) == [
        ("assistant", ""),
        ("tool", "# found"),
        ("assistant", ""),
        ("tool", "2"),
        ("assistant", ""),
        ("tool", "ok"),
    ]
    assert carried(transcript)[::2] == [
        ('tool call browser(search("x"))',),
        ("tool call python(1+1)",),
        ('tool call dalle.text2im({"size": 1})',),
    ]


def test_thoughts_are_not_read() -> None:
    """Thoughts and their recaps are named, and their text stays out."""
    transcript = read_messages(
        holding("assistant", {"content_type": "thoughts", "thoughts": [{"content": "hm"}]}),
        holding("assistant", {"content_type": "reasoning_recap", "content": "Thought for 2s"}),
        said("assistant", "hm", channel="analysis"),
        said("assistant", "So.", channel="final"),
    )
    assert words(transcript) == [("assistant", "")] * 3 + [("assistant", "So.")]
    assert carried(transcript) == [("thinking, not read",)] * 3 + [()]


def test_parts_that_are_no_text() -> None:
    """Images, audio and video are attachments; the transcription of what was said aloud is text."""
    parts = [
        {"content_type": "image_asset_pointer"},
        {"content_type": "audio_transcription", "text": "Look at this."},
        {"content_type": "audio_asset_pointer"},
        {"content_type": "real_time_user_audio_video_asset_pointer"},
        {"content_type": "hologram"},
        "Please.",
        None,
        7,
    ]
    transcript = read_messages(holding("user", {"content_type": "multimodal_text", "parts": parts}))
    assert words(transcript) == [("user", "Look at this.\nPlease.")]
    assert carried(transcript) == [
        ("image", "audio", "video", 'part of type "hologram"', 'part of type "a number in the place of a part"')
    ]


def test_files_of_the_user() -> None:
    """Uploaded files are attachments, an image only once."""
    files = [{"name": "a.pdf", "mime_type": "application/pdf"}, {"name": "b.png", "mime_type": "image/png"}]
    beside = said("user", "Read it.", metadata={"attachments": files})
    assert carried(read_messages(beside)) == [("file a.pdf", "file b.png")]
    parts = [{"content_type": "image_asset_pointer"}, "Read it."]
    shown = holding("user", {"content_type": "multimodal_text", "parts": parts}, metadata={"attachments": files})
    assert carried(read_messages(shown)) == [("image", "file a.pdf")]


def test_hidden_messages_are_not_said() -> None:
    """What the program hides is not the user's speech, and an answer that nobody saw is not read."""
    hidden = {"is_visually_hidden_from_conversation": True}
    context = {
        "content_type": "user_editable_context",
        "user_profile": "I am a baker.",
        "user_instructions": "Be brief.",
    }
    transcript = read_messages(
        said("system", ""),
        holding("user", context, metadata=hidden),
        said("user", "Original instructions", metadata=hidden),
        said("assistant", "draft", metadata=hidden),
        said("system", "Be kind."),
        said("user", "Hi"),
    )
    assert words(transcript) == [
        ("system", "I am a baker.\nBe brief."),
        ("system", "Original instructions"),
        ("assistant", ""),
        ("system", "Be kind."),
        ("user", "Hi"),
    ]
    assert carried(transcript)[2] == ("text hidden from the user, not read",)


def test_content_that_is_a_string() -> None:
    """Content that some tools write as a string is read."""
    assert words(read_messages({"author": {"role": "user"}, "content": "Hi"})) == [("user", "Hi")]


def test_a_conversation_without_speech_is_left_out() -> None:
    """A conversation that was opened and never begun holds no speech."""
    (item,) = left_out(read_document(export()))
    assert item.location == Location("log", None, "/0")
    assert len(left_out(read_document([{"create_time": 1, "mapping": {}}]))) == 1


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"current_node": "a", "mapping": None}, '"mapping" is null, not an object'),
        ({"mapping": chain("x")}, 'the message of node "n0" is a string, not an object'),
        ({"mapping": chain({"author": None})}, 'the message of node "n0" has no "author.role"'),
    ],
)
def test_broken_conversations(record: Any, reason: str) -> None:
    """A broken conversation is one bad record that says what is wrong without its text."""
    assert only_reason(read_document([record])) == reason


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "x",
        {},
        {"mapping": {"a": "b"}},
        {"mapping": {"a": {"type": "text"}}},
        {"mapping": []},
        {"mapping": {}},
    ],
)
def test_other_records_are_not_taken(value: Any) -> None:
    """An object with a mapping of anything else is no conversation of ChatGPT."""
    assert not is_chatgpt(value)


def test_example_is_read() -> None:
    """The example of the format is one conversation."""
    assert words(only(read_log(CHATGPT.example))) == [
        ("user", "May I return a worn coat?"),
        ("assistant", "Yes, within 30 days."),
    ]
