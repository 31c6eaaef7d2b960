"""Reads small logs through the whole table of formats, as a scan would, so that tests see what a user sees."""

from __future__ import annotations

import io
import json
from typing import Any, BinaryIO

from valueaudit.readers.format import Format, Record
from valueaudit.readers.reading import Reading
from valueaudit.registry import FORMATS
from valueaudit.transcript import BadRecord, Item, LeftOut, Location, Transcript


class Log:
    """A source in memory."""

    def __init__(self, text: str, name: str = "log") -> None:
        self.name = name
        self.stream: BinaryIO = io.BufferedReader(io.BytesIO(text.encode()))


def read_log(text: str, name: str = "log") -> list[Item]:
    """All that is read from this text."""
    return read_logs({name: text})


def read_logs(texts: dict[str, str]) -> list[Item]:
    """All that is read from these sources in one run."""
    reading = Reading(FORMATS)
    items = [item for name, text in texts.items() for item in reading.read(Log(text, name))]
    return [*items, *reading.finish()]


def read_lines(*values: Any) -> list[Item]:
    """All that is read from these values, a line each."""
    return read_log("\n".join(json.dumps(value) for value in values))


def read_document(value: Any) -> list[Item]:
    """All that is read from this value as one document over several lines."""
    return read_log(json.dumps(value, indent=1))


def only(items: list[Item]) -> Transcript:
    """The one conversation, which is all there is."""
    (item,) = items
    assert isinstance(item, Transcript), item
    return item


def only_reason(items: list[Item]) -> str:
    """Why the one record is bad."""
    (item,) = items
    assert isinstance(item, BadRecord), item
    return item.reason


def transcripts(items: list[Item]) -> list[Transcript]:
    """The conversations among these."""
    return [item for item in items if isinstance(item, Transcript)]


def left_out(items: list[Item]) -> list[LeftOut]:
    """The records without speech among these."""
    return [item for item in items if isinstance(item, LeftOut)]


def words(transcript: Transcript) -> list[tuple[str, str]]:
    """Roles and texts of a conversation."""
    return [(message.role.value, message.text) for message in transcript.messages]


def carried(transcript: Transcript) -> list[tuple[str, ...]]:
    """The attachments of each message."""
    return [message.attachments for message in transcript.messages]


def force(format: Format, *values: Any) -> list[Item]:
    """All that this format makes of values, whether it would recognise them or not."""
    parser = format.start()
    fed = [item for line, value in enumerate(values, 1) for item in parser.feed(Record(value, Location("log", line)))]
    return [*fed, *parser.close()]
