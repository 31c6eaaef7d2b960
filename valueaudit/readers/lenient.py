"""Messages of apps' own exports, where one broken part must not cost the whole conversation."""

from __future__ import annotations

import re
from typing import Any

from valueaudit.readers.content import cut_line, name_kind, parse_message
from valueaudit.transcript import Message, Role

THINKING: dict[str, str] = {"type": "thinking"}


def say(role: Role, content: Any, attachments: tuple[str, ...] = ()) -> Message:
    """A message of `content`, a text or parts as OpenAI and Anthropic name them, with further attachments.

    A part that cannot be read is an attachment that says so. Raises nothing, whatever `content` is.
    """
    if isinstance(content, str):
        return Message(role, content, attachments)
    parts = [mend(part) for part in content] if isinstance(content, list) else []
    message = parse_message({"role": role.value, "content": parts}, 0)
    return Message(message.role, message.text, (*message.attachments, *attachments)) if attachments else message


def mend(part: Any) -> Any:
    """The part, or one that stands for it where its text is missing or it is no part at all."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return {"type": f"{name_kind(part)} in the place of a part"}
    kind = part.get("type", "text" if "text" in part else None)
    if isinstance(kind, str) and kind.endswith("tool_result"):
        inner = part.get("content")
        return {**part, "content": [mend(piece) for piece in inner]} if isinstance(inner, list) else part
    field = "refusal" if kind == "refusal" else "text"
    if kind in ("text", "input_text", "output_text", "refusal") and not isinstance(part.get(field), str):
        return {"type": f"{kind} without its text"}
    return part


def name_file(file: Any, *fields: str) -> str:
    """The attachment line of a file: the first of `fields` that names it, and what was read out of it."""
    if not isinstance(file, dict):
        return "file"
    name = next((file[field] for field in fields if isinstance(file.get(field), str)), "")
    extracted = file.get("extracted_content")
    return cut_line(f"file {name}: {extracted}" if isinstance(extracted, str) and extracted else f"file {name}")


def cut_out(pattern: re.Pattern[str], closes: str, text: str) -> str:
    """The text without what `pattern` finds up to the last `closes`, with which each of its finds ends.

    What opens behind that is never closed: a search for its end would look at all of the rest, for each opening again.
    """
    head, close, tail = text.rpartition(closes)
    rest = tail.lstrip()
    return pattern.sub("", head + close + tail[: len(tail) - len(rest)]) + rest if close else text


def list_of(value: Any) -> list[Any]:
    """The list, empty where the value is none."""
    return value if isinstance(value, list) else []


def object_of(value: Any) -> dict[str, Any]:
    """The object, empty where the value is none."""
    return value if isinstance(value, dict) else {}
