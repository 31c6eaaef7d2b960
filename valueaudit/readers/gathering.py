"""Conversations whose messages lie in several records, gathered until the source ends, because they may interleave."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from msgspec import Struct

from valueaudit.readers.building import build_transcript
from valueaudit.readers.columns import find_index, find_time
from valueaudit.transcript import Location, Message, Metadata, Transcript

_MODEL = "model"


class _Row(Struct, frozen=True):
    messages: tuple[Message, ...]
    index: float | None
    time: float | None
    said_at: Any
    model: Any


class _Conversation(Struct):
    location: Location
    identity: object
    rows: list[_Row]
    common: Metadata
    differing: set[str]
    time_field: str | None


class Gathering:
    """Takes rows in any order; rows of one key are one conversation."""

    def __init__(self) -> None:
        self._conversations: dict[Hashable, _Conversation] = {}

    def add(
        self,
        key: Hashable,
        location: Location,
        messages: Sequence[Message],
        record: dict[str, Any],
        metadata: Metadata,
        *,
        identity: object = None,
        model: object = None,
    ) -> None:
        """Adds the messages of one row. `record` says when they were said, `model` who answered.

        Of the metadata, what is the same in all rows of a conversation is kept. The location is that of the first row.
        """
        index, time = find_index(record), find_time(record)
        found = self._conversations.get(key)
        if found is None:
            time_field = time[0] if time else None
            found = _Conversation(location, identity, [], dict(metadata), set(), time_field)
            self._conversations[key] = found
        else:
            _keep_common(found, metadata)
        said_at = record.get(found.time_field) if found.time_field else None
        number, seconds = index[1] if index else None, time[1] if time else None
        found.rows.append(_Row(tuple(messages), number, seconds, said_at, model))

    def close(self) -> list[Transcript]:
        """The conversations, in the order of their first rows; the gathering is empty then."""
        conversations = [_build(found) for found in self._conversations.values()]
        self._conversations = {}
        return conversations


def _keep_common(found: _Conversation, metadata: Metadata) -> None:
    for name, value in metadata.items():
        if name not in found.differing and found.common.setdefault(name, value) != value:
            del found.common[name]
            found.differing.add(name)


def _build(found: _Conversation) -> Transcript:
    rows = _in_order(found.rows)
    metadata = dict(found.common)
    if found.time_field is not None:
        metadata[found.time_field] = rows[0].said_at
    model = next((row.model for row in rows if isinstance(row.model, str)), None)
    if model is not None:
        metadata[_MODEL] = model
    messages = [message for row in rows for message in row.messages]
    return build_transcript(messages, found.location, identity=found.identity, metadata=metadata)


def _in_order(rows: list[_Row]) -> list[_Row]:
    """By turn, then by time, each only where every row says it; else as in the source."""
    by_index = all(row.index is not None for row in rows)
    by_time = all(row.time is not None for row in rows)
    return sorted(rows, key=lambda row: (row.index or 0 if by_index else 0, row.time or 0 if by_time else 0))
