"""Pairs of a preferred and a rejected reply to one prompt: two conversations, told apart by their metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valueaudit.readers.building import build_transcript, gather_metadata, point_below
from valueaudit.readers.content import Unreadable, name_kind
from valueaudit.readers.format import Format, alone
from valueaudit.readers.hh_text import is_turn_text, split_turns
from valueaudit.readers.prompt_response import (
    find_columns,
    find_id,
    is_message,
    is_messages,
    parse_before,
    parse_reply,
    speech_columns,
)
from valueaudit.transcript import BadRecord, Item, Location, Message, Role

_PAIRS = (("chosen", "rejected"), ("chosen_messages", "rejected_messages"), ("chosen_response", "rejected_response"))
_REPEATS = frozenset({"messages", "conversation", "conversations"})


def is_preference(value: Any) -> bool:
    """Whether a record has two replies of a pair: lists of messages, or texts beside exactly one prompt."""
    if type(value) is not dict:
        return False
    pair = _find_pair(value)
    if pair is None:
        return False
    sides = [value[name] for name in pair]
    if all(is_messages(side) or is_message(side) for side in sides):
        return True
    has_prompt = find_columns(tuple(value)).asked is not None or is_messages(value.get("messages"))
    return has_prompt and all(isinstance(side, str) for side in sides)


def parse_preference(record: Any, location: Location) -> Sequence[Item]:
    """The two conversations of a record, each with its own fault. Raises `Unreadable`."""
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    pair = _find_pair(record)
    if pair is None:
        raise Unreadable('no pair of replies such as "chosen" and "rejected"')
    return [_parse_side(record, location, pair, index) for index in (0, 1)]


def _parse_side(record: dict[str, Any], location: Location, pair: tuple[str, str], index: int) -> Item:
    name = pair[index]
    preference = ("chosen", "rejected")[index]
    place = point_below(location, name)
    columns = find_columns(tuple(record))
    try:
        messages = _parse_messages(record, name)
        id_field = find_id(record)
        repeats = {field for field in _REPEATS if is_messages(record.get(field))}
        metadata = gather_metadata(record, {*pair, *repeats, *speech_columns(columns, record), id_field})
        identity = f"{record[id_field]}/{preference}" if id_field is not None else None
        return build_transcript(messages, place, identity=identity, metadata={**metadata, "preference": preference})
    except Unreadable as error:
        return BadRecord(place, error.reason)


def _parse_messages(record: dict[str, Any], name: str) -> list[Message]:
    """The conversation that ends with this reply; where the reply holds the prompt already, it is not said twice."""
    side = record[name]
    if is_turn_text(side):
        return split_turns(side)
    reply = parse_reply(side, name)
    if type(side) is list and any(message.role is Role.USER for message in reply):
        return reply
    columns = find_columns(tuple(record))
    if columns.asked is not None:
        return parse_before(record, columns, columns.asked) + reply
    if is_messages(record.get("messages")):
        return parse_reply(record["messages"], "messages") + reply
    raise Unreadable("no column, or more than one, that can be the prompt")


def _find_pair(record: dict[str, Any]) -> tuple[str, str] | None:
    return next((pair for pair in _PAIRS if pair[0] in record and pair[1] in record), None)


PREFERENCE = Format(
    name="preference",
    title="a prompt with a chosen and a rejected reply, as texts or messages",
    recognises=is_preference,
    start=alone(parse_preference),
    example=(
        '{"prompt": "Is the shop open?", "chosen": [{"role": "assistant", "content": "Until five."}], '
        '"rejected": [{"role": "assistant", "content": "No idea."}]}\n'
    ),
)
