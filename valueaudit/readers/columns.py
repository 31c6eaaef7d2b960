"""The columns of tables of chats, told by name however people write it (`user_message`, `userMessage`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

CONVERSATION_IDS = frozenset(
    {
        "conversationid",
        "conversationuuid",
        "conversationhash",
        "convid",
        "sessionid",
        "threadid",
        "chatid",
        "dialogueid",
        "dialogid",
        "conversation",
        "session",
        "thread",
        "chat",
        "dialogue",
        "dialog",
    }
)
_INDEXES = frozenset(
    {
        "turn",
        "turnid",
        "turnindex",
        "turnnumber",
        "messageindex",
        "messagenumber",
        "index",
        "idx",
        "seq",
        "sequence",
        "sequencenumber",
        "position",
        "order",
        "step",
    }
)
_TIMES = frozenset(
    {
        "timestamp",
        "ts",
        "time",
        "datetime",
        "date",
        "created",
        "createdat",
        "createtime",
        "createddate",
        "sentat",
    }
)


@lru_cache(maxsize=4096)
def squash(name: str) -> str:
    """A column's name in small letters, without spaces and signs."""
    return "".join(filter(str.isalnum, name.lower()))


def pick(columns: Iterable[str], wanted: Collection[str]) -> list[str]:
    """Those of the columns that are called one of `wanted`, in their order."""
    return [column for column in columns if squash(column) in wanted]


def find_conversation_id(record: dict[str, Any]) -> str | None:
    """The column that names the conversation to which a row belongs."""
    for column in pick(record, CONVERSATION_IDS):
        value = record[column]
        if type(value) is int or (isinstance(value, str) and value.strip()):
            return column
    return None


def find_index(record: dict[str, Any]) -> tuple[str, float] | None:
    """The column that counts the turns, and its number."""
    for column in pick(record, _INDEXES):
        number = _read_number(record[column])
        if number is not None:
            return column, number
    return None


def find_time(record: dict[str, Any]) -> tuple[str, float] | None:
    """The column that says when, and its seconds since 1970; numbers are taken as they are."""
    for column in pick(record, _TIMES):
        moment = _read_time(record[column])
        if moment is not None:
            return column, moment
    return None


def _read_number(value: object) -> float | None:
    if type(value) in (int, float):
        return _as_float(value)
    if isinstance(value, str) and value.strip().isdecimal():
        return _as_float(value)
    return None


def _read_time(value: object) -> float | None:
    number = _read_number(value)
    if number is not None or not isinstance(value, str):
        return number
    try:
        moment = datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _as_float(value: Any) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None
