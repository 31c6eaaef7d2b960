"""A transcript from its messages, the same for every format: its id, its metadata, and what it must have."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from valueaudit.readers.content import Unreadable
from valueaudit.readers.pointers import build_pointer
from valueaudit.transcript import Location, Message, Metadata, Transcript


def build_transcript(
    messages: Sequence[Message],
    location: Location,
    *,
    identity: object = None,
    metadata: Metadata | None = None,
    branches: int = 0,
) -> Transcript:
    """One conversation. `identity` is the id in the source; where it names nothing, the id is a hash of what was said.

    Raises `Unreadable` where there is no message.
    """
    if not messages:
        raise Unreadable("no message in it")
    known = str(identity) if names(identity) else digest(messages)
    return Transcript(known, location, tuple(messages), {} if metadata is None else metadata, branches)


def names(identity: object) -> bool:
    """Whether a value can name a conversation: a number, or a string that is not blank."""
    return bool(identity.strip()) if isinstance(identity, str) else type(identity) in (int, float)


def digest(messages: Sequence[Message]) -> str:
    """An id for a conversation that has none: the same roles and texts give the same one."""
    spoken = msgspec.json.encode([(message.role, message.text) for message in messages])
    return f"sha256:{hashlib.sha256(spoken).hexdigest()[:16]}"


def gather_metadata(record: dict[str, Any], left_out: Collection[str | None]) -> Metadata:
    """Every field of `record` but those `left_out`; a nested `metadata` object is lifted, and its fields win.

    A field of the record that has the name of one of those is kept as `record.<name>`.
    """
    nested = record.get("metadata")
    lifted = isinstance(nested, dict)
    metadata: Metadata = dict(nested) if isinstance(nested, dict) else {}
    for field, value in record.items():
        if field in left_out or (lifted and field == "metadata"):
            continue
        name = field
        while name in metadata:
            name = f"record.{name}"
        metadata[name] = value
    return metadata


def point_below(location: Location, *steps: str | int) -> Location:
    """The location of what lies below, by a JSON pointer (RFC 6901)."""
    return Location(location.source, location.line, f"{location.pointer or ''}{build_pointer(map(str, steps))}")
