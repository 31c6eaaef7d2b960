"""Sources that are no files."""

from __future__ import annotations

import io
from typing import BinaryIO

from valueaudit.readers.containers import read_records
from valueaudit.readers.format import Record
from valueaudit.transcript import BadRecord


class FakeSource:
    """A source over bytes."""

    def __init__(self, content: bytes, name: str = "log") -> None:
        self.name = name
        self.stream: BinaryIO = io.BufferedReader(io.BytesIO(content), 256 * 1024)


def records_of(content: bytes) -> list[Record | BadRecord]:
    """Every record of these bytes, in whatever container they are."""
    return list(read_records(FakeSource(content)))


def told(content: bytes) -> list[tuple[str, object]]:
    """Where each record lies, and its value, or why it is bad as a text with `!` before."""
    return [
        (str(each.location), f"!{each.reason}" if isinstance(each, BadRecord) else each.value)
        for each in records_of(content)
    ]
