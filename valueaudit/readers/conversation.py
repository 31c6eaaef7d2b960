"""Rows with a conversation in a column of its own, as WildChat, LMSYS and the sets made like them have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from valueaudit.readers.building import gather_metadata, names, point_below
from valueaudit.readers.content import Unreadable, name_kind, parse_message
from valueaudit.readers.format import Format, alone
from valueaudit.readers.listed import build_listed, list_of, parse_listed, unpack_list
from valueaudit.readers.prompt_response import is_messages
from valueaudit.transcript import BadRecord, Item, Location, Transcript

_LISTS = ("conversation", "conversations", "conversation_history", "dialogue", "dialog", "dialogs", "chat", "turns")
_BATTLE = ("conversation_a", "conversation_b")
_IDS = ("conversation_id", "conversation_hash", "id", "chat_id", "question_id")
_LIST = "messages"


def is_conversation(value: Any) -> bool:
    """Whether a record holds a list of messages in a known column, or is one."""
    if type(value) is list:
        return is_messages(value)
    if type(value) is not dict:
        return False
    return _find_list(value) is not None or all(is_messages(value.get(name)) for name in _BATTLE)


def parse_conversation(record: Any, location: Location) -> Sequence[Item]:
    """The conversation of a row, or the two of an arena battle. Raises `Unreadable`."""
    if type(record) is list:
        return (parse_listed({_LIST: record}, location),)
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object or a list of messages")
    if all(name in record for name in _BATTLE):
        return [_parse_side(record, location, name) for name in _BATTLE]
    field = _find_list(record)
    if field is None:
        raise Unreadable(f"no list of messages; known columns are {', '.join(_LISTS)}")
    if any(type(raw) is dict and "if_chosen" in raw for raw in list_of(record, field)):
        return (_parse_chosen(record, location, field),)
    return (parse_listed(record, location, field, _IDS),)


def _parse_side(record: dict[str, Any], location: Location, name: str) -> Item:
    """One of the two conversations that a person held with two models at once."""
    letter = name[-1]
    id_field = next((field for field in _IDS if names(record.get(field))), None)
    metadata = gather_metadata(record, {*_BATTLE, id_field, "model_a", "model_b"})
    side: dict[str, Any] = {name: record[name], "metadata": {**metadata, "side": letter}}
    if id_field is not None:
        side["id"] = f"{record[id_field]}/{letter}"
    if isinstance(record.get(f"model_{letter}"), str):
        side["model"] = record[f"model_{letter}"]
    place = point_below(location, name)
    try:
        return parse_listed(side, place, name)
    except Unreadable as error:
        return BadRecord(place, error.reason)


def _parse_chosen(record: dict[str, Any], location: Location, field: str) -> Transcript:
    """A PRISM conversation: of the replies to a turn, the one that the person went on with; the others are branches."""
    turns = [(raw, parse_message(raw, index, field)) for index, raw in enumerate(list_of(record, field))]
    kept = [raw for raw, _ in turns if raw.get("if_chosen") is not False]
    messages = [message for raw, message in turns if raw.get("if_chosen") is not False]
    row = build_listed({**record, field: kept}, location, messages, field=field, ids=_IDS)
    models = [raw["model_name"] for raw in kept if isinstance(raw.get("model_name"), str)]
    metadata = {"model": models[0], **row.metadata} if models else row.metadata
    return replace(row, metadata=metadata, branches=len(turns) - len(kept))


def _find_list(record: dict[str, Any]) -> str | None:
    return next((name for name in _LISTS if is_messages(unpack_list(record.get(name)))), None)


CONVERSATION = Format(
    name="conversation",
    title="rows with a column of messages: WildChat, LMSYS, PRISM",
    recognises=is_conversation,
    start=alone(parse_conversation),
    example=(
        '{"conversation_id": "w1", "model": "example-1", "language": "English", "turn": 1, "conversation": '
        '[{"role": "user", "content": "Is the shop open?"}, {"role": "assistant", "content": "Until five."}]}\n'
    ),
)
