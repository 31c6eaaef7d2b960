"""Reads what a test writes as a file would be read, so that recognition is a part of every test of a format."""

from __future__ import annotations

import io
import json
from typing import Any

from valueaudit.readers.format import Format
from valueaudit.readers.reading import Reading
from valueaudit.registry import FORMATS
from valueaudit.transcript import BadRecord, Item, Transcript


class TextSource:
    def __init__(self, text: str) -> None:
        self.name = "log.jsonl"
        self.stream = io.BufferedReader(io.BytesIO(text.encode()))


def read_text(text: str, format: Format | None = None) -> tuple[list[Item], tuple[str, ...]]:
    """All items of a file with this text and the formats that it was read in, `format` if it is forced."""
    reading = Reading(FORMATS) if format is None else Reading((format,), forced=True)
    items = [*reading.read(TextSource(text)), *reading.finish()]
    return items, reading.formats


def read_lines(*records: Any, format: Format | None = None) -> list[Item]:
    """The items of a file with one of these records a line."""
    return read_text("".join(json.dumps(record) + "\n" for record in records), format)[0]


def read_one(record: Any, name: str, format: Format | None = None) -> Transcript:
    """The one conversation of a record, which is of the format `name`."""
    (item,), formats = read_text(json.dumps(record) + "\n", format)
    assert isinstance(item, Transcript), item
    assert formats == (name,)
    return item


def transcripts(items: list[Item]) -> list[Transcript]:
    """The items, which are all conversations."""
    assert all(isinstance(item, Transcript) for item in items), items
    return [item for item in items if isinstance(item, Transcript)]


def reason_of(record: Any, format: Format | None = None) -> str:
    """Why this record is bad."""
    (item,) = read_lines(record, format=format)
    assert isinstance(item, BadRecord), item
    return item.reason


def said(transcript: Transcript) -> list[tuple[str, str]]:
    """Roles and texts."""
    return [(str(message.role), message.text) for message in transcript.messages]
