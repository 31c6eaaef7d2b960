"""The items of the OpenAI Responses API as messages: a request and its response are one list of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valueaudit.readers.content import Unreadable, name_kind, parse_message_at
from valueaudit.transcript import Message, Role

_SILENT = frozenset({"reasoning", "item_reference", "compaction", "mcp_list_tools", "additional_tools"})
_ARGUMENTS = ("arguments", "input", "action", "queries", "code", "operation")


def is_item(value: Any) -> bool:
    """Whether a value is an item of a conversation: a message, a call of a tool or its result, or reasoning."""
    if type(value) is not dict:
        return False
    kind = value.get("type", "message")
    if kind == "message":
        return isinstance(value.get("role"), str) and "content" in value
    return isinstance(kind, str) and (kind in _SILENT or _is_call(kind) or _is_output(kind))


def parse_items(items: Sequence[Any], where: str) -> list[Message]:
    """One message for each item, at its index. Raises `Unreadable`."""
    return [_parse_item(item, f"{where}[{index}]") for index, item in enumerate(items)]


def _parse_item(item: Any, where: str) -> Message:
    if not isinstance(item, dict):
        raise Unreadable(f"{where} is {name_kind(item)}, not an object")
    kind = item.get("type", "message")
    if kind == "message" or not isinstance(kind, str):
        return parse_message_at(item, where)
    if _is_output(kind):
        result = {"type": "tool_result", "content": item.get("output")}
        return parse_message_at({"role": "tool", "content": [result]}, where)
    if _is_call(kind):
        return _parse_call(item, kind, where)
    if kind == "reasoning":
        kind = "thinking"
    return parse_message_at({"role": "assistant", "content": [{"type": kind}]}, where)


def _parse_call(item: dict[str, Any], kind: str, where: str) -> Message:
    """A call as a line beside no words; the result that some tools of the platform keep in the call goes with it."""
    name = item.get("name") if isinstance(item.get("name"), str) else kind.removesuffix("_call")
    arguments = next((item[key] for key in _ARGUMENTS if item.get(key) is not None), "")
    call = parse_message_at({"role": "assistant", "tool_calls": [{"name": name, "arguments": arguments}]}, where)
    output = item.get("output")
    if output is None:
        return call
    beside = {"role": "assistant", "content": ["", {"type": "tool_result", "content": output}]}
    return Message(Role.ASSISTANT, "", (*call.attachments, *parse_message_at(beside, where).attachments))


def _is_call(kind: str) -> bool:
    return kind.endswith("_call")


def _is_output(kind: str) -> bool:
    return kind.endswith(("_call_output", "_search_output"))
