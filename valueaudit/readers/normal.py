"""The normal form on disk, as `convert` writes it and the chat format reads it back unchanged."""

from __future__ import annotations

from typing import Any

import msgspec

from valueaudit.transcript import Message, Transcript

ORIGIN = "origin"

_ENCODE = msgspec.json.Encoder().encode


def write_line(transcript: Transcript) -> bytes:
    """One line of JSON: id, messages, metadata, and where the conversation came from when it was first converted."""
    metadata = dict(transcript.metadata)
    origin = metadata.pop(ORIGIN, None)
    line = {
        "id": transcript.id,
        "messages": [_build_message(message) for message in transcript.messages],
        "metadata": metadata,
        ORIGIN: origin if origin is not None else str(transcript.location),
    }
    return _ENCODE(line) + b"\n"


def _build_message(message: Message) -> dict[str, Any]:
    built: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.attachments:
        built["attachments"] = message.attachments
    return built
