"""Logs of traces written by the tests, and what is read from them."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any, BinaryIO

from valueaudit.readers.format import Format
from valueaudit.readers.reading import Reading
from valueaudit.registry import FORMATS
from valueaudit.transcript import BadRecord, Item, LeftOut, Transcript

FORMATS_PAGE = Path(__file__).parents[1] / "docs" / "formats.md"


class FakeSource:
    """A source of these bytes."""

    def __init__(self, content: bytes) -> None:
        self.name = "log.jsonl"
        self.stream: BinaryIO = io.BufferedReader(io.BytesIO(content))


def read_text(text: str, *, forced: Format | None = None) -> list[Item]:
    """Everything that a file with this text holds."""
    reading = Reading(FORMATS) if forced is None else Reading((forced,), forced=True)
    return [*reading.read(FakeSource(text.encode())), *reading.finish()]


def read_values(*values: Any, forced: Format | None = None) -> list[Item]:
    """Everything that a file with these values, one a line, holds."""
    return read_text("".join(json.dumps(value) + "\n" for value in values), forced=forced)


def transcripts(items: list[Item]) -> list[Transcript]:
    """The conversations among the items."""
    return [item for item in items if isinstance(item, Transcript)]


def left_out(items: list[Item]) -> list[str]:
    """Why the items that hold no speech of their own hold none."""
    return [item.reason for item in items if isinstance(item, LeftOut)]


def bad(items: list[Item]) -> list[str]:
    """Why the bad records are bad."""
    return [item.reason for item in items if isinstance(item, BadRecord)]


def one(items: list[Item]) -> Transcript:
    """The only conversation; nothing is bad."""
    assert bad(items) == []
    (only,) = transcripts(items)
    return only


def said(transcript: Transcript) -> list[tuple[str, str]]:
    """Who said what."""
    return [(message.role.value, message.text) for message in transcript.messages]


def section_examples(title: str) -> list[str]:
    """The JSONL examples in the section of the page of formats with this title."""
    page = FORMATS_PAGE.read_text(encoding="utf-8")
    section = page.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"```jsonl\n(.*?)```", section, flags=re.DOTALL)


def resolve(document: Any, pointer: str | None) -> Any:
    """What a JSON pointer names in a document."""
    for part in (pointer or "").split("/")[1:]:
        document = document[int(part) if isinstance(document, list) else part]
    return document
