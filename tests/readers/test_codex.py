from __future__ import annotations

import time
from typing import Any

import pytest

from read_logs import carried, left_out, only, only_reason, read_document, read_lines, read_log, transcripts, words
from valueaudit.readers.codex import CODEX, is_codex
from valueaudit.transcript import Location, Transcript


def line(kind: str, **payload: Any) -> dict[str, Any]:
    """A line of a session."""
    return {"timestamp": "2026-01-01T10:00:00Z", "type": kind, "payload": payload}


def head(key: str = "s1", **fields: Any) -> dict[str, Any]:
    """The head of a session."""
    return line("session_meta", id=key, **fields)


def message(role: str, text: str) -> dict[str, Any]:
    """An item with text."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def said(role: str, text: str) -> dict[str, Any]:
    """A line with an item with text."""
    return line("response_item", **message(role, text))


def read_one(*values: Any) -> Transcript:
    """The one conversation among what these lines give."""
    (transcript,) = transcripts(read_lines(*values))
    return transcript


def test_one_session() -> None:
    """A session is one conversation at its head, with its id, its model and what its head says."""
    items = read_lines(
        head(cwd="/w", originator="codex_exec", instructions="long", git=None),
        line("turn_context", model="m-1"),
        said("user", "Two and two?"),
        line("event_msg", type="user_message", message="Two and two?"),
        line("response_item", type="reasoning", summary=[]),
        line("response_item", type="function_call", name="shell", arguments='{"command": "expr"}', call_id="c"),
        line("response_item", type="function_call_output", call_id="c", output="4"),
        line("event_msg", type="agent_message", message="Four."),
        said("assistant", "Four."),
        line("turn_context", model="m-2"),
    )
    (transcript,) = transcripts(items)
    assert (transcript.id, transcript.location) == ("s1", Location("log", 1, None))
    assert words(transcript) == [("user", "Two and two?"), ("assistant", ""), ("tool", "4"), ("assistant", "Four.")]
    assert carried(transcript)[1] == ("thinking, not read", 'tool call shell({"command": "expr"})')
    assert transcript.metadata == {"cwd": "/w", "originator": "codex_exec", "model": "m-1"}
    assert [item.location.line for item in left_out(items)] == [1, 2, 4, 8, 10]


@pytest.mark.parametrize(
    "text",
    [
        "<environment_context>\n<cwd>/w</cwd></environment_context>",
        "<user_instructions>Be brief.</user_instructions>",
        "# AGENTS.md instructions for /w",
        "<turn_aborted>x</turn_aborted>",
    ],
)
def test_what_the_program_puts_in_is_not_the_users(text: str) -> None:
    """Context and instructions in the place of the user are system messages."""
    assert words(read_one(head(), said("user", text), said("user", "Hi"))) == [("system", text), ("user", "Hi")]


def test_the_users_words_beside_what_the_program_puts_in() -> None:
    """Of a message with parts of both, only the user's are read."""
    item = message("user", "<environment_context>x</environment_context>")
    item["content"].append({"type": "input_text", "text": "Hi"})
    transcript = read_one(line("response_item", **item))
    assert words(transcript) == [("user", "Hi")]
    assert carried(transcript) == [("context put in by the program, not read",)]


def test_developer_messages_are_system_messages() -> None:
    """What a developer sets is a system message."""
    assert words(read_one(said("developer", "Be brief."), said("user", "Hi")))[0] == ("system", "Be brief.")


def test_requests_behind_the_context_of_an_editor() -> None:
    """Of a message that begins with the editor's context only the request is the user's speech."""
    text = "# Context from my IDE setup:\n## Open tabs\n- a.py\n\n## My request for Codex:\nFix it.\n"
    transcript = read_one(said("user", text), said("user", "## My request for Codex: Again."))
    assert words(transcript) == [("user", "Fix it."), ("user", "Again.")]
    assert carried(transcript) == [("context of the editor, not read",), ()]


def test_the_first_shape() -> None:
    """Files without an envelope are read: a head, states, bare items."""
    items = read_lines(
        {"id": "s0", "timestamp": "2025-06-01T09:00:00Z", "instructions": "x", "cwd": "/w"},
        {"record_type": "state"},
        message("user", "Hi"),
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"},
        {"type": "function_call_output", "call_id": "c", "output": {"content": "ok"}},
        message("assistant", "Hello"),
    )
    (transcript,) = transcripts(items)
    assert transcript.id == "s0"
    assert words(transcript) == [("user", "Hi"), ("assistant", ""), ("tool", "ok"), ("assistant", "Hello")]
    assert transcript.metadata == {"timestamp": "2025-06-01T09:00:00Z", "cwd": "/w"}
    assert [item.location.line for item in left_out(items)] == [1, 2]


