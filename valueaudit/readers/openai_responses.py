"""Calls of the OpenAI Responses API: items that were asked and answered, in pairs or as a stored list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valueaudit.readers.bodies import parse_instructions
from valueaudit.readers.building import build_transcript, gather_metadata, names
from valueaudit.readers.content import Unreadable
from valueaudit.readers.exchange import build_exchange, find_exchange
from valueaudit.readers.format import Format, alone
from valueaudit.readers.items import is_item, parse_items
from valueaudit.transcript import Location, Message, Role, Transcript

_PAGING = frozenset({"object", "first_id", "last_id", "has_more"})
_LISTS = ("items", "data", "input")


def is_responses(value: Any) -> bool:
    """Whether a record holds a response of this API, or a list of its items."""
    if type(value) is not dict:
        return False
    found = find_exchange(value)
    return found.api == "responses" if found is not None else _find_list(value) is not None


def parse_responses(record: Any, location: Location) -> Sequence[Transcript]:
    """The one conversation of a record. Raises `Unreadable`."""
    found = find_exchange(record)
    if found is not None and found.api == "responses":
        return (build_exchange(found, location),)
    field = _find_list(record) if isinstance(record, dict) else None
    if field is None:
        raise Unreadable('no "output", "input", "items" or "data" with the items of a conversation')
    messages = parse_items(record[field], field)
    if field == "data" and _is_newest_first(messages):
        messages.reverse()
    prompt = parse_instructions(record.get("instructions"))
    identity = next((record[key] for key in ("id", "conversation_id") if names(record.get(key))), None)
    metadata = gather_metadata(record, {field, "id", *_PAGING, *(("instructions",) if prompt is not None else ())})
    said = messages if prompt is None else [*messages, prompt]
    return (build_transcript(said, location, identity=identity, metadata=metadata),)


def _find_list(record: dict[str, Any]) -> str | None:
    """The field with the items of a conversation."""
    for field in _LISTS:
        items = record.get(field)
        if not isinstance(items, list) or not items or not all(map(is_item, items)):
            continue
        # messages without a type are in many formats; a page and a request are told by what stands beside them
        told = {"data": record.get("object") == "list", "input": isinstance(record.get("model"), str)}
        if told.get(field, any("type" in item for item in items)):
            return field
    return None


def _is_newest_first(messages: Sequence[Message]) -> bool:
    """Whether a page begins with its latest item, as the API gives them unless it is asked for another order."""
    asking = (Role.USER, Role.SYSTEM)
    return messages[0].role not in asking and messages[-1].role in asking


OPENAI_RESPONSES = Format(
    name="openai-responses",
    title="requests with their responses, and stored items: OpenAI Responses API",
    recognises=is_responses,
    start=alone(parse_responses),
    example=(
        '{"request": {"model": "example-1", "instructions": "You serve the Acme shop.", '
        '"input": "May I return a worn coat?"}, "response": {"id": "resp_1", "object": "response", '
        '"model": "example-1", "output": [{"type": "message", "role": "assistant", '
        '"content": [{"type": "output_text", "text": "Yes, within 30 days."}]}]}}\n'
    ),
)
