from __future__ import annotations

import json
from typing import Any

import pytest
from api_samples import ASKED, QUESTION, REPLY, SAID, formats_of, read_one, read_run, reason_of, spoken, to_lines

from valueaudit.transcript import BadRecord, Location, Message, Role

NAME = "openai-responses"
ITEM = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": REPLY}]}
RESPONSE = {"id": "resp_1", "object": "response", "model": "m-1-2026", "error": None, "output": [ITEM]}
BOTH = [("user", QUESTION), ("assistant", REPLY)]


@pytest.mark.parametrize(
    "record",
    [
        {"request": {"model": "m-1", "input": QUESTION}, "response": RESPONSE},
        {"request": {"model": "m-1", "input": [ASKED]}, "response": RESPONSE},
        {"request": {"model": "m-1", "input": [{"type": "message", **ASKED}]}, "response": json.dumps(RESPONSE)},
        {"model": "m-1", "input": QUESTION, "response": RESPONSE},
        {"model": "m-1", "input": QUESTION, "output": [ITEM]},
        {"input": [ASKED], **RESPONSE},
        {"items": [{"type": "message", **ASKED}, ITEM]},
        {"object": "list", "data": [ASKED, ITEM], "first_id": "a", "last_id": "b", "has_more": False},
        {"object": "list", "data": [ITEM, {"type": "reasoning", "summary": []}, ASKED]},
        {"model": "m-1", "input": [ASKED, SAID]},
    ],
    ids=lambda record: " ".join(record),
)
def test_what_was_asked_and_answered(record: dict[str, Any]) -> None:
    """Requests with responses and stored items are one conversation, in the order in which it was said."""
    said = [turn for turn in spoken(read_one(record, NAME)) if turn[1]]
    assert said == BOTH


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"type": "reasoning", "summary": []}, Message(Role.ASSISTANT, "", ("thinking, not read",))),
        (
            {"type": "function_call", "name": "track", "arguments": '{"order":1}', "call_id": "c"},
            Message(Role.ASSISTANT, "", ('tool call track({"order":1})',)),
        ),
        ({"type": "function_call_output", "call_id": "c", "output": "on its way"}, Message(Role.TOOL, "on its way")),
        (
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "far"}]},
            Message(Role.TOOL, "far"),
        ),
        ({"type": "custom_tool_call", "name": "sh", "input": "ls"}, Message(Role.ASSISTANT, "", ("tool call sh(ls)",))),
        (
            {"type": "web_search_call", "id": "w", "action": {"query": "coat"}},
            Message(Role.ASSISTANT, "", ('tool call web_search({"query":"coat"})',)),
        ),
        (
            {"type": "mcp_call", "name": "look", "arguments": "{}", "output": "a coat"},
            Message(Role.ASSISTANT, "", ("tool call look({})", "tool result: a coat")),
        ),
        ({"type": "item_reference", "id": "i"}, Message(Role.ASSISTANT, "", ('part of type "item_reference"',))),
        (
            {"role": "user", "content": [{"type": "input_text", "text": "Look"}, {"type": "input_image"}]},
            Message(Role.USER, "Look", ("image",)),
        ),
        (
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            Message(Role.ASSISTANT, "No."),
        ),
        ({"role": "developer", "content": "Be kind."}, Message(Role.SYSTEM, "Be kind.")),
    ],
    ids=lambda value: str(value.get("type")) if isinstance(value, dict) else "",
)
def test_each_item_is_one_message(item: dict[str, Any], message: Message) -> None:
    """Calls, results and reasoning are messages without words, so that indexes are those of the items."""
    transcript = read_one({"items": [ITEM, item]}, NAME)
    assert transcript.messages == (Message(Role.ASSISTANT, REPLY), message)