def test_a_whole_session_in_one_document() -> None:
    """The oldest files hold a session and its items; what is wrong with an item is told at its place."""
    items = read_document({"session": {"id": "s0"}, "items": [message("user", "Hi"), 3, {"type": "odd"}]})
    assert [(item.location.pointer, item.reason) for item in items if not isinstance(item, Transcript)] == [
        ("/items/1", "a number, not an object"),
        ("/items/2", 'no speech: an item of type "odd"'),
    ]
    assert words(transcripts(items)[0]) == [("user", "Hi")]


def test_items_that_are_not_speech() -> None:
    """Calls of every kind of tool are attachments of one message, and compactions are left out."""
    items = read_lines(
        said("user", "Hi"),
        line("response_item", type="web_search_call", action={"query": "q"}),
        line("response_item", type="custom_tool_call", name="apply_patch", input="+a"),
        line("response_item", type="local_shell_call"),
        line("response_item", type="compaction"),
        line("compacted", message="Summary"),
        line("world_state", full=True),
    )
    (transcript,) = transcripts(items)
    assert carried(transcript)[1] == (
        'tool call web_search({"query":"q"})',
        "tool call apply_patch(+a)",
        "tool call local_shell()",
    )
    assert [item.location.line for item in left_out(items)] == [5, 6, 7]


def test_events_stand_in_where_there_are_no_items() -> None:
    """Where only events were kept, they are the conversation."""
    transcript = read_one(
        head(),
        said("user", "<environment_context>x"),
        line("event_msg", type="user_message", message="Hi"),
        line("event_msg", type="token_count"),
        line(
            "event_msg",
            type="item_completed",
            item={"type": "AgentMessage", "content": [{"type": "text", "text": "Hello"}]},
        ),
        line("event_msg", type="agent_message", message="Bye"),
    )
    assert words(transcript)[-3:] == [("user", "Hi"), ("assistant", "Hello"), ("assistant", "Bye")]


def test_turns_that_were_taken_back_are_a_branch() -> None:
    """Turns that the user took back are not in the conversation, and counted as a branch."""
    transcript = read_one(
        said("user", "a"),
        said("assistant", "b"),
        said("user", "c"),
        said("assistant", "d"),
        line("event_msg", type="thread_rolled_back", num_turns=1),
        line("event_msg", type="thread_rolled_back", num_turns=None),
        said("user", "e"),
    )
    assert [text for _, text in words(transcript)] == ["a", "b", "e"]
    assert transcript.branches == 1


def test_forks_repeat_what_they_were_forked_from() -> None:
    """The head that a fork repeats begins nothing; that of another session does."""
    fork = read_one(head("s2", forked_from_id="s1"), head("s1"), said("user", "a"), head("s1"), said("user", "b"))
    assert (fork.id, len(fork.messages)) == ("s2", 2)
    joined = read_lines(head("s1"), said("user", "a"), head("s2"), said("user", "b"))
    assert [one.id for one in transcripts(joined)] == ["s1", "s2"]


def test_a_session_without_speech() -> None:
    """A session in which nothing was said gives no conversation."""
    assert transcripts(read_lines(head())) == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"type": "event_msg", "payload": None}, '"payload" is null, not an object'),
        (line("response_item", type="message", role=3, content="a"), 'a message has no known "role", but a number'),
        (line("response_item", type="message", role="user"), '"content" is null, not a string or a list of parts'),
    ],
    ids=repr,
)
def test_broken_lines(value: Any, reason: str) -> None:
    """A broken line is one bad record that says what is wrong without its text."""
    assert only_reason(read_lines(value)) == reason


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "x",
        {},
        {"type": ["message"]},
        {"type": "event_msg"},
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "x"}]},
        {"type": "message", "status": "completed", "role": "assistant", "content": [{"type": "output_text"}]},
        {"id": 1, "timestamp": 2},
        {"session": {}, "items": []},
    ],
    ids=repr,
)
def test_other_records_are_not_taken(value: Any) -> None:
    """A line of another log is not taken."""
    assert not is_codex(value)


def test_example_is_read() -> None:
    """The example of the format is one conversation."""
    assert words(transcripts(read_log(CODEX.example))[0]) == [
        ("user", "Which files are there?"),
        ("assistant", "Only one, a.txt."),
    ]


def test_a_session_is_one_conversation_with_nothing_left_out() -> None:
    """Bare items without a head are a conversation without an id of its own."""
    assert only(read_lines(message("user", "a"), message("assistant", "b"))).id.startswith("sha256:")


def test_many_turns_taken_back_take_no_longer_than_the_session() -> None:
    """Each looks at the turns that it takes back, and at no others."""
    turns = [message("user", "a") for _ in range(20_000)]
    back = [line("event_msg", type="thread_rolled_back", num_turns=1) for _ in range(10_000)]
    started = time.process_time()
    read = read_one(*turns, *back)
    assert (len(read.messages), read.branches) == (10_000, 10_000)
    assert time.process_time() - started < 20
