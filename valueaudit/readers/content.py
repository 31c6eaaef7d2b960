"""What one message of the OpenAI or Anthropic shape says, apart from what it only carries."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Struct

from valueaudit.transcript import Message, Role

LONGEST_ATTACHMENT = 500

_ROLES = {
    "user": Role.USER,
    "human": Role.USER,
    "assistant": Role.ASSISTANT,
    "ai": Role.ASSISTANT,
    "model": Role.ASSISTANT,
    "bot": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}
# fields of a message beside its content that are speech or stand for it
_BESIDES = frozenset({"tool_calls", "function_call", "refusal", "audio", "attachments"})
_TEXT_FIELDS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
_CARRIED = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "audio": "audio",
    "input_audio": "audio",
    "output_audio": "audio",
    "video": "video",
    "file": "file",
    "input_file": "file",
    "document": "document",
    "thinking": "thinking, not read",
    "redacted_thinking": "thinking, not read",
}
# parts that may hold what was said in them as a text
_SPOKEN = frozenset({"audio", "input_audio", "output_audio"})
_TOOL_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_LONGEST_NAME = 40
_MOST_FIELDS_NAMED = 8
_CONTENT = itemgetter("content")


class Unreadable(Exception):
    """A record that is no conversation; `reason` says why, in words and without the words of the conversation."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Said(Struct, frozen=True):
    text: str


class _Carried(Struct, frozen=True):
    line: str


class _ToolResult(Struct, frozen=True):
    text: str
    attachments: tuple[str, ...]


_Part = _Said | _Carried | _ToolResult


