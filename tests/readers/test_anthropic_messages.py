from __future__ import annotations

import json
from typing import Any

import pytest
from api_samples import ASKED, MESSAGE, QUESTION, REPLY, SAID, formats_of, read_one, read_run, spoken, to_lines

from valueaudit.transcript import BadRecord, Location, Message, Role

NAME = "anthropic-messages"
REQUEST = {"model": "m-1", "max_tokens": 9, "system": "Be kind.", "messages": [ASKED]}
WHOLE = [("user", QUESTION), ("assistant", REPLY), ("system", "Be kind.")]


def stream(*events: Any) -> str:
    """Server-sent events, as a recording keeps them."""
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}   \n\n" for event in events)


START = {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}}


def delta(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    """A piece of a block."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def block(index: int, **fields: Any) -> dict[str, Any]:
    """The start of a block."""
    return {"type": "content_block_start", "index": index, "content_block": fields}


@pytest.mark.parametrize(
    "record",
    [
        {"request": REQUEST, "response": MESSAGE},
        {"request": json.dumps(REQUEST), "response": json.dumps(MESSAGE)},
        {"request": {"body": REQUEST}, "response": {"status": 200, "headers": {}, "body": json.dumps(MESSAGE)}},
        {"input": REQUEST, "output": MESSAGE},
        {**REQUEST, "response": MESSAGE},
    ],
    ids=lambda record: " ".join(record),
)
def test_a_request_and_its_message(record: dict[str, Any]) -> None:
    """The message follows the request, and the system prompt comes after the last, as in a chat."""
    assert spoken(read_one(record, NAME)) == WHOLE


def test_a_prefilled_answer_is_a_message_of_its_own() -> None:
    """Words that were put into the assistant's mouth stay at their index."""
    begun = {**REQUEST, "messages": [ASKED, {"role": "assistant", "content": "Well,"}]}
    assert spoken(read_one({"request": begun, "response": MESSAGE}, NAME)) == [
        ("user", QUESTION),
        ("assistant", "Well,"),
        ("assistant", REPLY),
        ("system", "Be kind."),
    ]


@pytest.mark.parametrize(
    "body", [MESSAGE, json.dumps(MESSAGE), f"  {json.dumps(MESSAGE)}"], ids=["json", "text", "space"]
)
def test_a_recorded_response(body: Any) -> None:
    """A recording of the response alone is what the assistant said, and says that the request is missing."""
    transcript = read_one({"status": 200, "headers": {"set-cookie": "x"}, "body": body}, NAME)
    assert spoken(transcript) == [("assistant", REPLY)]
    assert transcript.id == "msg_1"
    assert transcript.metadata == {"model": "m-1", "status": 200, "stop_reason": "end_turn", "request_missing": True}


def test_thinking_and_tools_are_attachments() -> None:
    """Thinking, redacted or not, and uses of tools are no speech."""
    content = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "I will look."},
        {"type": "tool_use", "id": "t", "name": "track", "input": {"order": 1}},
    ]
    assert read_one({**MESSAGE, "content": content}, NAME).messages == (
        Message(
            Role.ASSISTANT,
            "I will look.",
            ("thinking, not read", "thinking, not read", 'tool call track({"order":1})'),
        ),
    )


def test_a_stream_is_put_together() -> None:
    """Events add up to the message that a response without streaming would be."""
    body = stream(
        START,
        {"type": "ping"},
        block(0, type="thinking", thinking=""),
        delta(0, "thinking_delta", thinking="hm"),
        delta(0, "signature_delta", signature="s"),
        block(1, type="text", text=""),
        delta(1, "text_delta", text="Yes, within "),
        delta(1, "text_delta", text="30 days."),
        delta(7, "text_delta", text="lost"),
        block(2, type="tool_use", name="track", input={}),
        delta(2, "input_json_delta", partial_json='{"order":'),
        delta(2, "input_json_delta", partial_json="1}"),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}},
        {"type": "message_stop"},
    )
    transcript = read_one({"status": 200, "body": body}, NAME)
    assert transcript.messages == (
        Message(Role.ASSISTANT, REPLY, ("thinking, not read", 'tool call track({"order":1})')),
    )
    assert transcript.metadata["stop_reason"] == "tool_use"


def test_a_stream_that_breaks_off() -> None:
    """What was said until then is read; half an event is not."""
    body = stream(START, block(0, type="text", text=""), delta(0, "text_delta", text="Yes")) + 'data: {"type": "con'
    assert spoken(read_one({"status": 200, "body": body}, NAME)) == [("assistant", "Yes")]


def test_a_stream_that_tells_of_an_error() -> None:
    """A failed stream is no answer, whatever was said before."""
    failed = stream(START, {"type": "error", "error": {"type": "overloaded_error", "message": "secret"}})
    (item,), _ = read_run(to_lines({"request": REQUEST, "response": {"status": 200, "body": failed}}))
    assert item == BadRecord(Location("0", 1), 'the response is an error of type "overloaded_error"')


@pytest.mark.parametrize(
    "record",
    [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]},
        {"type": "assistant", "message": SAID, "uuid": "u", "sessionId": "s"},
        {"type": "message", "role": "user", "content": "x", "model": "m"},
        {"status": 200, "body": "event: x\ndata: {}\n\n"},
    ],
    ids=repr,
)
def test_other_records_are_not_taken(record: Any) -> None:
    """Items of other APIs, lines of session files and other recordings are not of this format."""
    assert NAME not in formats_of(record)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (5, "response.content is a number, not a string or a list of parts"),
        ([5], "response.content[0] is a number, not a string or an object"),
    ],
    ids=repr,
)
def test_broken_content_says_where(content: Any, reason: str) -> None:
    """A message with content of an unknown kind is a bad record."""
    (item,), _ = read_run(to_lines({**MESSAGE, "content": content}))
    assert item == BadRecord(Location("0", 1), reason)


def test_forced_on_another_record() -> None:
    """A record without a message is a bad record where the format is forced."""
    (item,), _ = read_run(to_lines({"a": 1}), format_name=NAME)
    assert item == BadRecord(Location("0", 1), 'no response of type "message"')
