"""The normal form every reader yields, so that nothing behind the readers knows a file format."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

Metadata = dict[str, Any]


class Role(StrEnum):
    """Who speaks. Tool calls and tool results are nobody's speech: they are `TOOL` or attachments."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"

    # Enum's own hash is a call into Python, and there is one for each message of a run
    __hash__ = str.__hash__


class Location(Struct, frozen=True, order=True, gc=False):
    """Where a record lies: the source as the user named it, a line counted from 1, a JSON pointer inside it."""

    source: str
    line: int | None = None
    pointer: str | None = None

    def __str__(self) -> str:
        line = f":{self.line}" if self.line is not None else ""
        return f"{self.source}{line}{self.pointer or ''}"


class Message(Struct, frozen=True, gc=False):
    """One message of the source, at the index it has there.

    `text` is what was said; `attachments` name what was not said (tool calls, images), one readable line each.
    """

    role: Role
    text: str
    attachments: tuple[str, ...] = ()


class Transcript(Struct, frozen=True):
    """One conversation: one unit of the audit, one vote per value.

    `branches` counts the other ways that the source knows this conversation went (regenerated replies, edited
    questions); they are not in `messages`.
    """

    id: str
    location: Location
    messages: tuple[Message, ...]
    metadata: Metadata
    branches: int = 0

    @property
    def has_assistant_text(self) -> bool:
        """Whether the assistant said anything that can be judged."""
        return any(m.role is Role.ASSISTANT and m.text.strip() for m in self.messages)


class BadRecord(Struct, frozen=True):
    """A record that could not be read as a conversation: counted, shown and written, never dropped."""

    location: Location
    reason: str


class LeftOut(Struct, frozen=True):
    """A record that belongs to a log but holds no speech of its own (a summary, the span of a tool): counted."""

    location: Location
    reason: str


Item = Transcript | BadRecord | LeftOut