def test_instructions_are_a_system_prompt() -> None:
    """They come first before a text, and after the last of a list of items, whose indexes they leave alone."""
    prompt = ("system", "Be kind.")
    text = {"request": {"model": "m", "input": QUESTION, "instructions": "Be kind."}, "response": RESPONSE}
    items = {"model": "m", "input": [ASKED], "instructions": "Be kind.", "output": [ITEM]}
    stored = {"items": [ITEM], "instructions": "Be kind."}
    assert spoken(read_one(text, NAME)) == [prompt, *BOTH]
    assert spoken(read_one(items, NAME)) == [*BOTH, prompt]
    assert spoken(read_one(stored, NAME)) == [*BOTH[1:], prompt]


def test_a_response_alone_repeats_its_instructions() -> None:
    """The response holds the system prompt, as text or as items; the metadata says that the request is missing."""
    for instructions in ("Be kind.", [{"role": "system", "content": "Be kind."}]):
        transcript = read_one({**RESPONSE, "instructions": instructions}, NAME)
        assert spoken(transcript) == [("system", "Be kind."), *BOTH[1:]]
        assert transcript.metadata == {"model": "m-1-2026", "request_missing": True}
    assert spoken(read_one({**RESPONSE, "instructions": [{"type": "reasoning"}]}, NAME)) == BOTH[1:]


def test_identity_and_metadata() -> None:
    """The id of the response and the fields beside it are kept, and so are those of a stored list."""
    pair = {"user_id": "u1", "request": {"model": "m-1", "input": QUESTION}, "response": {**RESPONSE, "status": "done"}}
    transcript = read_one(pair, NAME)
    assert transcript.id == "resp_1"
    assert transcript.metadata == {
        "model": "m-1-2026",
        "user_id": "u1",
        "status": "done",
        "request.model": "m-1",
    }
    stored = read_one({"id": "conv_1", "object": "list", "data": [ITEM], "has_more": False, "tag": "x"}, NAME)
    assert (stored.id, stored.metadata) == ("conv_1", {"tag": "x"})


def test_streams() -> None:
    """The last event holds the response; where the stream broke off, the items that were done are read."""
    done = {"type": "response.output_item.done", "item": ITEM}
    for events in ([done, {"type": "response.completed", "response": RESPONSE}], [done]):
        body = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        record = {"request": {"model": "m", "input": QUESTION}, "response": {"status": 200, "body": body}}
        assert spoken(read_one(record, NAME)) == BOTH


def test_a_failed_response_is_a_bad_record() -> None:
    """A response with an error and no words is none."""
    failed = {**RESPONSE, "output": [], "error": {"code": "server_error", "message": "secret"}}
    record = {"request": {"model": "m", "input": QUESTION}, "response": failed}
    assert reason_of(record, NAME) == 'the response is an error of type "server_error"'
    partly = {**RESPONSE, "error": {"code": "server_error"}}
    assert spoken(read_one({**record, "response": partly}, NAME)) == BOTH


def test_broken_items_say_where() -> None:
    """An item that is none makes a bad record that names its place."""
    record = {"request": {"model": "m", "input": [ASKED]}, "response": {**RESPONSE, "output": [ITEM, 5]}}
    assert reason_of(record, NAME) == "response.output[1] is a number, not an object"


@pytest.mark.parametrize(
    "record",
    [
        {"items": [{"role": "user", "content": "x"}]},
        {"items": [{"sku": 1}]},
        {"items": [{"type": 5}]},
        {"items": []},
        {"object": "list", "data": [{"id": "model"}]},
        {"data": [{"type": "message", **ASKED}]},
        {"input": [ASKED]},
        {"output": [{"type": "x"}]},
        "x",
    ],
    ids=repr,
)
def test_other_records_are_not_taken(record: Any) -> None:
    """Lists of other things, and messages without a sign of this API, are not of this format."""
    assert NAME not in formats_of(record)


def test_forced_on_another_record() -> None:
    """A record without items is a bad record where the format is forced."""
    items, _ = read_run(to_lines({"a": 1}, "x"), format_name=NAME)
    reason = 'no "output", "input", "items" or "data" with the items of a conversation'
    assert items == [BadRecord(Location("0", line), reason) for line in (1, 2)]
