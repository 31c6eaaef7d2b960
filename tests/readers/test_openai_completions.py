from __future__ import annotations

import json
from typing import Any

import pytest
from api_samples import (
    ASKED,
    CALL,
    CHOICES,
    COMPLETION,
    QUESTION,
    REPLY,
    SAID,
    formats_of,
    read_one,
    read_run,
    reason_of,
    spoken,
    to_lines,
)

from valueaudit.transcript import BadRecord, Location, Message, Role

NAME = "openai-completions"
BOTH = [("user", QUESTION), ("assistant", REPLY)]


@pytest.mark.parametrize(
    "record",
    [
        {"request": CALL, "response": COMPLETION},
        {"request": json.dumps(CALL), "response": json.dumps(COMPLETION)},
        {"kwargs": CALL, "response": COMPLETION},
        {"input": CALL, "output": COMPLETION},
        {"inputs": CALL, "output": COMPLETION},
        {"input": QUESTION, "output": COMPLETION},
        {"input": [ASKED], "output": COMPLETION},
        {**CALL, **CHOICES},
        {**CALL, "response": COMPLETION},
        {**CALL, "response": REPLY},
        {**CALL, "completion": REPLY},
        {**CALL, "completion": COMPLETION},
        {**CALL, "output": COMPLETION},
        {"messages": [ASKED, SAID], "response": COMPLETION},
        {"prompt": QUESTION, "response": {"object": "text_completion", "choices": [{"text": REPLY}]}},
        {"prompt": [QUESTION], "choices": [{"text": REPLY, "finish_reason": "stop"}]},
        {"prompt": QUESTION, "response": {"object": "chat.completion", "choices": [{"message": REPLY}]}},
        {"request": CALL, "response": {"model": "m", "message": SAID, "done": True}},
        {"request": {"method": "POST", "body": json.dumps(CALL)}, "response": {"status": 200, "body": COMPLETION}},
    ],
    ids=lambda record: " ".join(record),
)
def test_a_request_and_its_response_are_one_conversation(record: dict[str, Any]) -> None:
    """Whatever fields a request and its response lie in, the answer follows the question once."""
    assert spoken(read_one(record, NAME)) == BOTH


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [ASKED, SAID], "response": "9 of 10"},
        {"messages": [ASKED, SAID], "output": COMPLETION, "target": "x"},
        {"messages": [ASKED], "output": REPLY},
        {"messages": [ASKED], "error": {"type": "x"}},
        {"messages": [ASKED], "response": {"rating": 5}},
        {"messages": [ASKED], "choices": ["a", "b"]},
        {"messages": [], "response": REPLY},
    ],
    ids=lambda record: " ".join(record),
)
def test_what_is_said_about_a_chat_is_no_answer(record: dict[str, Any]) -> None:
    """A chat with other fields beside its messages stays a chat."""
    assert formats_of(record) == ("chat",)


@pytest.mark.parametrize(
    "record",
    [
        {"input": QUESTION, "output": REPLY},
        {"prompt": QUESTION, "completion": REPLY},
        {"question": QUESTION, "choices": [{"text": "Yes", "label": "A"}]},
        {"request": {"input": QUESTION}, "response": {"rating": 5}},
        {"request": {"path": "/"}, "response": {"status": 200, "body": "<html>"}},
        {"status": 500, "body": "broken"},
        {"input": {"messages": [ASKED]}, "output": {"messages": [SAID]}},
        {"kwargs": CALL},
        {"error": "x"},
        {"response": "x"},
        [],
        "x",
        None,
    ],
    ids=repr,
)
def test_other_records_are_not_taken(record: Any) -> None:
    """A record without an answer that an API gives is not of this format."""
    assert NAME not in formats_of(record)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (None, "there is no response"),
        ([], "the response is a list, not an answer of a known API"),
        ({}, "the response is an object without fields, not an answer of a known API"),
        ({"a": 1}, 'the response is an object with the fields "a", not an answer of a known API'),
        ({"object": "chat.completion", "choices": []}, "response.choices is empty"),
        ({"object": "chat.completion", "choices": [1]}, "response.choices[0] is a number, not an object"),
        ({"object": "chat.completion", "choices": [{}]}, 'response.choices[0] has no "message" and no "text"'),
        (
            {"object": "chat.completion", "choices": [{"message": {"content": 5}}]},
            "response.choices[0].message.content is a number, not a string or a list of parts",
        ),
        ({"error": {"message": "secret", "code": "rate_limit"}}, 'the response is an error of type "rate_limit"'),
        (
            {"error": {"type": "error", "error": {"type": "overloaded"}}},
            'the response is an error of type "overloaded"',
        ),
        ({"error": {"message": "secret"}}, "the response is an error"),
        ({"error": "secret"}, "the response is an error"),
        ({"error": {"code": 429, "message": "secret"}}, 'the response is an error of type "429"'),
        ({"status": 503, "body": "<html>"}, 'the response is an error of type "HTTP status 503"'),
    ],
    ids=repr,
)
def test_a_response_that_is_no_answer_says_why(response: Any, reason: str) -> None:
    """A call without an answer is one bad record, whose reason repeats no word of the log."""
    assert reason_of({"request": CALL, "response": response}, NAME) == reason


