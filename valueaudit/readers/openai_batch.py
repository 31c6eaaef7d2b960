"""Batches of the OpenAI API and of those that speak like it: requests in one file, results in another, in any order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from valueaudit.readers.bodies import unpack_body
from valueaudit.readers.content import Unreadable, name_kind
from valueaudit.readers.exchange import Exchange, build_exchange
from valueaudit.readers.format import Format
from valueaudit.readers.joining import Half, joined, read_key
from valueaudit.transcript import LeftOut, Location, Transcript

_SILENT = ("/embeddings", "/moderations", "/images/generations", "/images/edits")
_SPEECH = frozenset({"body", "response", "error", "custom_id"})


def is_openai_batch(value: Any) -> bool:
    """Whether a record is a line of a batch: an id of the sender's, with a body that was asked or a response."""
    if type(value) is not dict or "custom_id" not in value:
        return False
    return isinstance(value.get("body"), dict) or ("response" in value and isinstance(value["response"], dict | None))


def split_line(record: Any, location: Location) -> Iterator[Half]:
    """The one half that a line is. Raises `Unreadable`."""
    key = read_key(record)
    if "response" in record or "error" in record:
        yield Half(key, record, location, is_result=True)
    elif isinstance(record.get("body"), dict):
        yield Half(key, record, location, is_result=False)
    else:
        raise Unreadable('neither a "body" that was asked nor a "response"')


def build_line(request: Half, result: Half) -> Transcript | LeftOut:
    """The conversation of a request and its result, at the place of the result. Raises `Unreadable`."""
    url = request.record.get("url")
    if isinstance(url, str) and url.endswith(_SILENT):
        return LeftOut(result.location, "a call that is no conversation, as its url says")
    error, (body, recorded) = result.record.get("error"), unpack_body(result.record.get("response"))
    if error:
        body = {"error": error}
    elif not isinstance(body, dict):
        raise Unreadable(f"the response is {name_kind(body)}, not an object")
    told = {key: value for side in (request.record, result.record, recorded) for key, value in side.items()}
    beside = {key: value for key, value in told.items() if key not in _SPEECH}
    return build_exchange(Exchange(request.record["body"], body, beside), result.location, result.key)


OPENAI_BATCH = Format(
    name="openai-batch",
    title="requests and results of a batch: OpenAI Batch and what speaks like it",
    recognises=is_openai_batch,
    start=joined(split_line, build_line),
    scope="run",
    example=(
        '{"custom_id": "c1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "example-1", '
        '"messages": [{"role": "user", "content": "May I return a worn coat?"}]}}\n'
        '{"id": "batch_req_1", "custom_id": "c1", "response": {"status_code": 200, "body": {"id": "chatcmpl-1", '
        '"object": "chat.completion", "model": "example-1", "choices": [{"index": 0, "message": '
        '{"role": "assistant", "content": "Yes, within 30 days."}, "finish_reason": "stop"}]}}, "error": null}\n'
    ),
)
