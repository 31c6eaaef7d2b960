"""How many keys a record has, as decoded and as written: where both are the same, no object names a key twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from valueaudit.readers.content import Unreadable, are_plain

DEEPEST = 100
# of messages below each other, which are two levels each: far from the interpreter's own limit
LONGEST_CHAIN = 300
TOO_DEEP = f"nested more than {DEEPEST} levels deep"
UNKNOWN = -1

_CHAINED = frozenset({"messageId", "isCreatedByUser"})
_SPACE, _QUOTE, _COLON = b' ":'


def count_key_ends(block: bytes, lines: Sequence[bytes]) -> list[int]:
    """How many keys each of the `lines` of which `block` consists may have: never fewer than it has.

    Counts the colons behind a quotation mark or white space: all that end a key, and such as lie in strings.
    """
    # many lines at once in C: the same search in each line takes as long as decoding it
    written = np.frombuffer(block, np.uint8)
    colons = np.flatnonzero(written == _COLON)
    before = written[colons - 1]
    ends = colons[(before == _QUOTE) | (before <= _SPACE)]
    line_ends = np.cumsum([len(line) for line in lines])
    counts: list[int] = np.diff(np.searchsorted(ends, line_ends), prepend=0).tolist()
    return counts


def count_keys(record: dict[str, Any]) -> int:
    """The keys of all objects in the record. Raises `Unreadable` where they lie too deep."""
    record, laid_out = _lay_out(record)
    count = len(record) + laid_out
    level: list[Any] = []
    for field, value in record.items():
        if type(value) is dict:
            level.append(value)
        elif type(value) is list:
            if field == "messages" and are_plain(value):
                # a role and a text each, with nothing below that a reader would take
                count += 2 * len(value)
            else:
                level.append(value)
    for _ in range(DEEPEST):
        if not level:
            return count
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                count += len(node)
                node = node.values()
            below += [child for child in node if type(child) is dict or type(child) is list]
        level = below
    raise Unreadable(TOO_DEEP)


def _lay_out(record: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """A record whose messages hang below each other, as LibreChat exports them, with all of them side by side.

    Beside it is the number of `children` that it no longer has. How deep such messages lie says nothing but how many
    there are, and their reader keeps none of it.
    """
    level = record.get("messages") if "conversationId" in record else None
    first = level[0] if type(level) is list and level else None
    if type(first) is not dict or _CHAINED.isdisjoint(first):
        return record, 0
    messages: list[Any] = []
    laid_out = 0
    for _ in range(LONGEST_CHAIN):
        below: list[Any] = []
        for message in level or ():
            if type(message) is dict and type(message.get("children")) is list:
                below += message["children"]
                laid_out += 1
                message = {field: value for field, value in message.items() if field != "children"}
            messages.append(message)
        if not below:
            return {**record, "messages": messages}, laid_out
        level = below
    raise Unreadable(f"more than {LONGEST_CHAIN} messages below each other")