def test_a_failed_call_is_a_bad_record() -> None:
    """An error in the place of the response is told."""
    record = {"request": CALL, "response": None, "error": {"type": "timeout"}}
    assert reason_of(record, NAME) == 'the response is an error of type "timeout"'


@pytest.mark.parametrize(
    ("request_body", "reason"),
    [
        ({"model": "m", "prompt": [1, 2]}, "what was asked is a list of texts or of tokens, not one conversation"),
        ({"model": "m", "prompt": ["a", "b"]}, "what was asked is a list of texts or of tokens, not one conversation"),
        ({"model": "m", "messages": {"a": 1}}, "what was asked is an object, not a string or a list"),
        ({"messages": ["x", ASKED]}, "messages[0] is a string, not an object"),
    ],
    ids=repr,
)
def test_a_request_that_is_no_conversation_says_why(request_body: Any, reason: str) -> None:
    """A request that asks nothing that can be read is a bad record."""
    assert reason_of({"request": request_body, "response": COMPLETION}, NAME) == reason


def test_messages_keep_their_index() -> None:
    """A system prompt beside the messages comes last, so that each message has the index of the source."""
    record = {"request": {**CALL, "system": "Be kind."}, "response": COMPLETION}
    assert spoken(read_one(record, NAME)) == [*BOTH, ("system", "Be kind.")]


def test_the_first_choice_counts_and_the_others_are_branches() -> None:
    """Other choices are counted and not read."""
    second = {"index": 1, "message": {"role": "assistant", "content": "No."}}
    transcript = read_one({**CALL, "choices": [*CHOICES["choices"], second, second]}, NAME)
    assert (spoken(transcript), transcript.branches) == (BOTH, 2)


def test_what_is_not_said_is_an_attachment() -> None:
    """Calls of tools and thinking stand beside no words; spoken audio is read as what was said."""
    call = {"function": {"name": "look", "arguments": "{}"}}
    silent = {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "hm"}
    heard = {"role": "assistant", "content": None, "audio": {"data": "x", "transcript": REPLY}}
    assert read_one({**CALL, "choices": [{"message": silent}]}, NAME).messages[1] == Message(
        Role.ASSISTANT, "", ("thinking, not read", "tool call look({})")
    )
    assert read_one({**CALL, "choices": [{"message": heard}]}, NAME).messages[1] == Message(
        Role.ASSISTANT, REPLY, ("audio",)
    )


def test_a_response_alone_is_read_and_says_so() -> None:
    """Without its request a response is what the assistant said, and the metadata says that the rest is missing."""
    transcript = read_one({**COMPLETION, "created": 5}, NAME)
    assert spoken(transcript) == BOTH[1:]
    assert transcript.id == "chatcmpl-1"
    assert transcript.metadata == {"model": "m-1-2026", "created": 5, "request_missing": True}


def test_metadata_of_all_sides() -> None:
    """The fields of record, response and request are kept; where they differ, under the name of the side."""
    record = {
        "id": 7,
        "model": "alias",
        "user_id": "u1",
        "metadata": {"topic": "billing"},
        "request": {**CALL, "temperature": 0.5, "topic": "other"},
        "response": {**COMPLETION, "usage": {"total_tokens": 9}},
    }
    transcript = read_one(record, NAME)
    assert transcript.id == "7"
    assert transcript.metadata == {
        "model": "m-1-2026",
        "record.model": "alias",
        "topic": "billing",
        "request.topic": "other",
        "user_id": "u1",
        "id": "chatcmpl-1",
        "usage": {"total_tokens": 9},
        "request.model": "m-1",
        "temperature": 0.5,
    }


def test_a_stream_is_put_together() -> None:
    """Chunks of a recorded stream add up to the choices; what breaks off counts as far as it goes."""
    chunks: list[Any] = [
        {"id": "c", "model": "m-2", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Yes, "}}]},
        {"choices": [{"index": 0, "delta": {"content": "within 30 days."}, "finish_reason": "stop"}, "odd"]},
        {
            "choices": [
                {"index": 1, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{"}}]}}
            ]
        },
        {"choices": [{"index": 1, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}, 4]}}]},
        {"choices": None},
        5,
    ]
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\ndata: {\n"
    transcript = read_one({"request": CALL, "response": body}, NAME)
    assert (spoken(transcript), transcript.branches) == (BOTH, 1)
    assert transcript.metadata["model"] == "m-2"


def test_text_that_looks_like_json_stays_text() -> None:
    """An answer in JSON, whole or broken, is what the assistant said."""
    for text in ('{"a": 1}', '{"a": 1, "a": 2}', '{"a', "data: x", '{"choices": ' + "[" * 200 + "]" * 200 + "}"):
        assert spoken(read_one({**CALL, "response": text}, NAME))[1] == ("assistant", text)


def test_forced_on_another_record() -> None:
    """A record without an exchange is a bad record where the format is forced."""
    items, _ = read_run(to_lines({"a": 1}), format_name=NAME)
    assert items == [
        BadRecord(Location("0", 1), "no response with choices, and no messages with a response"),
    ]