def quote(name: str) -> str:
    """A name in quotation marks, cut at 40 characters, control characters made visible."""
    return json.dumps(name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…", ensure_ascii=False)


def name_kind(value: object) -> str:
    """What a JSON value is, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds[type(value)]


def find_role(name: object) -> Role | None:
    """The role that a log means by `name`, in any case; None where we know none of it."""
    return _ROLES.get(name.strip().lower()) if isinstance(name, str) else None


def parse_message(raw: Any, index: int, field: str = "messages") -> Message:
    """The message at `index` of the list `field` of a record. Raises `Unreadable` where it is none."""
    try:
        role = _ROLES[raw["role"]]
        content = raw["content"]
    except (KeyError, TypeError):
        return parse_message_at(raw, f"{field}[{index}]")
    if type(content) is str and (len(raw) == 2 or _BESIDES.isdisjoint(raw)):
        return Message(role, content)
    return parse_message_at(raw, f"{field}[{index}]")


def are_plain(raws: Sequence[Any]) -> bool:
    """Whether each of these is an object of two fields, of which `content` is a text: what nearly all messages are."""
    try:
        return set(map(len, raws)) == {2} and set(map(type, map(_CONTENT, raws))) == {str}
    except (KeyError, TypeError):
        return False


def parse_messages(raws: Sequence[Any], field: str = "messages") -> list[Message]:
    """The messages of the list `field` of a record. Raises `Unreadable` at the first that is none."""
    if are_plain(raws):
        with contextlib.suppress(KeyError, TypeError):
            return [Message(_ROLES[raw["role"]], raw["content"]) for raw in raws]
    # a role that is not written as most are, or more than a text
    return [parse_message(raw, index, field) for index, raw in enumerate(raws)]


def parse_system(content: Any) -> Message | None:
    """The system prompt beside the messages (a string or a list of parts), None where there is no text in it."""
    if isinstance(content, str):
        return Message(Role.SYSTEM, content) if content else None
    if not isinstance(content, list):
        return None
    message = _build_message(Role.SYSTEM, [_parse_part(part, f"system[{i}]") for i, part in enumerate(content)], {})
    return message if message.text else None


def parse_message_at(raw: Any, where: str) -> Message:
    """The message that lies at `where`, as reasons call it. Raises `Unreadable` where it is none."""
    if not isinstance(raw, dict):
        raise Unreadable(f"{where} is {name_kind(raw)}, not an object")
    role = _parse_role(raw, where)
    content = raw.get("content")
    if content is None:
        if "content" not in raw and _BESIDES.isdisjoint(raw):
            raise Unreadable(f'{where} has no "content"{_name_fields(raw)}')
        content = []
    elif isinstance(content, str):
        content = [content]
    elif not isinstance(content, list):
        raise Unreadable(f"{where}.content is {name_kind(content)}, not a string or a list of parts")
    parts = [_parse_part(part, f"{where}.content[{i}]") for i, part in enumerate(content)]
    return _build_message(role, parts, raw)


def _parse_role(raw: dict[str, Any], where: str) -> Role:
    if "role" not in raw:
        raise Unreadable(f'{where} has no "role"{_name_fields(raw)}')
    role = raw["role"]
    if not isinstance(role, str):
        raise Unreadable(f"{where}.role is {name_kind(role)}, not a string")
    known = find_role(role)
    if known is None:
        raise Unreadable(f"{where} has the unknown role {quote(role)}; known are {', '.join(_ROLES)}")
    return known


def _name_fields(raw: dict[str, Any]) -> str:
    """The names of what is there instead, so that a reader of the message sees how to map it."""
    if not raw:
        return ""
    more = ", …" if len(raw) > _MOST_FIELDS_NAMED else ""
    return f"; its fields are {', '.join(map(quote, list(raw)[:_MOST_FIELDS_NAMED]))}{more}"


def _build_message(role: Role, parts: list[_Part], raw: dict[str, Any]) -> Message:
    calls = _tool_calls(raw)
    if parts and not calls and all(isinstance(part, _ToolResult) for part in parts):
        results = [part for part in parts if isinstance(part, _ToolResult)]
        carried = tuple(line for result in results for line in result.attachments)
        return Message(Role.TOOL, "\n".join(result.text for result in results), carried)
    texts: list[str] = []
    attachments: list[str] = []
    for part in parts:
        match part:
            case _Said(text):
                texts.append(text)
            case _Carried(line):
                attachments.append(line)
            case _ToolResult(text, carried):
                attachments += (cut_line(f"tool result: {text}"), *carried)
    refusal = raw.get("refusal")
    if isinstance(refusal, str) and refusal:
        texts.append(refusal)
    spoken = raw.get("audio")
    transcript = spoken.get("transcript") if isinstance(spoken, dict) else None
    if isinstance(transcript, str) and transcript and not any(texts):
        texts.append(transcript)
        attachments.append("audio")
    return Message(role, "\n".join(texts), (*attachments, *calls, *_attachments(raw)))


def _parse_part(part: Any, where: str) -> _Part:
    if isinstance(part, str):
        return _Said(part)
    if not isinstance(part, dict):
        raise Unreadable(f"{where} is {name_kind(part)}, not a string or an object")
    kind = part.get("type", "text" if "text" in part else None)
    if not isinstance(kind, str):
        return _parse_converse_part(part, where)
    if kind in _TEXT_FIELDS:
        # LLaMA-Factory 1.0 calls the field "value", OpenAI's Assistants put an object with a "value" into it
        text = part.get(_TEXT_FIELDS[kind], part.get("value"))
        if isinstance(text, dict):
            text = text.get("value")
        if not isinstance(text, str):
            raise Unreadable(f"{where} is a part of type {quote(kind)} without its text")
        return _Said(text)
    if kind in _SPOKEN and isinstance(part.get("transcript"), str) and part["transcript"]:
        return _Said(part["transcript"])
    if kind in _CARRIED:
        return _Carried(_CARRIED[kind])
    if kind in _TOOL_CALLS:
        return _Carried(describe_call(part.get("name"), part.get("input")))
    if kind.endswith("tool_result"):
        return _parse_tool_result(part.get("content"), where)
    return _Carried(f"part of type {quote(kind)}")


def _parse_converse_part(part: dict[str, Any], where: str) -> _Part:
    """A part without a type, told by its one field, as Bedrock's Converse API writes them."""
    for field, inner in part.items():
        if isinstance(inner, dict):
            match field:
                case "toolUse":
                    return _Carried(describe_call(inner.get("name"), inner.get("input")))
                case "toolResult":
                    return _parse_tool_result(inner.get("content"), where)
                case "reasoningContent":
                    return _Carried(_CARRIED["thinking"])
                case "image" | "video" | "document":
                    return _Carried(_CARRIED[field])
    return _Carried("part without a type")


def _parse_tool_result(content: Any, where: str) -> _ToolResult:
    if content is None:
        return _ToolResult("", ())
    if not isinstance(content, list):
        return _ToolResult(content if isinstance(content, str) else _encode(content), ())
    parts = [_parse_part(part, f"{where}.content[{i}]") for i, part in enumerate(content)]
    inner = _build_message(Role.TOOL, parts, {})
    return _ToolResult(inner.text, inner.attachments)


def _attachments(raw: dict[str, Any]) -> tuple[str, ...]:
    """What lies beside the text: as it is in our own normal form, else only that it is there."""
    beside = raw.get("attachments")
    if not isinstance(beside, list):
        return ("attachment",) if beside else ()
    return tuple(each if isinstance(each, str) else "attachment" for each in beside)


def _tool_calls(raw: dict[str, Any]) -> tuple[str, ...]:
    calls = raw.get("tool_calls") or []
    if not isinstance(calls, list):
        calls = [calls]
    if raw.get("function_call"):
        calls = [*calls, raw["function_call"]]
    return tuple(_name_call(call) for call in calls)


def _name_call(call: Any) -> str:
    if not isinstance(call, dict):
        return "tool call in an unknown form"
    inner = call.get("function") or call.get("custom")
    if isinstance(inner, dict):
        call = inner
    arguments = next((call[key] for key in ("arguments", "input", "args") if key in call), None)
    return describe_call(call.get("name"), arguments)


def describe_call(name: Any, arguments: Any) -> str:
    """The attachment line of a call of a tool; `arguments` is text or any JSON value, None where there are none."""
    if arguments is None:
        arguments = ""
    elif not isinstance(arguments, str):
        arguments = _encode(arguments)
    return cut_line(f"tool call {name if isinstance(name, str) else 'without a name'}({arguments})")


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def cut_line(line: str) -> str:
    """One line of at most 500 characters, with its whole length said where it was longer."""
    whole = len(line)
    folded = " ".join(line[:LONGEST_ATTACHMENT].split())
    return folded if whole <= LONGEST_ATTACHMENT else f"{folded}… ({whole} characters)"
