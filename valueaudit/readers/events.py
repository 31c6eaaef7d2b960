"""A streamed reply as the whole one: logs keep server-sent events as text, and speech is spread over hundreds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from valueaudit.readers.content import Unreadable
from valueaudit.readers.faults import refuse_hidden

_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_ENDS_OF_RESPONSES = frozenset({"response.completed", "response.incomplete", "response.failed"})


def is_stream(text: str) -> bool:
    """Whether a text is server-sent events."""
    return text.startswith(("event:", "data:", ":", "id:")) and "data:" in text


def parse_stream(text: str) -> Any:
    """The body that the events of an OpenAI or Anthropic stream add up to, None where they are neither.

    A stream that breaks off gives what was said until then, one that tells of an error the body of that error.
    """
    events = list(_parse_events(text))
    failed = next((event for event in events if event.get("error")), None)
    if failed is not None:
        return failed
    if any("choices" in event for event in events):
        return _add_chunks(events)
    if any(event.get("type") == "message_start" for event in events):
        return _add_blocks(events)
    whole = next((event.get("response") for event in events if str(event.get("type")) in _ENDS_OF_RESPONSES), None)
    if isinstance(whole, dict):
        return whole
    items = [event.get("item") for event in events if event.get("type") == "response.output_item.done"]
    return {"object": "response", "output": items} if items else None


def _parse_events(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if not line.startswith("data:"):
            continue
        try:
            event = msgspec.json.decode(line[len("data:") :])
            refuse_hidden(event, line.encode())
        except (msgspec.DecodeError, RecursionError, Unreadable):
            # the end mark, or the event in which the stream broke off
            continue
        if isinstance(event, dict):
            yield event


def _add_blocks(events: list[dict[str, Any]]) -> dict[str, Any]:
    """An Anthropic message: a start, blocks that grow by deltas, and what is known only at the end."""
    message: dict[str, Any] = {}
    blocks: dict[Any, dict[str, Any]] = {}
    for event in events:
        kind, index = event.get("type"), str(event.get("index"))
        delta = event.get("delta")
        if kind == "message_start" and isinstance(event.get("message"), dict):
            message = dict(event["message"])
        elif kind == "content_block_start" and isinstance(event.get("content_block"), dict):
            blocks[index] = dict(event["content_block"])
        elif kind == "content_block_delta" and isinstance(delta, dict) and index in blocks:
            _grow(blocks[index], delta)
        elif kind == "message_delta" and isinstance(delta, dict):
            message |= {key: value for key, value in delta.items() if value is not None}
    for block in blocks.values():
        if block.get("partial_json"):
            block["input"] = block.pop("partial_json")
    return {"type": "message", "role": "assistant", **message, "content": list(blocks.values())}


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    field = _DELTAS.get(str(delta.get("type")))
    if field is not None and isinstance(delta.get(field), str):
        before = block.get(field)
        block[field] = (before if isinstance(before, str) else "") + delta[field]


def _add_chunks(events: list[dict[str, Any]]) -> dict[str, Any]:
    """An OpenAI completion: each chunk carries a piece of each choice."""
    body: dict[str, Any] = {}
    choices: dict[str, dict[str, Any]] = {}
    for event in events:
        body |= {key: value for key, value in event.items() if key != "choices" and value is not None}
        pieces = event.get("choices")
        for piece in pieces if isinstance(pieces, list) else []:
            if isinstance(piece, dict):
                _grow_choice(choices.setdefault(str(piece.get("index")), {"said": [], "calls": {}}), piece)
    return {**body, "choices": [_close_choice(choice) for choice in choices.values()]}


def _grow_choice(choice: dict[str, Any], piece: dict[str, Any]) -> None:
    delta = piece.get("delta")
    said = delta if isinstance(delta, dict) else {"content": piece.get("text")}
    choice["said"] += [said[field] for field in ("content", "refusal") if isinstance(said.get(field), str)]
    calls = said.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            whole = choice["calls"].setdefault(str(call.get("index")), {"name": None, "arguments": ""})
            whole["name"] = whole["name"] or function.get("name")
            whole["arguments"] += function["arguments"] if isinstance(function.get("arguments"), str) else ""
    if piece.get("finish_reason") is not None:
        choice["finish_reason"] = piece["finish_reason"]


def _close_choice(choice: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(choice["said"]), "tool_calls": list(choice["calls"].values())}
    return {"message": message, "finish_reason": choice.get("finish_reason")}
