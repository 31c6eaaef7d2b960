"""Messages as Inspect keeps them in logs and Scout in transcripts, in which long texts may lie beside the messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valueaudit.readers.content import Unreadable, find_role, name_kind, quote
from valueaudit.readers.lenient import THINKING, list_of, object_of, say
from valueaudit.transcript import Message, Role

# the second is how logs of 2024 named them
_REFERENCES = ("attachment://", "tc://")


def read_inspect_message(raw: Any, where: str, attached: Mapping[str, Any]) -> Message:
    """The message that a reason calls `where`, with the texts that it refers to in `attached`. Raises `Unreadable`."""
    if not isinstance(raw, dict):
        raise Unreadable(f"{where} is {name_kind(raw)}, not an object")
    role = find_role(raw.get("role"))
    if role is None:
        name = raw.get("role")
        raise Unreadable(
            f"{where} has " + (f"the unknown role {quote(name)}" if isinstance(name, str) else 'no "role"')
        )
    content = raw.get("content")
    if isinstance(content, str):
        content = [resolve(content, attached)]
    parts = [_read_part(part, attached) for part in list_of(content)]
    if raw.get("reasoning"):
        parts.insert(0, THINKING)
    calls = [_read_call(call, attached) for call in list_of(raw.get("tool_calls"))]
    message = say(role, [*parts, *calls])
    error = object_of(raw.get("error")).get("message")
    if role is Role.TOOL and not message.text and isinstance(error, str):
        return Message(role, error, message.attachments)
    return Message(role, message.text, message.attachments)


def resolve(text: Any, attached: Mapping[str, Any]) -> Any:
    """The text that a reference stands for; anything else is given back as it is."""
    if isinstance(text, str):
        for protocol in _REFERENCES:
            if text.startswith(protocol):
                found = attached.get(text.removeprefix(protocol))
                return found if isinstance(found, str) else text
    return text


def _read_part(part: Any, attached: Mapping[str, Any]) -> Any:
    """The part by the names that `say` knows."""
    if not isinstance(part, dict):
        return resolve(part, attached)
    kind = part.get("type")
    if kind == "text":
        return {"type": "text", "text": resolve(part.get("text"), attached)}
    if kind == "reasoning":
        return THINKING
    if kind == "tool_use":
        return {"type": "tool_use", "name": part.get("name"), "input": resolve(part.get("arguments"), attached)}
    return part


def _read_call(call: Any, attached: Mapping[str, Any]) -> dict[str, Any]:
    call = object_of(call)
    arguments = call.get("arguments")
    if isinstance(arguments, dict):
        arguments = {name: resolve(value, attached) for name, value in arguments.items()}
    return {"type": "tool_use", "name": call.get("function"), "input": arguments}
