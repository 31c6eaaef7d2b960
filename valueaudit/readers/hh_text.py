"""Conversations written as one text with "Human:" and "Assistant:" before the turns, as in the hh-rlhf sets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from valueaudit.readers.building import build_transcript, gather_metadata, names, point_below
from valueaudit.readers.content import Unreadable, name_kind
from valueaudit.readers.format import Format, alone
from valueaudit.transcript import BadRecord, Item, Location, Message, Metadata, Role

_PAIR = ("chosen", "rejected")
_SINGLE = ("transcript", "text", "conversation", "dialogue", "dialog")
_IDS = ("id", "prompt_id", "conversation_id")
_SPEAKER = re.compile(r"\n\n(Human|Assistant):")
_ROLES = {"Human": Role.USER, "Assistant": Role.ASSISTANT}


def is_turn_text(text: object) -> bool:
    """Whether a text is one of turns: it begins with the name of a speaker, and both speak."""
    if not isinstance(text, str) or not text.lstrip().startswith(("Human:", "Assistant:")):
        return False
    return all(f"{name}:" in text for name in _ROLES) and len(set(_SPEAKER.findall(_open(text)))) == len(_ROLES)


def split_turns(text: str) -> list[Message]:
    """The messages of such a text, without the white space around them.

    A paragraph that begins with the name of a speaker is a new turn: the text has no other sign of where one begins.
    """
    _, *rest = _SPEAKER.split(_open(text))
    return [Message(_ROLES[name], said.strip()) for name, said in zip(rest[::2], rest[1::2], strict=True)]


def _open(text: str) -> str:
    return f"\n\n{text.lstrip()}"


def is_hh_text(value: Any) -> bool:
    """Whether a record holds such a text, or two of which one was preferred."""
    if type(value) is not dict:
        return False
    if all(isinstance(value.get(name), str) for name in _PAIR) and "prompt" not in value:
        return any(is_turn_text(value[name]) for name in _PAIR)
    return "messages" not in value and _find_single(value) is not None


def parse_hh_text(record: Any, location: Location) -> Sequence[Item]:
    """The conversation of a record, or the two of a pair, each with its own fault. Raises `Unreadable`."""
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    if all(name in record for name in _PAIR):
        return [_parse_side(record, location, name) for name in _PAIR]
    field = _find_single(record)
    if field is None:
        raise Unreadable('no text of turns that begin with "Human:" and "Assistant:"')
    id_field = _find_id(record)
    metadata = gather_metadata(record, {field, id_field})
    return (_build(record[field], location, record.get(id_field or ""), metadata),)


def _parse_side(record: dict[str, Any], location: Location, name: str) -> Item:
    text = record[name]
    place = point_below(location, name)
    if not is_turn_text(text):
        return BadRecord(place, f'"{name}" is no text of turns that begin with "Human:" and "Assistant:"')
    id_field = _find_id(record)
    identity = f"{record[id_field]}/{name}" if id_field is not None else None
    metadata = {**gather_metadata(record, {*_PAIR, id_field}), "preference": name}
    return _build(text, place, identity, metadata)


def _build(text: str, location: Location, identity: object, metadata: Metadata) -> Item:
    return build_transcript(split_turns(text), location, identity=identity, metadata=metadata)


def _find_single(record: dict[str, Any]) -> str | None:
    return next((name for name in _SINGLE if is_turn_text(record.get(name))), None)


def _find_id(record: dict[str, Any]) -> str | None:
    return next((name for name in _IDS if names(record.get(name))), None)


HH_TEXT = Format(
    name="hh-text",
    title='texts with "Human:" and "Assistant:" before the turns, also in pairs: hh-rlhf',
    recognises=is_hh_text,
    start=alone(parse_hh_text),
    example=(
        '{"chosen": "\\n\\nHuman: Is the shop open?\\n\\nAssistant: Until five.", '
        '"rejected": "\\n\\nHuman: Is the shop open?\\n\\nAssistant: No idea."}\n'
    ),
)
