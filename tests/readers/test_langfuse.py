from __future__ import annotations

import json
from typing import Any

import pytest
from trace_logs import bad, left_out, one, read_text, read_values, resolve, said, section_examples, transcripts

from valueaudit.readers.langfuse import LANGFUSE, is_langfuse
from valueaudit.transcript import Location

TALK = [("user", "Hi"), ("assistant", "Hello")]


def observation(**fields: Any) -> dict[str, Any]:
    """A generation as the interface exports it, its input and output JSON in strings."""
    return {
        "id": "o1",
        "traceId": "t1",
        "type": "GENERATION",
        "startTime": "2026-01-05T10:00:00Z",
        "model": "m-1",
        "input": json.dumps([{"role": "user", "content": "Hi"}]),
        "output": json.dumps({"role": "assistant", "content": "Hello"}),
        "metadata": json.dumps({"topic": "billing", "attributes": {"input.value": "Hi"}, "scope": {"name": "x"}}),
        **fields,
    }


def trace(*observations: Any, **fields: Any) -> dict[str, Any]:
    """A trace with its observations."""
    own = {
        "id": "t1",
        "name": "chat",
        "userId": "u1",
        "sessionId": None,
        "tags": ["beta"],
        "input": None,
        "output": None,
    }
    return {"trace": {**own, "timestamp": "2026-01-05", **fields}, "observations": list(observations)}


def test_page_examples_are_read() -> None:
    """Each example on the page of formats is one conversation, and so is the example of the format."""
    examples = section_examples(LANGFUSE.title)
    assert len(examples) == 2
    for example in (*examples, LANGFUSE.example):
        assert one(read_text(example)).has_assistant_text


def test_a_generation_is_a_conversation() -> None:
    """Input and output of a model call are the messages, with what trace and observation say of it."""
    transcript = one(read_values(trace(observation())))
    assert said(transcript) == TALK
    assert (transcript.id, transcript.location) == ("o1", Location("log.jsonl", 1, "/observations/0"))
    assert transcript.metadata == {
        "model": "m-1",
        "time": "2026-01-05T10:00:00Z",
        "user_id": "u1",
        "trace_id": "t1",
        "tags": ["beta"],
        "trace_name": "chat",
        "type": "GENERATION",
        "topic": "billing",
    }


def test_an_exchange_of_a_trace_counts_once() -> None:
    """Of an agent's calls the last holds the conversation; the agent, its tools and the trace itself add nothing."""
    longer = [
        {"role": "user", "content": "Hi"},
        {"type": "function_call", "name": "look", "arguments": "{}", "call_id": "c"},
        {"type": "function_call_output", "output": "ok", "call_id": "c"},
    ]
    calls = {"object": "response", "instructions": "Be kind.", "output": [longer[1]]}
    answer = {
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}]
    }
    items = read_values(
        trace(
            observation(id="a", type="AGENT", input='"Hi"', output='"Hello"'),
            observation(id="last", input=json.dumps(longer), output=json.dumps(answer)),
            observation(id="first", output=json.dumps(calls)),
            observation(id="tool", type="TOOL", input='{"city": "Tokyo"}', output="Sunny."),
            input='{"question": "Hi"}',
            output="Hello",
        )
    )
    assert one(items).id == "last"
    assert said(one(items)) == [("user", "Hi"), ("assistant", ""), ("tool", "ok"), ("assistant", "Hello")]
    assert left_out(items) == [
        "an observation of type TOOL, which holds no speech of its own",
        "repeats what a model call of the same trace says",
        "part of a longer conversation of the same trace",
        "repeats what a model call of the same trace says",
    ]


def test_a_trace_without_calls_is_its_own_input_and_output() -> None:
    """Where no observation holds a conversation, the trace may."""
    transcript = one(read_values(trace(input='"{\\"prompt\\": \\"Hi\\"}"', output="Hello")))
    assert (said(transcript), transcript.location.pointer) == (TALK, "/trace")


def test_traces_of_a_session_are_one_conversation() -> None:
    """Turns that are traces of their own, each with what came before, count once where they name their session."""
    longer = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Bye"},
    ]
    second = observation(id="o2", traceId="t2", input=longer)
    for session, expected in (("s1", ["o2"]), (None, ["o1", "o2"])):
        turns = [trace(observation(), sessionId=session), trace(second, id="t2", sessionId=session)]
        assert [each.id for each in transcripts(read_text(json.dumps(turns)))] == expected


@pytest.mark.parametrize("shape", ["api", "page", "camel", "snake", "trace row"])
def test_every_export_is_read(shape: str) -> None:
    """Traces of the API, pages of them, and exported rows of observations and traces are read, with their places."""
    api = {**trace()["trace"], "observations": [observation()]}
    snake = {
        "id": "o1",
        "trace_id": "t1",
        "type": "GENERATION",
        "start_time": "2026-01-05",
        "provided_model_name": "m-1",
    }
    record: dict[str, Any] = {
        "api": api,
        "page": {"data": [api], "meta": {"page": 1}},
        "camel": observation(),
        "snake": {**snake, "input": [{"role": "user", "content": "Hi"}], "output": "Hello"},
        "trace row": {
            "id": "t1",
            "timestamp": "x",
            "session_id": "",
            "user_id": "u1",
            "input": "Hi",
            "output": "Hello",
        },
    }[shape]
    items = read_values(record)
    transcript = one(items)
    assert said(transcript) == TALK
    assert resolve(record, transcript.location.pointer)["id"] == transcript.id


def test_metadata_of_a_trace_of_the_api() -> None:
    """Objects of metadata are lifted, those of the observation win."""
    record = {
        **trace()["trace"],
        "sessionId": "s1",
        "metadata": {"topic": "returns", "plan": "free"},
        "observations": [
            observation(metadata={"topic": "billing"}, model=None, output={"model": "m-9", "text": "Hello"})
        ],
    }
    found = one(read_values(record)).metadata
    assert (found["topic"], found["plan"], found["model"], found["session_id"]) == ("billing", "free", "m-9", "s1")


def test_what_is_broken_is_named() -> None:
    """Observations that are no objects and calls in no form that we know are bad records."""
    items = read_values(trace(3, observation(input={"payload": "secret"}, output=None)))
    assert bad(items) == [
        "an observation is a number, not an object",
        'the input is in no known form; its fields are "payload"',
    ]
    assert bad(read_values({"data": [trace(), 3], "meta": {}})) == ["a number, not an object"]


@pytest.mark.parametrize(
    "value",
    [
        3,
        {},
        {"observations": []},
        {"data": [], "meta": {}},
        {"data": [3], "meta": {}},
        {"type": "SPAN", "traceId": "t"},
        {"type": ["SPAN"], "input": 1},
        {"timestamp": 1, "input": "a", "output": "b"},
        {"messages": []},
    ],
)
def test_other_objects_are_not_taken(value: Any) -> None:
    """An object that is no trace is left to other formats."""
    assert not is_langfuse(value)


@pytest.mark.parametrize("kind", [[], {}, None, 7], ids=repr)
def test_a_type_that_is_no_name_ends_nothing(kind: Any) -> None:
    """Such an observation is read as a step that is no call."""
    assert len(read_values(trace(observation(type=kind)))) >= 1
