"""Where to look, as plain text for documents that carry no layout: the way from a figure back to its conversation."""

from __future__ import annotations

from valueaudit.report import Example
from valueaudit.transcript import Location


def describe_place(example: Example) -> str:
    """The conversation, `file:line` and the message, as far as they are known; never the words themselves."""
    location = str(Location(example.source, example.line, example.pointer))
    message = "" if example.message is None else f"message {example.message}"
    return ", ".join(part for part in (example.conversation, location, message) if part)
