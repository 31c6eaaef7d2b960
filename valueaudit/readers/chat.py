"""Conversations as a list of messages with roles, the shape in which OpenAI and Anthropic chats are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valueaudit.readers.format import Format, alone
from valueaudit.readers.listed import parse_listed
from valueaudit.transcript import Location, Transcript


def is_chat(value: Any) -> bool:
    """Whether a record has messages; what they are is looked at later, so that what is wrong with them is said."""
    return type(value) is dict and "messages" in value


def parse_chat(record: Any, location: Location) -> Sequence[Transcript]:
    """The one conversation of a record. Raises `Unreadable`."""
    return (parse_listed(record, location),)


CHAT = Format(
    name="chat",
    title="messages with roles: OpenAI chat and fine-tuning, Anthropic requests",
    recognises=is_chat,
    start=alone(parse_chat),
    example=(
        '{"id": "c1", "messages": [{"role": "user", "content": "May I return a worn coat?"}, '
        '{"role": "assistant", "content": "Yes, within 30 days."}], "model": "example-1"}\n'
    ),
)
