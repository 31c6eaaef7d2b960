from __future__ import annotations

from typing import Any

import pytest

from read_logs import carried, left_out, only, only_reason, read_document, read_lines, read_log, transcripts, words
from valueaudit.readers.claude_code import CLAUDE_CODE, is_claude_code
from valueaudit.transcript import BadRecord, Location


def line(key: str, parent: str | None, kind: str, content: Any, **fields: Any) -> dict[str, Any]:
    """A line of a session."""
    message = {"role": kind, "content": content, **fields.pop("message", {})}
    return {"type": kind, "uuid": key, "parentUuid": parent, "sessionId": "s1", "message": message, **fields}


def asks(key: str, parent: str | None, text: Any, **fields: Any) -> dict[str, Any]:
    """A line of the user."""
    return line(key, parent, "user", text, **fields)


def answers(key: str, parent: str | None, *parts: Any, answer: str | None = None, **fields: Any) -> dict[str, Any]:
    """A line of the assistant."""
    return line(key, parent, "assistant", list(parts), message={"id": answer, "model": "m-1"}, **fields)


def text(words: str) -> dict[str, str]:
    """A part of text."""
    return {"type": "text", "text": words}


def calls(name: str) -> dict[str, Any]:
    """A call of a tool."""
    return {"type": "tool_use", "id": f"t-{name}", "name": name, "input": {}}


def gives(words: str) -> list[dict[str, Any]]:
    """The result of a tool."""
    return [{"type": "tool_result", "tool_use_id": "t", "content": words}]


def test_one_session() -> None:
    """A session is one conversation at its first line, with its id, its model and what all its lines say."""
    transcript = only(
        read_lines(
            asks("a", None, "Look.", cwd="/w", gitBranch="main", version="2", timestamp="2026-01-01T10:00:00Z"),
            answers("b", "a", text("I look."), calls("Read")),
            asks("c", "b", gives("x = 1"), toolUseResult="x = 1"),
            answers("d", "c", text("It is 1.")),
        )
    )
    assert (transcript.id, transcript.location, transcript.branches) == ("s1", Location("log", 1, None), 0)
    assert words(transcript) == [
        ("user", "Look."),
        ("assistant", "I look."),
        ("tool", "x = 1"),
        ("assistant", "It is 1."),
    ]
    assert carried(transcript)[1] == ("tool call Read({})",)
    assert transcript.metadata == {
        "sessionId": "s1",
        "timestamp": "2026-01-01T10:00:00Z",
        "cwd": "/w",
        "gitBranch": "main",
        "version": "2",
        "model": "m-1",
    }


def test_lines_of_one_answer_are_one_message() -> None:
    """Lines with the same message id are parts of one message, a part that is repeated only once."""
    transcript = only(
        read_lines(
            asks("a", None, "Look."),
            answers("b", "a", {"type": "thinking", "thinking": "hm"}, answer="m"),
            answers("c", "b", text("I look."), answer="m"),
            answers("d", "c", text("I look."), calls("Read"), answer="m"),
            asks("e", "d", gives("1")),
            answers("f", "e", text("Done."), answer="n"),
        )
    )
    assert words(transcript) == [("user", "Look."), ("assistant", "I look."), ("tool", "1"), ("assistant", "Done.")]
    assert carried(transcript)[1] == ("thinking, not read", "tool call Read({})")


def test_tools_called_at_once_are_no_branches() -> None:
    """Results that hang beside the way, and answers in parts side by side, belong to the conversation."""
    transcript = only(
        read_lines(
            asks("a", None, "Look."),
            answers("b", "a", calls("Read"), answer="m"),
            answers("c", "a", calls("List"), answer="m"),
            asks("d", "b", gives("1")),
            asks("e", "c", gives("2")),
            answers("f", "e", text("Done."), answer="n"),
        )
    )
    assert [role for role, _ in words(transcript)] == ["user", "assistant", "tool", "tool", "assistant"]
    assert carried(transcript)[1] == ("tool call Read({})", "tool call List({})")
    assert transcript.branches == 0


def test_an_edited_question_is_a_branch() -> None:
    """The branch of the last line is read, and the one that was left is counted."""
    transcript = only(
        read_lines(asks("a", None, "a"), answers("b", "a", text("b")), asks("c", "b", "c"), asks("d", "b", "d"))
    )
    assert words(transcript) == [("user", "a"), ("assistant", "b"), ("user", "d")]
    assert transcript.branches == 1


