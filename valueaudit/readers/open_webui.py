"""Open WebUI's export of chats, where answers of several models and regenerated ones hang below one question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

from valueaudit.readers.building import build_transcript, gather_metadata, names
from valueaudit.readers.content import Unreadable, describe_call, find_role, name_kind, quote
from valueaudit.readers.format import Format, alone
from valueaudit.readers.lenient import cut_out, list_of, name_file, object_of, say
from valueaudit.readers.tree import Link, find_way, read_key, read_keys, read_time, tell_apart
from valueaudit.transcript import Item, LeftOut, Location, Message, Role

_LEFT_OUT = frozenset({"chat", "history", "messages", "id", "current_message_id", "currentId", "system"})
# folded away in the app: what the model thought, and what it did with tools
_FOLDED = re.compile(r'<details type="(reasoning|tool_calls|code_interpreter)"([^<>]*)>.*?</details>\s*', re.DOTALL)
_FOLDS_END = "</details>"
_ATTRIBUTE = re.compile(r'(name|arguments)="([^"]*)"')


def is_open_webui(value: Any) -> bool:
    """Whether a record is a chat with a history, or the row of a table that holds one."""
    if type(value) is not dict:
        return False
    inner = value.get("chat")
    if type(inner) is dict and ("history" in inner or ("messages" in inner and "user_id" in value)):
        return True
    history = value.get("history")
    return type(history) is dict and type(history.get("messages")) is dict


def parse_open_webui(record: Any, location: Location) -> Sequence[Item]:
    """The branch of a chat that is current. Raises `Unreadable`."""
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    chat = record["chat"] if isinstance(record.get("chat"), dict) else record
    history = object_of(chat.get("history"))
    nodes = _find_nodes(chat, history)
    if not nodes:
        return (LeftOut(location, "a conversation in which nothing was said"),)
    current = history.get("currentId", history.get("current_id", record.get("current_message_id")))
    links = {key: _read_link(node) for key, node in nodes.items()}
    way = find_way(links, read_key(current))
    messages = [_read_message(nodes[key], key) for key in way.keys]
    prompt = chat.get("system") or object_of(chat.get("params")).get("system")
    if isinstance(prompt, str) and prompt:
        messages.insert(0, Message(Role.SYSTEM, prompt))
    identity = next((one["id"] for one in (record, chat) if names(one.get("id"))), None)
    metadata = _gather(record, chat, [nodes[key] for key in way.keys])
    return (build_transcript(messages, location, identity=identity, metadata=metadata, branches=way.branches),)


def _find_nodes(chat: dict[str, Any], history: dict[str, Any]) -> dict[str, dict[str, Any]]:
    nodes = history.get("messages")
    if isinstance(nodes, dict) and nodes:
        return {key: node for key, node in nodes.items() if isinstance(node, dict)}
    listed = [node for node in list_of(chat.get("messages")) if isinstance(node, dict)]
    return dict(zip(tell_apart([read_key(node.get("id")) for node in listed]), listed, strict=True))


def _read_link(node: dict[str, Any]) -> Link:
    return Link(read_key(node.get("parentId")), read_keys(node.get("childrenIds")), read_time(node.get("timestamp")))


def _read_message(node: dict[str, Any], key: str) -> Message:
    name = node.get("role")
    role = find_role(name)
    if role is None:
        wrong = f"the unknown role {quote(name)}" if isinstance(name, str) else 'no "role"'
        raise Unreadable(f"message {quote(key)} has {wrong}")
    files = tuple(
        "image" if object_of(file).get("type") == "image" else name_file(file, "name")
        for file in list_of(node.get("files"))
    )
    message = say(role, node.get("content"), files)
    if role is not Role.ASSISTANT:
        return message
    # no further than the last end: what opens behind it is never closed
    closed = message.text.rfind(_FOLDS_END) + len(_FOLDS_END)
    folded = tuple(_describe_folded(found) for found in _FOLDED.finditer(message.text, 0, closed))
    failed = ("error, no answer",) if node.get("error") and not message.text else ()
    return Message(
        role,
        cut_out(_FOLDED, _FOLDS_END, message.text).strip() if folded else message.text,
        (*message.attachments, *folded, *failed),
    )


def _describe_folded(found: re.Match[str]) -> str:
    if found[1] == "reasoning":
        return "thinking, not read"
    attributes = {name: unescape(value) for name, value in _ATTRIBUTE.findall(found[2])}
    return describe_call(attributes.get("name", found[1]), attributes.get("arguments"))


def _gather(record: dict[str, Any], chat: dict[str, Any], path: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    metadata = gather_metadata(chat, _LEFT_OUT)
    if chat is not record:
        metadata |= gather_metadata(record, _LEFT_OUT)
    spoken = [node.get("model") for node in path if find_role(node.get("role")) is Role.ASSISTANT]
    model = next((name for name in (*spoken, *list_of(chat.get("models"))) if isinstance(name, str)), None)
    return metadata if model is None else metadata | {"model": model}


OPEN_WEBUI = Format(
    name="open-webui",
    title="Open WebUI's export of chats (JSON)",
    recognises=is_open_webui,
    start=alone(parse_open_webui),
    example=(
        '[{"id": "c1", "user_id": "u1", "title": "Coat", "created_at": 1767225600, "chat": {"models": ["example-1"], '
        '"history": {"currentId": "b", "messages": {'
        '"a": {"id": "a", "parentId": null, "childrenIds": ["b"], "role": "user", '
        '"content": "May I return a worn coat?"}, '
        '"b": {"id": "b", "parentId": "a", "childrenIds": [], "role": "assistant", "model": "example-1", '
        '"content": "Yes, within 30 days."}}}}}]\n'
    ),
)
