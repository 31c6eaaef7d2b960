"""Calls of a completions API that were logged with their responses: a request and choices in one record."""

from __future__ import annotations

from functools import partial
from typing import Any

from valueaudit.readers.exchange import find_exchange, parse_exchange
from valueaudit.readers.format import Format, alone


def is_completion(value: Any) -> bool:
    """Whether a record holds choices, an answer beside messages, or a request with a response that is no answer."""
    found = find_exchange(value)
    return found is not None and found.api not in ("responses", "anthropic")


OPENAI_COMPLETIONS = Format(
    name="openai-completions",
    title="requests with their responses: OpenAI chat completions and what speaks like them",
    recognises=is_completion,
    start=alone(partial(parse_exchange, missing="no response with choices, and no messages with a response")),
    example=(
        '{"request": {"model": "example-1", "messages": [{"role": "user", "content": "May I return a worn coat?"}]}, '
        '"response": {"id": "chatcmpl-1", "object": "chat.completion", "model": "example-1-2026", "choices": '
        '[{"index": 0, "message": {"role": "assistant", "content": "Yes, within 30 days."}}]}}\n'
    ),
)
