"""Conversations inside of an object that only holds them together, because exports and replies of APIs are made so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from valueaudit.readers.building import point_below
from valueaudit.readers.columns import find_conversation_id, squash
from valueaudit.readers.format import Format, Record

Known = tuple[Format, Record]
Recognise = Callable[[Any], Format | None]

# what lies under these names is half of an exchange, which an object around it does not make a conversation
_HALVES = frozenset(
    name + ending
    for name in ("input", "output", "request", "response", "prompt", "completion", "body")
    for ending in ("", "s")
)


def unwrap(record: Record, recognise: Recognise) -> list[Known]:
    """The conversations in a record of no format, each with the format of its own; none where it holds anything else.

    Every list and object in the record is a conversation or a list of them, and none is named as half of one. Other
    fields are not read: they may stand beside lists of conversations, not beside a single one, of which they would say
    something.
    """
    if type(record.value) is not dict:
        return []
    parts = {key: child for key, child in record.value.items() if type(child) in (list, dict)}
    if any(squash(key) in _HALVES for key in parts):
        return []
    known: list[Known] = []
    for key, child in parts.items():
        whole = None if _is_rows(child) else recognise(child)
        if whole is not None and len(parts) == len(record.value):
            known.append((whole, Record(child, point_below(record.location, key))))
            continue
        inner = [] if whole is not None or type(child) is dict else _find_each(child, record, key, recognise)
        if not inner:
            return []
        known += inner
    return known


def _find_each(elements: list[Any], record: Record, key: str, recognise: Recognise) -> list[Known]:
    """The elements of a list with their formats, none where one of them has none."""
    known: list[Known] = []
    for index, element in enumerate(elements):
        format = recognise(element)
        if format is None:
            return []
        known.append((format, Record(element, point_below(record.location, key, index))))
    return known


def _is_rows(child: Any) -> bool:
    """Whether these are messages that say themselves to which conversation each belongs."""
    return type(child) is list and all(type(row) is dict and find_conversation_id(row) is not None for row in child)
