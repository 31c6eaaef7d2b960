"""The normal form on disk, as `convert` writes it and the chat format reads it back unchanged."""

from __future__ import annotations

from typing import Any

import msgspec

from valueaudit.transcript import Message, Transcript

ORIGIN = "origin"

_START = b'{"origin":'
_ENCODE = msgspec.json.Encoder().encode


def write_line(transcript: Transcript) -> bytes:
    """One line of JSON: id, messages, metadata, and where the conversation came from when it was first converted.

    A log that says something of its own under the name "origin" keeps that in its place.
    """
    metadata = dict(transcript.metadata)
    line = {
        ORIGIN: metadata.pop(ORIGIN, str(transcript.location)),
        "id": transcript.id,
        "messages": [_build_message(message) for message in transcript.messages],
        "metadata": metadata,
    }
    return _ENCODE(line) + b"\n"


def is_normal(head: bytes) -> bool:
    """Whether a file that begins like this was written by `convert`, or is empty."""
    return not head.strip() or head.startswith(_START)


def _build_message(message: Message) -> dict[str, Any]:
    built: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.attachments:
        built["attachments"] = message.attachments
    return built
