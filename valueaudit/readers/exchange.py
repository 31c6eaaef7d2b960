"""A request and its response as one conversation, whatever fields of a record they lie in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from valueaudit.readers.bodies import (
    ANSWERED,
    ASKED,
    Answer,
    Api,
    Question,
    parse_instructions,
    parse_request,
    parse_response,
    tell_api,
    unpack_body,
    unpack_json,
)
from valueaudit.readers.building import build_transcript, gather_metadata, names
from valueaudit.readers.content import Unreadable
from valueaudit.transcript import Location, Message, Metadata, Role, Transcript

_REQUESTS = ("request", "kwargs", "input", "inputs")
_ENVELOPES = frozenset({"request", "kwargs"})
# an object with an "input" may be anything else
_OF_A_CALL = frozenset({"messages", "model"})
_RESPONSES = ("response", "completion", "output")
# without one of these a record is looked at no further, so that a log of plain chats stays fast
_TRACES = frozenset({*_RESPONSES, "choices", "body", "content", "message"})
_IDS = ("id", "chat_id", "conversation_id", "request_id", "custom_id")
_ASSISTANT = frozenset({"assistant", "ai", "model", "bot"})
_NOTHING: frozenset[str] = frozenset()


class Exchange(Struct, frozen=True):
    """A request and a response; `beside` is what the record says of both. `request` is None where it is not there."""

    request: dict[str, Any] | None
    response: Any
    beside: dict[str, Any]

    @property
    def api(self) -> Api | None:
        """The API whose response this is, None for a text and for what is no answer."""
        return tell_api(self.response)


def find_exchange(record: Any) -> Exchange | None:
    """The exchange in a record, None where it holds none. Raises nothing."""
    if type(record) is not dict or _TRACES.isdisjoint(record):
        return None
    if "body" in record and tell_api(unpack_json(record["body"])):
        return Exchange(None, *unpack_body(record))
    request, asked_in = _find_request(record)
    for key in _RESPONSES:
        found = _find_response(record, key, request) if key in record and key not in asked_in else None
        if found is not None:
            return Exchange(request, found[0], found[1] | _without(record, asked_in | {key}))
    rest = _without(record, asked_in)
    if tell_api(rest) not in (None, "error"):
        return Exchange(request, rest, {})
    if request is not None and "response" in record and not asked_in.isdisjoint(_ENVELOPES):
        return Exchange(request, rest if rest.get("error") else unpack_json(rest["response"]), rest)
    return None


def build_exchange(exchange: Exchange, location: Location, identity: object = None) -> Transcript:
    """The conversation of an exchange; where the request is not there, of what the assistant said.

    Its metadata then says `request_missing`. Raises `Unreadable`.
    """
    answer = parse_response(exchange.response)
    if exchange.request is not None:
        messages = _join(parse_request(exchange.request), answer)
    else:
        repeated = parse_instructions(exchange.response.get("instructions"))
        messages = [*([repeated] if repeated is not None else []), *answer.messages]
    if not names(identity):
        sides = [side for side in (exchange.beside, exchange.response) if isinstance(side, dict)]
        identity = next((side[key] for side in sides for key in _IDS if names(side.get(key))), None)
    metadata = _gather(exchange, identity)
    return build_transcript(messages, location, identity=identity, metadata=metadata, branches=answer.branches)


def parse_exchange(record: Any, location: Location, *, missing: str) -> Sequence[Transcript]:
    """The one conversation of a record. Raises `Unreadable` with the reason `missing` where it holds no exchange."""
    found = find_exchange(record)
    if found is None:
        raise Unreadable(missing)
    return (build_exchange(found, location),)


def _without(record: dict[str, Any], fields: frozenset[str] | set[str]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in fields}


def _find_request(record: dict[str, Any]) -> tuple[dict[str, Any] | None, frozenset[str]]:
    """The request and the fields of the record that it takes up."""
    for key in _REQUESTS:
        body = unpack_body(record.get(key))[0]
        if isinstance(body, dict) and not _OF_A_CALL.isdisjoint(body) and _asks(body):
            return body, frozenset({key})
    flat = {key: record[key] for key in ASKED if key in record}
    return (flat, frozenset(flat)) if _asks(flat) else (None, _NOTHING)


def _asks(body: dict[str, Any]) -> bool:
    return any(body.get(field) for field in ("messages", "input", "prompt"))


def _find_response(
    record: dict[str, Any], key: str, request: dict[str, Any] | None
) -> tuple[Any, dict[str, Any]] | None:
    """The response in a field and what was recorded beside its body, None where the field holds none."""
    response, recorded = unpack_body(record[key])
    if tell_api(response) is not None:
        # beside a whole conversation an output is that of its last call
        return (response, recorded) if key != "output" or "messages" not in record or _is_open(request) else None
    # a string may be the output of anything
    return (record[key], {}) if key != "output" and isinstance(record[key], str) and _is_open(request) else None


def _is_open(request: dict[str, Any] | None) -> bool:
    """Whether messages wait for an answer; beside those that end in one, a string is something said about it."""
    messages = request.get("messages") if request is not None else None
    if not isinstance(messages, list) or not messages:
        return False
    last = messages[-1]
    return isinstance(last, dict) and str(last.get("role")).lower() not in _ASSISTANT


def _join(question: Question, answer: Answer) -> list[Message]:
    """The whole conversation, the answer once where the log has added it to the messages already."""
    last = question.messages[-1:]
    is_there = last == answer.messages and all(message.role is Role.ASSISTANT for message in last)
    return [*question.messages, *(() if is_there else answer.messages), *question.beside]


def _gather(exchange: Exchange, identity: object) -> Metadata:
    """What is known beside the words. Where two sides differ, the later one is kept as `response.NAME` and so on."""
    response = exchange.response if isinstance(exchange.response, dict) else {}
    metadata: Metadata = {"model": response["model"]} if names(response.get("model")) else {}
    sides = (
        ("record", exchange.beside, _NOTHING),
        ("response", response, ANSWERED | {"instructions", "error"}),
        ("request", exchange.request or {}, ASKED),
    )
    for prefix, side, spoken in sides:
        for key, value in gather_metadata(side, spoken).items():
            if key in _IDS and value == identity:
                continue
            if metadata.setdefault(key, value) != value:
                metadata[f"{prefix}.{key}"] = value
    if exchange.request is None:
        metadata["request_missing"] = True
    return metadata
