from __future__ import annotations

from typing import Any

import pytest
from trace_logs import bad, left_out, one, read_text, read_values, said, section_examples, transcripts

from valueaudit.readers.managed_agents import MANAGED_AGENTS, is_managed_agents
from valueaudit.transcript import Location, Message, Role

CREATE = "client.beta.sessions.create"
SEND = "client.beta.sessions.events.send"
STREAM = "client.beta.sessions.events.stream"


def event(identity: str, kind: str, text: str | None = None, **fields: Any) -> dict[str, Any]:
    """An event of a session."""
    content = {} if text is None else {"content": [{"type": "text", "text": text}]}
    return {"id": identity, "type": kind, "processed_at": "2026-01-05T10:00:00Z", **content, **fields}


TALK = (event("e1", "user.message", "Hi"), event("e2", "agent.message", "Hello"))
SESSION = {"id": "sesn_1", "created_at": "2026-01-05", "metadata": {"topic": "billing"}}


def test_page_example_is_read() -> None:
    """The example on the page of formats is one conversation, and so is the example of the format."""
    (example,) = section_examples(MANAGED_AGENTS.title)
    for text in (example, MANAGED_AGENTS.example):
        assert one(read_text(text)).has_assistant_text


def test_a_session_is_a_conversation() -> None:
    """What is streamed is the conversation, with tools and thinking as in every format; what was sent is its echo."""
    sent = {"events": [{"type": "user.message", "content": [{"type": "text", "text": "Hi"}]}]}
    agent = {"name": "Helper", "model": {"id": "m-1"}, "system": "Be kind."}
    items = read_values(
        [CREATE, {**SESSION, "agent": agent}],
        [SEND, ["sesn_1", sent]],
        [STREAM, event("e0", "session.status_running")],
        [STREAM, TALK[0]],
        [STREAM, event("t1", "agent.thinking")],
        [STREAM, event("t2", "agent.mcp_tool_use", name="look", input={"a": 1})],
        [STREAM, event("t3", "agent.mcp_tool_result", "ok")],
        [STREAM, TALK[1]],
        [STREAM, TALK[1]],
    )
    transcript = one(items)
    assert transcript.messages == (
        Message(Role.USER, "Hi"),
        Message(Role.ASSISTANT, "", ("thinking, not read",)),
        Message(Role.ASSISTANT, "", ('tool call look({"a":1})',)),
        Message(Role.TOOL, "ok"),
        Message(Role.ASSISTANT, "Hello"),
    )
    assert (transcript.id, transcript.location) == ("sesn_1", Location("log.jsonl", 1, None))
    assert transcript.metadata == {
        "model": "m-1",
        "time": "2026-01-05",
        "session_id": "sesn_1",
        "agent": "Helper",
        "instructions": "Be kind.",
        "topic": "billing",
    }
    assert left_out(items) == [
        'an event of type "session.status_running", which holds no speech of its own',
        "an event that was there before",
    ]


def test_bare_events_are_a_conversation() -> None:
    """Events without the calls around them are read too."""
    assert said(one(read_values(*TALK))) == [("user", "Hi"), ("assistant", "Hello")]


def test_what_was_sent_counts_where_it_does_not_come_back() -> None:
    """Without an echo of the question, the question that was sent is taken."""
    sent = [SEND, ["sesn_1", {"events": [{"type": "user.message", "content": "Hi"}]}]]
    assert said(one(read_values(sent, [STREAM, TALK[1]]))) == [("user", "Hi"), ("assistant", "Hello")]


def test_each_created_session_is_a_conversation_of_its_own() -> None:
    """A file may hold several sessions; one in which nothing was said is left out."""
    items = read_values([CREATE, {"id": "s0"}], [CREATE, {"id": "s1"}], *TALK, [CREATE, {"id": "s2"}], *TALK)
    assert [each.id for each in transcripts(items)] == ["s1", "s2"]
    assert left_out(items) == ["a session in which nothing was said"]


def test_what_is_broken_is_named() -> None:
    """Events of no known form are bad records, and the others are read."""
    items = read_values([STREAM, 3], [STREAM, {"id": "x"}], [STREAM, {"type": "odd"}], [SEND, []], *TALK)
    assert bad(items) == [
        "an event is a number, not an object",
        "an event has no type",
        'an event has the unknown type "odd"',
        "a call that sends events without any",
    ]
    assert len(transcripts(items)) == 1
    assert bad(read_values(3, forced=MANAGED_AGENTS)) == ["an event is a number, not an object"]


def test_an_empty_source_is_nothing() -> None:
    """Without a record there is no session."""
    assert read_values(forced=MANAGED_AGENTS) == []


@pytest.mark.parametrize(
    "value", [3, [], ["a", "b"], [1, 2], {"type": "user.message"}, {"type": "x", "processed_at": 1}]
)
def test_other_values_are_not_taken(value: Any) -> None:
    """What is no event is left to other formats."""
    assert not is_managed_agents(value)
