"""Calls of the Anthropic Messages API that were logged or recorded: a request and a message, or the message alone."""

from __future__ import annotations

from functools import partial
from typing import Any

from valueaudit.readers.exchange import find_exchange, parse_exchange
from valueaudit.readers.format import Format, alone


def is_anthropic(value: Any) -> bool:
    """Whether a record holds a message as this API answers, as JSON, as text of it, or as a stream of events."""
    found = find_exchange(value)
    return found is not None and found.api == "anthropic"


ANTHROPIC_MESSAGES = Format(
    name="anthropic-messages",
    title="requests with their responses, and recorded responses: Anthropic Messages API",
    recognises=is_anthropic,
    start=alone(partial(parse_exchange, missing='no response of type "message"')),
    example=(
        '{"request": {"model": "example-1", "system": "You serve the Acme shop.", '
        '"messages": [{"role": "user", "content": "May I return a worn coat?"}]}, '
        '"response": {"id": "msg_1", "type": "message", "role": "assistant", "model": "example-1", '
        '"content": [{"type": "text", "text": "Yes, within 30 days."}], "stop_reason": "end_turn"}}\n'
    ),
)
