"""Small records in the shapes of the model APIs, and what reads them."""

from __future__ import annotations

import io
import json
from typing import Any

from valueaudit.readers.reading import Reading
from valueaudit.registry import FORMATS, find_format
from valueaudit.transcript import Item, LeftOut, Transcript

QUESTION = "May I return a worn coat?"
REPLY = "Yes, within 30 days."
ASKED = {"role": "user", "content": QUESTION}
SAID = {"role": "assistant", "content": REPLY}
CHOICES = {"choices": [{"index": 0, "message": SAID, "finish_reason": "stop"}]}
CALL = {"model": "m-1", "messages": [ASKED]}
COMPLETION = {"id": "chatcmpl-1", "object": "chat.completion", "model": "m-1-2026", **CHOICES}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m-1",
    "content": [{"type": "text", "text": REPLY}],
    "stop_reason": "end_turn",
}


class FakeSource:
    """A source of these bytes, which can be looked into as an opened file can."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.stream = io.BufferedReader(io.BytesIO(content))


def to_lines(*records: Any) -> str:
    """These records as JSON Lines."""
    return "".join(f"{json.dumps(record)}\n" for record in records)


def read_run(*texts: str, format_name: str | None = None) -> tuple[list[Item], list[tuple[str, ...]]]:
    """The items of a run over files of these texts, named 0, 1 and so on, and the formats of each file."""
    known = find_format(format_name) if format_name is not None else None
    reading = Reading(FORMATS) if known is None else Reading((known,), forced=True)
    items: list[Item] = []
    formats: list[tuple[str, ...]] = []
    for number, text in enumerate(texts):
        items += reading.read(FakeSource(str(number), text.encode()))
        formats.append(reading.formats)
    return [*items, *reading.finish()], formats


def read_one(record: Any, format_name: str) -> Transcript:
    """The one conversation of a record that is recognised as of this format."""
    (item,), (formats,) = read_run(to_lines(record))
    assert formats == (format_name,)
    assert isinstance(item, Transcript), item
    return item


def reason_of(record: Any, format_name: str) -> str:
    """Why a record that is recognised as of this format is no conversation."""
    (item,), (formats,) = read_run(to_lines(record))
    assert formats == (format_name,)
    assert not isinstance(item, Transcript), item
    return item.reason


def formats_of(record: Any) -> tuple[str, ...]:
    """The formats that a record is taken for."""
    return read_run(to_lines(record))[1][0]


def spoken(transcript: Transcript) -> list[tuple[str, str]]:
    """Who said what."""
    return [(message.role.value, message.text) for message in transcript.messages]


def is_left_out(item: Item) -> bool:
    """Whether a record holds no speech of its own."""
    return isinstance(item, LeftOut)
