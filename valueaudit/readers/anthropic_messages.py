"""Calls of the Anthropic Messages API that were logged or recorded: a request and a message, or the message alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valueaudit.readers.content import Unreadable
from valueaudit.readers.exchange import build_exchange, find_exchange
from valueaudit.readers.format import Format, alone
from valueaudit.transcript import Location, Transcript


def is_anthropic(value: Any) -> bool:
    """Whether a record holds a message as this API answers, as JSON, as text of it, or as a stream of events."""
    found = find_exchange(value)
    return found is not None and found.api == "anthropic"


def parse_anthropic(record: Any, location: Location) -> Sequence[Transcript]:
    """The one conversation of a record. Raises `Unreadable`."""
    found = find_exchange(record)
    if found is None:
        raise Unreadable('no response of type "message"')
    return (build_exchange(found, location),)


ANTHROPIC_MESSAGES = Format(
    name="anthropic-messages",
    title="requests with their responses, and recorded responses: Anthropic Messages API",
    recognises=is_anthropic,
    start=alone(parse_anthropic),
    example=(
        '{"request": {"model": "example-1", "system": "You serve the Acme shop.", '
        '"messages": [{"role": "user", "content": "May I return a worn coat?"}]}, '
        '"response": {"id": "msg_1", "type": "message", "role": "assistant", "model": "example-1", '
        '"content": [{"type": "text", "text": "Yes, within 30 days."}], "stop_reason": "end_turn"}}\n'
    ),
)