@pytest.mark.parametrize(
    ("silent", "reason"),
    [
        ({"type": "summary", "summary": "s", "leafUuid": "x"}, 'no speech: a line of type "summary"'),
        ({"type": "system", "subtype": "compact_boundary", "sessionId": "s1"}, 'no speech: a line of type "system"'),
        ({"type": "file-history-snapshot", "snapshot": {}}, 'no speech: a line of type "file-history-snapshot"'),
        ({"type": "ai-title", "aiTitle": "t"}, 'no speech: a line of type "ai-title"'),
        ({"type": "new-kind", "uuid": "n", "parentUuid": "a"}, 'no speech: a line of type "new-kind"'),
        ({"type": "result", "session_id": "s1"}, 'no speech: a line of type "result"'),
        (asks("x", "a", "Summary", isCompactSummary=True), "no speech: a summary of what was said before"),
        (asks("x", "a", "Caveat", isMeta=True), "no speech: written by the program in the place of the user"),
        (
            asks("x", "a", [text("<local-command-stdout>ok</local-command-stdout>")]),
            "no speech: written by the program in the place of the user",
        ),
        (
            asks("x", "a", "[Request interrupted by user]"),
            "no speech: written by the program in the place of the user",
        ),
        (asks("x", "a", "<command-name>/model</command-name>"), "no speech: a command to the program"),
        (
            line("x", "a", "assistant", "API Error", isApiErrorMessage=True),
            "no speech: written by the program in the place of the model",
        ),
        (
            line("x", "a", "assistant", "No response requested.", message={"model": "<synthetic>"}),
            "no speech: written by the program in the place of the model",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_lines_without_speech(silent: dict[str, Any], reason: str) -> None:
    """What neither a person nor the model said is left out, and what hangs on it stays in the conversation."""
    items = read_lines(asks("a", None, "a"), silent, answers("b", silent.get("uuid", "a"), text("b")))
    assert [(item.location.line, item.reason) for item in left_out(items)] == [(2, reason)]
    (transcript,) = transcripts(items)
    assert words(transcript) == [("user", "a"), ("assistant", "b")]


def test_what_the_program_adds_is_not_the_users() -> None:
    """A reminder beside the user's words is not read."""
    reminder = text("<system-reminder>Be brief.</system-reminder>")
    image = {"type": "image", "source": {}}
    transcript = only(read_lines(asks("a", None, [reminder, text("Hi"), image])))
    assert (words(transcript), carried(transcript)) == ([("user", "Hi")], [("image",)])


def test_sidechains_are_conversations_of_their_own() -> None:
    """An agent's lines are a conversation named after it; without a name its first line names it."""
    side: dict[str, Any] = {"isSidechain": True}
    items = read_lines(
        asks("a", None, "main"),
        asks("s", None, "one", **side),
        asks("x", None, "agent", agentId="ag", **side),
        answers("t", "s", text("1"), **side),
        asks("u", "t", gives("r"), **side),
        asks("v", None, "two", **side),
        answers("w", None, text("2"), **side),
        answers("b", "a", text("done")),
    )
    assert {one.id: [said for _, said in words(one)] for one in transcripts(items)} == {
        "s1": ["main", "done"],
        "s1/s": ["one", "1", "r"],
        "s1/ag": ["agent"],
        "s1/v": ["two", "2"],
    }
    assert [one.metadata.get("isSidechain") for one in transcripts(items)] == [None, True, True, True]


def test_a_sidechain_without_any_name() -> None:
    """A sidechain of which no line has a name is still apart."""
    lone = {"type": "assistant", "isSidechain": True, "message": {"role": "assistant", "content": "x"}}
    assert only(read_lines(lone, {**lone, "message": {"role": "assistant", "content": "y"}})).id == "sidechain"


@pytest.mark.parametrize("before", ["", "<command-message>clear</command-message>\n"])
def test_a_cleared_session_begins_anew(before: str) -> None:
    """After the command to clear, a conversation of its own begins."""
    items = read_lines(
        asks("a", None, "one"),
        asks("b", "a", f"{before}<command-name>/clear</command-name>\n<command-args></command-args>"),
        asks("c", "b", "two"),
    )
    assert [(one.id, one.location.line, words(one)) for one in transcripts(items)] == [
        ("s1", 1, [("user", "one")]),
        ("s1/2", 3, [("user", "two")]),
    ]


def test_several_sessions_in_one_file() -> None:
    """Each session is a conversation; a line without one belongs to the session before it."""
    nameless = {"type": "user", "uuid": "x", "message": {"role": "user", "content": "three"}}
    items = read_lines(asks("a", None, "one"), asks("b", None, "two", sessionId="s2"), nameless)
    assert {one.id: words(one) for one in transcripts(items)} == {
        "s1": [("user", "one")],
        "s2": [("user", "two"), ("user", "three")],
    }


def test_lines_whose_parents_are_missing_follow_each_other() -> None:
    """Lines that name no parent, or one that is not there, hang on the line before."""
    items = read_lines(asks("a", None, "a"), answers("b", None, text("b")), asks("c", "gone", "c"))
    assert words(only(items)) == [("user", "a"), ("assistant", "b"), ("user", "c")]


def test_the_same_line_twice() -> None:
    """A line that is repeated word for word is left out; another one with its key is read."""
    items = read_lines(asks("a", None, "a"), asks("a", None, "a"), asks("a", None, "b"))
    assert [item.reason for item in left_out(items)] == ["a line that was there before, word for word"]
    assert words(transcripts(items)[0]) == [("user", "a"), ("user", "b")]


def test_printed_sessions() -> None:
    """What the program prints as JSON is read, the agents it calls apart."""
    answer = {"type": "assistant", "session_id": "p", "message": {"role": "assistant", "content": [text("b")]}}
    items = read_lines({"type": "system", "session_id": "p"}, answer, {**answer, "parent_tool_use_id": "t1"})
    assert [one.id for one in transcripts(items)] == ["p", "p/t1"]


def test_lines_inside_one_document() -> None:
    """Lines under `loglines` are read, each at its place."""
    items = read_document({"loglines": [asks("a", None, "a"), answers("b", "a", text("b")), 3]})
    assert items[0] == BadRecord(Location("log", 1, "/loglines/2"), "a number, not an object")
    (transcript,) = transcripts(items)
    assert transcript.location == Location("log", 1, "/loglines/0")
    assert words(transcript) == [("user", "a"), ("assistant", "b")]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("x", '"message" is a string, not an object'),
        ({"role": "user"}, '"message" has no "content"'),
        ({"role": "user", "content": None}, '"message.content" is null, not a string or a list of parts'),
    ],
    ids=repr,
)
def test_broken_lines(message: Any, reason: str) -> None:
    """A broken line is one bad record that says what is wrong without its text, and the others are read."""
    broken = {"type": "user", "uuid": "x", "parentUuid": "a", "sessionId": "s1", "message": message}
    assert only_reason(read_lines(broken)) == reason
    items = read_lines(asks("a", None, "a"), broken, answers("b", "x", text("b")))
    assert words(transcripts(items)[0]) == [("user", "a"), ("assistant", "b")]


def test_long_sessions() -> None:
    """20,000 lines are one conversation."""
    lines = [asks(str(index), str(index - 1), "a") for index in range(20_000)]
    assert len(only(read_lines(*lines)).messages) == 20_000


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "x",
        {},
        {"type": ["user"], "message": {}},
        {"type": "user", "message": "x"},
        {"type": "message", "role": "user", "content": "x"},
        {"type": "system", "content": "x"},
        {"type": "summary"},
        {"loglines": [1]},
    ],
    ids=repr,
)
def test_other_records_are_not_taken(value: Any) -> None:
    """A line of another log is not taken."""
    assert not is_claude_code(value)


def test_example_is_read() -> None:
    """The example of the format is one conversation."""
    assert words(only(read_log(CLAUDE_CODE.example))) == [
        ("user", "Which files are there?"),
        ("assistant", "Only one, a.txt."),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Look.\n<system-reminder>\nx\n</system-reminder>\nNow.", "Look.\nNow."),
        ([text("Look.<system-reminder>x</system-reminder>")], "Look."),
        (["Look.<system-reminder>x</system-reminder> <system-reminder>y</system-reminder>"], "Look."),
        ("What does <system-reminder> mean?", "What does <system-reminder> mean?"),
    ],
    ids=["string", "part", "string in a list", "not closed"],
)
def test_reminders_inside_of_a_text_are_not_the_users(content: Any, expected: str) -> None:
    """What the program writes into a request is cut out of it; a tag that is not closed is the user's."""
    assert words(only(read_lines(asks("a", None, content)))) == [("user", expected)]
