"""One message a record, because tables and databases keep chats so: rows of one conversation are found by its id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from valueaudit.readers.building import gather_metadata
from valueaudit.readers.columns import find_conversation_id, find_index, find_time, pick, squash
from valueaudit.readers.content import Unreadable, find_role, name_kind, parse_message_at
from valueaudit.readers.format import Format, Record
from valueaudit.readers.gathering import Gathering
from valueaudit.transcript import BadRecord, Item, Location, Role

_ROLES = ("role", "sender", "speaker", "author")
_TEXTS = ("content", "text", "message", "utterance", "value", "body")
_MESSAGE_IDS = frozenset({"id", "messageid", "uuid", "parentid", "parentmessageid"})
_SPOKEN = frozenset({"tool_calls", "function_call", "refusal", "tool_call_id", "name"})
# what a message may have beside role and content and still be nothing but a message
_BARE = _SPOKEN | {"role", "content", "id", "model", "metadata", "audio", "annotations", "thinking"}
# rows of applications that name their speakers otherwise
_FOREIGN = frozenset({"isCreatedByUser", "messages", "replies"})


def is_message_row(value: Any) -> bool:
    """Whether a record is one message of a conversation that it names, or nothing but a message."""
    if type(value) is not dict or not _FOREIGN.isdisjoint(value):
        return False
    if "role" in value and "content" in value and _is_bare(value):
        return find_role(value["role"]) is not None and _is_content(value["content"])
    role, text = _find_role_column(value), _find_text_column(value)
    if role is None or text is None or find_conversation_id(value) is None:
        return False
    known = find_role(value[role]) is not None
    return (known or (role == "role" and isinstance(value[role], str))) and _is_content(value[text])


class MessageRows:
    """Gathers the messages of a source; those that name no conversation are one together."""

    def __init__(self) -> None:
        self._gathering = Gathering()

    def feed(self, record: Record) -> Iterable[Item]:
        """Nothing yet, or one `BadRecord`."""
        try:
            self._add(record.value, record.location)
        except Unreadable as error:
            return (BadRecord(record.location, error.reason),)
        return ()

    def close(self) -> Iterable[Item]:
        """Every conversation."""
        return self._gathering.close()

    def _add(self, row: Any, location: Location) -> None:
        if type(row) is not dict:
            raise Unreadable(f"{name_kind(row)}, not an object")
        role, text = _find_role_column(row), _find_text_column(row)
        if role is None:
            raise Unreadable(f"no column says who speaks; known are {', '.join(_ROLES)}")
        if text is None:
            raise Unreadable(f"no column says what was said; known are {', '.join(_TEXTS)}")
        spoken = {name: row[name] for name in _SPOKEN & row.keys()}
        message = parse_message_at({**spoken, "role": row[role], "content": row[text]}, "record")
        key = find_conversation_id(row)
        if key is None:
            location = _whole(location)
        orders = (found[0] for found in (find_index(row), find_time(row)) if found)
        left_out = {role, text, key, "model", *_SPOKEN, *orders, *pick(row, _MESSAGE_IDS)}
        self._gathering.add(
            None if key is None else str(row[key]),
            location,
            (message,),
            row,
            gather_metadata(row, left_out),
            identity=None if key is None else row[key],
            model=row.get("model") if message.role is Role.ASSISTANT else None,
        )


def _whole(location: Location) -> Location:
    """Where the messages of a whole source lie: the document that is an array of them, else the first line."""
    return location if location.line is not None else Location(location.source, None, "")


def _is_bare(value: dict[str, Any]) -> bool:
    times = find_time(value)
    return all(name in _BARE or (times is not None and name == times[0]) for name in value)


def _is_content(value: object) -> bool:
    return value is None or isinstance(value, str | list)


def _find_role_column(row: dict[str, Any]) -> str | None:
    return next((name for wanted in _ROLES for name in row if squash(name) == wanted), None)


def _find_text_column(row: dict[str, Any]) -> str | None:
    return next((name for wanted in _TEXTS for name in row if squash(name) == wanted), None)


MESSAGE_ROWS = Format(
    name="message-rows",
    title="one message a record, with the id of its conversation",
    recognises=is_message_row,
    start=MessageRows,
    example=(
        '{"conversation_id": "c1", "turn": 1, "role": "user", "content": "Is the shop open?"}\n'
        '{"conversation_id": "c1", "turn": 2, "role": "assistant", "content": "Until five."}\n'
    ),
)
