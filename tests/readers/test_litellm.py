from __future__ import annotations

import json
from typing import Any

import pytest
from api_samples import (
    ASKED,
    CALL,
    COMPLETION,
    QUESTION,
    REPLY,
    formats_of,
    is_left_out,
    read_one,
    read_run,
    reason_of,
    spoken,
    to_lines,
)

from valueaudit.transcript import BadRecord, Location

NAME = "litellm"
BOTH = [("user", QUESTION), ("assistant", REPLY)]
EMPTY: dict[str, Any] = {
    "request_id": "chatcmpl-9",
    "call_type": "acompletion",
    "startTime": "2026-11-02 09:20:46",
    "model": "alias",
    "status": "success",
    "metadata": "{}",
    "request_tags": "[]",
    "messages": "{}",
    "response": "{}",
    "proxy_server_request": "{}",
}


def row(**fields: Any) -> dict[str, Any]:
    """A row of the logs with these fields."""
    return {**EMPTY, **fields}


PACKED = json.dumps(COMPLETION)


@pytest.mark.parametrize(
    "record",
    [
        row(messages=json.dumps([ASKED]), response=PACKED),
        row(messages=[ASKED], response=COMPLETION),
        row(messages=json.dumps(CALL), response=PACKED),
        row(messages=QUESTION, response=PACKED),
        row(proxy_server_request=json.dumps(CALL), response=PACKED),
        row(proxy_server_request={"url": "x", "body": CALL}, response=PACKED),
        row(messages=[ASKED], response=REPLY),
        row(messages=[], proxy_server_request=CALL, response=COMPLETION, call_type=None),
    ],
    ids=lambda record: f"{record['messages']!r:.20}-{record['proxy_server_request']!r:.20}",
)
def test_stored_words_are_read(record: dict[str, Any]) -> None:
    """Messages, else the request that the proxy was sent, and the response are one conversation."""
    transcript = read_one(record, NAME)
    assert spoken(transcript) == BOTH
    assert transcript.id == "chatcmpl-9"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"messages": "", "response": None, "proxy_server_request": None},
        {"messages": [], "response": {}, "proxy_server_request": {}},
    ],
    ids=repr,
)
def test_rows_without_content_are_never_scored(fields: dict[str, Any]) -> None:
    """A row in which no words are stored is a bad record that says so and how to have them."""
    reason = reason_of(row(**fields), NAME)
    assert reason.startswith("no content is stored: ")
    assert "store_prompts_in_spend_logs: true" in reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"messages": [ASKED]}, 'no content is stored: "response" holds no answer'),
        ({"response": '{"a": 1}'}, 'no content is stored: "response" holds no answer'),
        ({"messages": [ASKED], "status": "failure"}, "the call failed: there is no response"),
        (
            {"messages": [ASKED], "response": {"text": "redacted-by-litellm"}},
            'no content is stored: "response" holds no answer',
        ),
        (
            {"messages": [{"role": "user", "content": "redacted-by-litellm"}], "response": COMPLETION},
            "no content is stored: litellm has redacted it",
        ),
        (
            {"messages": [ASKED], "response": {"error": {"code": "429"}}},
            'the response is an error of type "429"',
        ),
    ],
    ids=repr,
)
def test_rows_without_an_answer_say_why(fields: dict[str, Any], reason: str) -> None:
    """A row whose answer is not stored, failed or was taken out is a bad record."""
    assert reason_of(row(**fields), NAME) == reason


def test_a_response_alone_is_read_and_says_so() -> None:
    """Where only the answer is stored, it is read, and the metadata says that the request is missing."""
    transcript = read_one(row(response=PACKED), NAME)
    assert spoken(transcript) == BOTH[1:]
    assert transcript.metadata["request_missing"] is True


def test_calls_that_are_no_conversation_are_left_out() -> None:
    """Embeddings, images and the like are counted and not read."""
    (item,), _ = read_run(to_lines(row(call_type="aembedding")))
    assert is_left_out(item)


def test_metadata_is_unpacked() -> None:
    """JSON in strings is read, fields that are null are none, and the model is the one that answered."""
    packed = json.dumps({"user_api_key_alias": "shop", "status": None})
    record = row(messages=[ASKED], response=COMPLETION, metadata=packed, request_tags='["vip"]', end_user="u1")
    assert read_one(record, NAME).metadata == {
        "model": "m-1-2026",
        "record.model": "alias",
        "user_api_key_alias": "shop",
        "status": "success",
        "request_tags": ["vip"],
        "end_user": "u1",
        "call_type": "acompletion",
        "startTime": "2026-11-02 09:20:46",
        "id": "chatcmpl-1",
    }


def test_words_that_were_cut_are_told() -> None:
    """Where litellm has cut a long text, the metadata says so."""
    cut = {"role": "user", "content": "May I ... (litellm_truncated skipped 900 chars) ... coat?"}
    assert read_one(row(messages=[cut], response=COMPLETION), NAME).metadata["litellm_truncated"] is True


@pytest.mark.parametrize(
    "record", [{"call_type": "x", "startTime": "y"}, {"call_type": "x", "response": "{}"}, {"startTime": 1}], ids=repr
)
def test_other_records_are_not_taken(record: Any) -> None:
    """The fields of a row are told together."""
    assert NAME not in formats_of(record)


def test_forced_on_another_record() -> None:
    """A value that is no object is a bad record where the format is forced."""
    items, _ = read_run(to_lines("x"), format_name=NAME)
    assert items == [BadRecord(Location("0", 1), "a string, not an object")]
