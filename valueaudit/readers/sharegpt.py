"""ShareGPT, because most open sets of conversations came in it: turns with `from` and `value`, tool calls as turns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from valueaudit.readers.building import point_below
from valueaudit.readers.content import Unreadable, name_kind, parse_message, quote
from valueaudit.readers.format import Format, alone
from valueaudit.readers.listed import build_listed, list_of
from valueaudit.transcript import Location, Message, Transcript

_LISTS = ("conversations", "conversation", "messages", "items")
_TEXTS = ("value", "content", "text")
_CALL = "call"
_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "claude": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "system": "system",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "function_response": "tool",
    "function_call": _CALL,
    "tool_call": _CALL,
}
# the models of Nous Research write their calls into the text
_CALL_OPENS, _CALL_CLOSES = "<tool_call>", "</tool_call>"
_CALL_MARKS = re.compile("(</?tool_call>)")
_PREFERENCES = ("chosen", "rejected")
# LLaVA and LLaMA-Factory put these words where a medium stood, and the media into fields of the record
_PLACEHOLDERS = {
    "<image>": ("image", ("image", "images")),
    "<video>": ("video", ("video", "videos")),
    "<audio>": ("audio", ("audio", "audios")),
}


def is_sharegpt(value: Any) -> bool:
    """Whether a record has turns with `from` and a text; an empty list of `conversations` is one without turns."""
    return type(value) is dict and (_find_list(value) is not None or value.get("conversations") == [])


def is_turn(value: Any) -> bool:
    """Whether a value is one turn: from a known speaker, with a text."""
    return (
        type(value) is dict and "role" not in value and _find_role(value) is not None and _find_text(value) is not None
    )


def parse_sharegpt(record: Any, location: Location) -> Sequence[Transcript]:
    """The conversation of a record, or the two in which a preferred and a rejected turn end it. Raises `Unreadable`."""
    field = (_find_list(record) if type(record) is dict else None) or "conversations"
    turns = list_of(record, field)
    if not all(type(record.get(name)) is dict for name in _PREFERENCES):
        return (_build(record, location, turns, field),)
    base = {key: value for key, value in record.items() if key not in _PREFERENCES}
    return [_build_preferred(base, location, [*turns, record[name]], field, name) for name in _PREFERENCES]


def _build_preferred(
    base: dict[str, Any], location: Location, turns: list[Any], field: str, preference: str
) -> Transcript:
    identity = {"id": f"{base['id']}/{preference}"} if "id" in base else {}
    record = {**base, **identity, field: turns, "preference": preference}
    return _build(record, point_below(location, preference), turns, field)


def _build(record: dict[str, Any], location: Location, turns: list[Any], field: str) -> Transcript:
    media = {mark: kind for mark, (kind, fields) in _PLACEHOLDERS.items() if any(record.get(name) for name in fields)}
    messages = [_parse_turn(turn, index, field, media) for index, turn in enumerate(turns)]
    return build_listed(record, location, messages, field=field)


def _parse_turn(turn: Any, index: int, field: str, media: dict[str, str]) -> Message:
    where = f"{field}[{index}]"
    if type(turn) is not dict:
        raise Unreadable(f"{where} is {name_kind(turn)}, not an object")
    if type(turn.get("children")) is list and len(turn["children"]) > 1:
        raise Unreadable(
            f"{where} has {len(turn['children'])} children: turns that branch are no list in which to read"
        )
    role = _find_role(turn)
    if role is None:
        speaker = turn.get("from")
        if not isinstance(speaker, str):
            raise Unreadable(f'{where} has no "from"' if speaker is None else f"{where}.from is {name_kind(speaker)}")
        raise Unreadable(f"{where} is from the unknown {quote(speaker)}; known are {', '.join(_ROLES)}")
    name = _find_text(turn)
    if name is None:
        raise Unreadable(f'{where} has no "value"')
    content = turn[name]
    if role == _CALL:
        return parse_message({"role": "assistant", "content": None, "tool_calls": _read_calls(content)}, index, field)
    if role == "assistant" and isinstance(content, str) and _CALL_OPENS in content:
        text, calls = _split_calls(content)
        return parse_message({"role": role, "content": text, "tool_calls": calls}, index, field)
    if isinstance(content, str) and media:
        content = _split_media(content, media)
    return parse_message({"role": role, "content": content}, index, field)


def _read_calls(content: Any) -> list[Any]:
    """What a turn calls: an object with name and arguments, or several, mostly as JSON in a string."""
    if isinstance(content, str):
        try:
            content = msgspec.json.decode(content)
        except (msgspec.DecodeError, RecursionError):
            return [{"arguments": content}]
    return content if isinstance(content, list) else [content]


def _split_calls(text: str) -> tuple[str, list[Any]]:
    """A text without the calls that are written into it, and the calls."""
    said: list[str] = []
    calls: list[Any] = []
    pieces = iter(_CALL_MARKS.split(text))
    said.append(next(pieces))
    for opens, inside in zip(pieces, pieces, strict=True):
        closes, after = next(pieces, ""), next(pieces, "")
        if (opens, closes) == (_CALL_OPENS, _CALL_CLOSES):
            calls += _read_calls(inside.strip())
            said.append(after)
        else:
            said += (opens, inside, closes, after)
    return "".join(said).strip(), calls


def _split_media(text: str, media: dict[str, str]) -> list[dict[str, str]]:
    parts: list[dict[str, str]] = []
    for mark, kind in media.items():
        parts += [{"type": kind}] * text.count(mark)
        text = text.replace(mark, "")
    return [{"type": "text", "text": text.strip() if parts else text}, *parts]


def _find_list(record: dict[str, Any]) -> str | None:
    """The field that holds the turns: told by the first of them."""
    for field in _LISTS:
        turns = record.get(field)
        first = turns[0] if type(turns) is list and turns else None
        if is_turn(first) or (field == "conversations" and type(first) is dict and {"from", "value"} <= first.keys()):
            return field
    return None


def _find_role(turn: dict[str, Any]) -> str | None:
    speaker = turn.get("from")
    return _ROLES.get(speaker.strip().lower().replace("-", "_")) if isinstance(speaker, str) else None


def _find_text(turn: dict[str, Any]) -> str | None:
    return next((name for name in _TEXTS if name in turn), None)


SHAREGPT = Format(
    name="sharegpt",
    title="ShareGPT: turns with from and value, also of LLaMA-Factory and FastChat",
    recognises=is_sharegpt,
    start=alone(parse_sharegpt),
    example=(
        '[{"id": "s1", "conversations": [{"from": "human", "value": "Is the shop open?"}, '
        '{"from": "function_call", "value": "{\\"name\\": \\"hours\\", \\"arguments\\": {}}"}, '
        '{"from": "observation", "value": "9 to 5"}, {"from": "gpt", "value": "Yes, until five."}]}]\n'
    ),
)
