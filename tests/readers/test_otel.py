from __future__ import annotations

import json
from typing import Any

import pytest
from trace_logs import bad, left_out, one, read_text, read_values, resolve, said, section_examples, transcripts

from valueaudit.readers.otel import OTEL, is_otel
from valueaudit.transcript import Location, Message, Role

TALK = [("user", "Hi"), ("assistant", "Hello")]
IN = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
OUT = [{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}], "finish_reason": "stop"}]
GENAI = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "m-1",
    "gen_ai.input.messages": json.dumps(IN),
    "gen_ai.output.messages": json.dumps(OUT),
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "m-1",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.contents.0.message_content.type": "text",
    "llm.input_messages.0.message.contents.0.message_content.text": "Hi",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Hello",
    "input.value": "Hi",
    "input.mime_type": "text/plain",
}


def span(attributes: Any = GENAI, **fields: Any) -> dict[str, Any]:
    """A span as an exporter prints it."""
    return {"traceId": "t1", "spanId": "s1", "name": "chat m-1", "attributes": attributes, **fields}


def any_value(value: Any) -> dict[str, Any]:
    """A value as OTLP writes it."""
    match value:
        case bool():
            return {"boolValue": value}
        case str():
            return {"stringValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [any_value(each) for each in value]}}
        case _:
            return {"kvlistValue": {"values": pairs(value)}}


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes as OTLP writes them."""
    return [{"key": name, "value": any_value(value)} for name, value in attributes.items()]


def request(*spans: dict[str, Any]) -> dict[str, Any]:
    """A request of OTLP with spans."""
    listed = [{**each, "attributes": pairs(each["attributes"])} for each in spans]
    resource = {"attributes": pairs({"service.name": "shop"})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "x"}, "spans": listed}]}]}


def test_page_examples_are_read() -> None:
    """Each example on the page of formats is one conversation, and so is the example of the format."""
    examples = section_examples(OTEL.title)
    assert len(examples) == 3
    for example in (*examples, OTEL.example):
        assert one(read_text(example)).has_assistant_text


def test_a_request_of_otlp_is_read() -> None:
    """Spans in lists of keys and values are conversations whose place resolves; 64-bit numbers are numbers."""
    record = request(span({**GENAI, "gen_ai.usage.input_tokens": 97, "ok": True, "gen_ai.request.temperature": 0.5}))
    transcript = one(read_values(record))
    assert said(transcript) == TALK
    assert transcript.id == "s1"
    assert resolve(record, transcript.location.pointer)["spanId"] == "s1"
    assert transcript.metadata == {
        "gen_ai": {
            "operation": {"name": "chat"},
            "request": {"model": "m-1", "temperature": 0.5},
            "usage": {"input_tokens": 97},
        },
        "ok": True,
        "model": "m-1",
        "trace_id": "t1",
        "name": "chat m-1",
        "resource": {"service": {"name": "shop"}},
    }


USER = {"role": "user", "content": "Hi"}
REPLY = {"role": "assistant", "content": "Hello"}
EVENTS = [{"event.name": "gen_ai.user.message", **USER}, {"event.name": "gen_ai.choice", "message": REPLY}]


@pytest.mark.parametrize(
    "attributes",
    [
        GENAI,
        {**GENAI, "gen_ai.input.messages": IN, "gen_ai.output.messages": OUT},
        {"gen_ai.system": "x", "gen_ai.prompt": json.dumps(IN), "gen_ai.completion": '{"text": "Hello"}'},
        {
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "Hi",
            "gen_ai.completion.0.content": "Hello",
            "gen_ai.completion.0.finish_reason": "stop",
        },
        {
            "gen_ai.operation.name": "chat",
            "request_data": {"messages": [USER]},
            "response_data": {"message": REPLY},
        },
        {"gen_ai.system": "x", "ai.prompt.messages": json.dumps([USER]), "ai.response.text": "Hello"},
        {"gen_ai.system": "x", "events": json.dumps(EVENTS)},
        {"gen_ai.operation.name": "invoke_agent", "all_messages_events": json.dumps([USER, REPLY])},
        OPENINFERENCE,
        {
            "openinference.span.kind": "LLM",
            "llm": {"input_messages": [{"message": USER}], "output_messages": [{"message": REPLY}]},
        },
        {
            "llm.input_messages": [{"message.role": "user", "message.content": "Hi"}],
            "llm.output_messages": [{"message.role": "assistant", "message.content": "Hello"}],
        },
        {"openinference.span.kind": "LLM", "input.value": json.dumps(IN), "output.value": '{"text": "Hello"}'},
        {"gen_ai.system": "x", "traceloop.entity.input": '{"question": "Hi"}', "traceloop.entity.output": "Hello"},
    ],
)
def test_vocabularies_of_attributes_say_the_same(attributes: dict[str, Any]) -> None:
    """A conversation is the same in the words of every convention, with a span around the attributes or without."""
    assert said(one(read_values(span(attributes)))) == TALK
    if is_otel(attributes):
        assert said(one(read_values(attributes))) == TALK


@pytest.mark.parametrize(
    "fields",
    [
        {"context": {"trace_id": "0x1", "span_id": "0x2"}, "start_time": "2026-01-05T10:00:00Z", "attributes": GENAI},
        {"trace_id": "0x1", "span_id": "0x2", "start_time": "2026-01-05T10:00:00Z", "attributes": GENAI},
        {
            "context.trace_id": "0x1",
            "context.span_id": "0x2",
            "start_time": "2026-01-05T10:00:00Z",
            "span_kind": "LLM",
            "attributes.llm.model_name": "m-1",
            "attributes.llm.input_messages": [{"message.role": "user", "message.content": "Hi"}],
            "attributes.llm.output_messages": [{"message.role": "assistant", "message.content": "Hello"}],
        },
    ],
)
def test_spans_of_every_exporter_are_read(fields: dict[str, Any]) -> None:
    """Spans are read as consoles, files and Phoenix write them."""
    transcript = one(read_values(fields))
    assert (said(transcript), transcript.id) == (TALK, "0x2")
    known = {name: transcript.metadata[name] for name in ("model", "trace_id", "time")}
    assert known == {"model": "m-1", "trace_id": "0x1", "time": "2026-01-05T10:00:00Z"}


def test_tool_calls_results_and_system_instructions() -> None:
    """What stands beside the words is read as in every format; system instructions come first."""
    parts = [{"type": "text", "content": "Let me look."}, {"type": "tool_call", "name": "look", "arguments": {"a": 1}}]
    told = [
        *IN,
        {"role": "assistant", "parts": parts},
        {"role": "tool", "parts": [{"type": "tool_call_response", "response": "ok"}]},
    ]
    system = json.dumps([{"type": "text", "content": "Be kind."}])
    attributes = {**GENAI, "gen_ai.input.messages": told, "gen_ai.system_instructions": system}
    assert one(read_values(span(attributes))).messages == (
        Message(Role.SYSTEM, "Be kind."),
        Message(Role.USER, "Hi"),
        Message(Role.ASSISTANT, "Let me look.", ('tool call look({"a":1})',)),
        Message(Role.TOOL, "ok"),
        Message(Role.ASSISTANT, "Hello"),
    )
    calls = {
        "gen_ai.system": "x",
        "ai.prompt": '{"prompt": "Hi"}',
        "ai.response.toolCalls": '[{"toolName": "look", "input": {}}]',
    }
    assert one(read_values(span(calls))).messages[1] == Message(Role.ASSISTANT, "", ("tool call look({})",))


@pytest.mark.parametrize(
    "events",
    [
        [
            {"name": "gen_ai.content.prompt", "attributes": {"gen_ai.prompt": json.dumps(IN)}},
            {"name": "gen_ai.content.completion", "attributes": {"gen_ai.completion": json.dumps(OUT)}},
        ],
        [
            {"name": "gen_ai.user.message", "attributes": {"content": "Hi"}},
            {
                "name": "gen_ai.choice",
                "attributes": {"index": 0, "message": '{"role": "assistant", "content": "Hello"}'},
            },
        ],
        [
            {
                "name": "gen_ai.user.message",
                "attributes": {"gen_ai.event.content": '{"role": "user", "content": "Hi"}'},
            },
            {"name": "gen_ai.choice", "attributes": {"gen_ai.event.content": '{"message": {"content": "Hello"}}'}},
        ],
        [
            {"name": "gen_ai.user.message", "attributes": pairs({"content": "Hi"})},
            {"name": "gen_ai.choice", "attributes": pairs({"message": "Hello"})},
            {"name": "exception", "attributes": []},
            3,
        ],
        [{"name": "gen_ai.client.inference.operation.details", "attributes": {name: GENAI[name] for name in GENAI}}],
    ],
)
def test_messages_in_events_of_a_span_are_read(events: list[Any]) -> None:
    """The messages of older conventions lie in the events of their span."""
    assert said(one(read_values(span({"gen_ai.operation.name": "chat"}, events=events)))) == TALK


def test_tool_calls_in_events_are_read() -> None:
    """Calls that an event keeps as JSON in a string are attachments; what is no event is passed over."""
    call = json.dumps([{"function": {"name": "look", "arguments": "{}"}}])
    listed = json.dumps([EVENTS[0], {"event.name": "gen_ai.assistant.message", "tool_calls": call}, 3])
    transcript = one(read_values(span({"gen_ai.operation.name": "chat", "events": listed})))
    assert transcript.messages == (Message(Role.USER, "Hi"), Message(Role.ASSISTANT, "", ("tool call look({})",)))


def log(name: str, body: Any, **fields: Any) -> dict[str, Any]:
    """A log event of OTLP."""
    return {"traceId": "t1", "spanId": "s1", "eventName": name, "body": any_value(body), "attributes": [], **fields}


def test_messages_in_log_events_are_joined_with_their_span() -> None:
    """Messages that came as log events are one conversation per span, with what the span says of it."""
    logs = [log("gen_ai.user.message", {"content": "Hi"}), log("gen_ai.choice", {"message": {"content": "Hello"}})]
    record = {"resourceLogs": [{"scopeLogs": [{"logRecords": [*logs, log("other", "x", spanId="s2")]}]}]}
    silent = span({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m-1"})
    items = read_values(request(silent), record)
    transcript = one(items)
    assert (said(transcript), transcript.metadata["model"]) == (TALK, "m-1")
    assert transcript.location == Location("log.jsonl", 2, "/resourceLogs/0/scopeLogs/0/logRecords/0")
    assert left_out(items) == [
        "a model call of which neither input nor output was recorded",
        "a message, read with the first one of its span",
        "a log event that is no message",
    ]


def test_a_log_event_of_no_span_stands_alone() -> None:
    """One event may hold the whole call."""
    event = {"eventName": "gen_ai.client.inference.operation.details", "attributes": pairs(GENAI), "body": None}
    record = {"resourceLogs": [{"scopeLogs": [{"logRecords": [event]}]}]}
    assert said(one(read_values(record))) == TALK


def test_a_trace_is_one_conversation() -> None:
    """A conversation that grows over the spans of a trace counts once; tools and agents add nothing."""
    longer = [*IN, *OUT, {"role": "user", "parts": [{"type": "text", "content": "Bye"}]}]
    items = read_values(
        request(
            span(),
            span({**GENAI, "gen_ai.input.messages": json.dumps(longer)}, spanId="s2"),
            span({"gen_ai.operation.name": "execute_tool", "input": "{}"}, spanId="s3"),
            span({"openinference.span.kind": "AGENT", "input.value": "Hi", "output.value": "Hello"}, spanId="s4"),
            span({"http.request.method": "POST"}, spanId="s5"),
        )
    )
    assert one(items).id == "s2"
    assert left_out(items) == [
        "a span of kind execute_tool, which holds no speech of its own",
        "no conversation in its input and output",
        "part of a longer conversation of the same trace",
        "repeats what a model call of the same trace says",
    ]


def test_traces_of_a_conversation_are_looked_at_together() -> None:
    """Traces that name the same conversation are turns of it."""
    longer = [*IN, *OUT, {"role": "user", "parts": [{"type": "text", "content": "Bye"}]}]
    turns = [
        span({**GENAI, "gen_ai.conversation.id": "c1", "user.id": "u1"}),
        span({**GENAI, "gen_ai.conversation.id": "c1", "gen_ai.input.messages": longer}, traceId="t2", spanId="s2"),
    ]
    transcript = one(read_values(*turns))
    assert (transcript.id, transcript.metadata["session_id"]) == ("s2", "c1")
    flat = [{**GENAI, "gen_ai.conversation.id": "c1"}, {**GENAI, "gen_ai.response.id": "resp-1"}]
    assert [each.id == "resp-1" for each in transcripts(read_values(*flat))] == [False, True]


def test_what_is_broken_is_named() -> None:
    """Entries that are no objects and calls in no form that we know are bad records."""
    record = {
        "resourceSpans": [3, {"scopeSpans": [{"spans": ["x", span({**GENAI, "gen_ai.input.messages": '{"a": 1}'})]}]}]
    }
    broken = {**record["resourceSpans"][1]["scopeSpans"][0]["spans"][1], "attributes": {"gen_ai.prompt": [{"a": 1}]}}  # type: ignore[index]
    items = read_values(record, broken)
    assert bad(items) == [
        "an entry of resourceSpans is a number, not an object",
        "an entry of spans is a string, not an object",
        "the input is a list in no known form",
    ]
    assert bad(read_values(3, forced=OTEL)) == ["a number, not an object"]


def test_an_empty_request_is_left_out() -> None:
    """A request without a span holds no speech."""
    assert left_out(read_values({"resourceSpans": []})) == ["no span in it"]
    assert left_out(read_values({"resourceSpans": [{}]})) == ["no span in it"]


@pytest.mark.parametrize("value", [3, {}, {"attributes": {}}, {"spanId": 1}, {"resourceSpans": 3}, {"messages": []}])
def test_other_objects_are_not_taken(value: Any) -> None:
    """An object that is no span is left to other formats."""
    assert not is_otel(value)


@pytest.mark.parametrize("kind", [[], {}], ids=repr)
def test_a_part_whose_type_is_no_name_ends_nothing(kind: Any) -> None:
    """Its text is read."""
    messages = [{"role": "user", "parts": [{"type": kind, "content": "x"}, {"type": "text", "content": "Hi"}]}]
    assert len(read_values(span({**GENAI, "gen_ai.input.messages": messages}))) == 1
