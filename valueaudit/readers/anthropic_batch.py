"""Message Batches of the Anthropic API: what was sent to be answered, and results that come in any order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from valueaudit.readers.content import Unreadable, name_kind, quote
from valueaudit.readers.exchange import Exchange, build_exchange
from valueaudit.readers.format import Format
from valueaudit.readers.joining import Half, joined, read_key
from valueaudit.transcript import BadRecord, Location, Transcript

_SPEECH = frozenset({"params", "result", "custom_id"})


def is_anthropic_batch(value: Any) -> bool:
    """Whether a record is a request or a result of a batch, or the call that sent all its requests."""
    if type(value) is not dict:
        return False
    if "custom_id" in value:
        result = value.get("result")
        return isinstance(value.get("params"), dict) or (isinstance(result, dict) and "type" in result)
    sent = value.get("requests")
    return isinstance(sent, list) and bool(sent) and all(map(_is_request, sent))


def split_record(record: Any, location: Location) -> Iterator[Half | BadRecord]:
    """The half that a line is, or the halves of a call, each at its place."""
    sent = record.get("requests") if isinstance(record, dict) else None
    if not isinstance(sent, list):
        yield _split_one(record, location)
        return
    above = location.pointer or ""
    for index, request in enumerate(sent):
        yield _split_one(request, Location(location.source, location.line, f"{above}/requests/{index}"))


def build_result(request: Half, result: Half) -> Transcript:
    """The conversation of a request and its result, at the place of the result. Raises `Unreadable`."""
    outcome = result.record["result"]
    kind = outcome.get("type")
    if kind != "succeeded":
        raise Unreadable(_explain(kind, outcome.get("error")))
    told = {key: value for key, value in {**request.record, **result.record}.items() if key not in _SPEECH}
    return build_exchange(Exchange(request.record["params"], outcome.get("message"), told), result.location, result.key)


def _split_one(record: Any, location: Location) -> Half | BadRecord:
    try:
        key = read_key(record)
    except Unreadable as error:
        return BadRecord(location, error.reason)
    if isinstance(record.get("result"), dict):
        return Half(key, record, location, is_result=True)
    if isinstance(record.get("params"), dict):
        return Half(key, record, location, is_result=False)
    return BadRecord(location, 'neither "params" that were asked nor a "result"')


def _is_request(value: Any) -> bool:
    return type(value) is dict and "custom_id" in value and "params" in value


def _explain(kind: Any, error: Any) -> str:
    if not isinstance(kind, str):
        return f"result.type is {name_kind(kind)}, not a string"
    while isinstance(error, dict) and isinstance(error.get("error"), dict):
        error = error["error"]
    named = error.get("type") if isinstance(error, dict) else None
    return f"the request was not answered: {quote(kind)}{f', {quote(named)}' if isinstance(named, str) else ''}"


ANTHROPIC_BATCH = Format(
    name="anthropic-batch",
    title="requests and results of a batch: Anthropic Message Batches",
    recognises=is_anthropic_batch,
    start=joined(split_record, build_result),
    scope="run",
    example=(
        '{"custom_id": "c1", "params": {"model": "example-1", "max_tokens": 100, '
        '"messages": [{"role": "user", "content": "May I return a worn coat?"}]}}\n'
        '{"custom_id": "c1", "result": {"type": "succeeded", "message": {"id": "msg_1", "type": "message", '
        '"role": "assistant", "model": "example-1", "content": [{"type": "text", "text": "Yes, within 30 days."}], '
        '"stop_reason": "end_turn"}}}\n'
    ),
)
