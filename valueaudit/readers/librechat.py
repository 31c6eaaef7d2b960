"""LibreChat's export of one conversation: a list of messages, or the same ones hung below each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valueaudit.readers.building import build_transcript, gather_metadata
from valueaudit.readers.content import Unreadable, name_kind
from valueaudit.readers.format import Format, alone
from valueaudit.readers.lenient import THINKING, list_of, name_file, object_of, say
from valueaudit.readers.tree import Link, find_way, read_key, read_time, tell_apart
from valueaudit.transcript import Item, LeftOut, Location, Message, Role

_MARKS = frozenset({"messageId", "parentMessageId", "isCreatedByUser"})
_LEFT_OUT = frozenset({"conversationId", "messages", "messagesTree", "options"})
_PROMPTS = ("promptPrefix", "system", "instructions")


def is_librechat(value: Any) -> bool:
    """Whether a record is a conversation with messages that LibreChat marks as its own."""
    if type(value) is not dict or "conversationId" not in value:
        return False
    messages = _list_in(value)
    if type(messages) is not list or not messages:
        return "messages" in value
    return type(messages[0]) is not dict or not _MARKS.isdisjoint(messages[0])


def parse_librechat(record: Any, location: Location) -> Sequence[Item]:
    """The branch of a record that was gone last. Raises `Unreadable`."""
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    listed = _list_in(record)
    if type(listed) is not list:
        raise Unreadable(f'"messages" is {name_kind(listed)}, not a list')
    raws, above = _flatten(listed)
    if not raws:
        return (LeftOut(location, "a conversation in which nothing was said"),)
    keys = tell_apart([read_key(raw.get("messageId")) for raw in raws])
    parents = [
        read_key(raw.get("parentMessageId")) if index is None else keys[index]
        for raw, index in zip(raws, above, strict=True)
    ]
    links = {
        key: Link(parent, (), read_time(raw.get("createdAt")))
        for key, raw, parent in zip(keys, raws, parents, strict=True)
    }
    way = find_way(links)
    by_key = dict(zip(keys, raws, strict=True))
    path = [by_key[key] for key in way.keys]
    messages = [_read_message(raw) for raw in path]
    options = object_of(record.get("options"))
    prompt = next((options[name] for name in _PROMPTS if isinstance(options.get(name), str) and options[name]), None)
    if prompt is not None:
        # after the last, so that every index is the one the message has in a list without branches
        messages.append(Message(Role.SYSTEM, prompt))
    identity = record.get("conversationId")
    metadata = _gather(record, options, path)
    return (build_transcript(messages, location, identity=identity, metadata=metadata, branches=way.branches),)


def _list_in(record: dict[str, Any]) -> Any:
    return record["messages"] if "messages" in record else record.get("messagesTree")


def _flatten(listed: list[Any]) -> tuple[list[dict[str, Any]], list[int | None]]:
    """All messages, each before what hangs below it, and beside them the index of the one they hang below.

    Raises `Unreadable`.
    """
    raws: list[dict[str, Any]] = []
    above: list[int | None] = []
    waiting: list[tuple[Any, int | None]] = [(raw, None) for raw in reversed(listed)]
    while waiting:
        raw, index = waiting.pop()
        if not isinstance(raw, dict):
            raise Unreadable(f"a message is {name_kind(raw)}, not an object")
        raws.append(raw)
        above.append(index)
        waiting += [(child, len(raws) - 1) for child in reversed(list_of(raw.get("children")))]
    return raws, above


def _read_message(raw: dict[str, Any]) -> Message:
    role = _read_role(raw)
    listed = [file for field in ("files", "attachments") for file in list_of(raw.get(field))]
    files = tuple(name_file(file, "filename", "name") for file in listed)
    parts = raw.get("content")
    if isinstance(parts, list) and parts:
        return say(role, [piece for part in parts for piece in _read_part(part)], files)
    text = raw.get("text")
    if raw.get("error") is True:
        # the text is then the program's, often with the provider's reply in it
        return Message(role, "", ("error, no answer", *files))
    if not isinstance(text, str):
        raise Unreadable(f'a message has no "text" and no "content"; its "text" is {name_kind(text)}')
    return Message(role, text, files)


def _read_role(raw: dict[str, Any]) -> Role:
    by_user = raw.get("isCreatedByUser")
    if isinstance(by_user, bool):
        return Role.USER if by_user else Role.ASSISTANT
    sender = raw.get("sender")
    if not isinstance(sender, str):
        raise Unreadable('a message has no "isCreatedByUser" and no "sender"')
    # every other name is that of a model or of an agent
    return Role.USER if sender.strip().lower() == "user" else Role.ASSISTANT


def _read_part(part: Any) -> list[Any]:
    """The part by the names that `say` knows; a call of a tool and what it gave are two."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        text = part.get("text")
        return [{"type": "text", "text": text.get("value") if isinstance(text, dict) else text}]
    if kind == "think":
        return [THINKING]
    if kind == "tool_call":
        call = object_of(part.get("tool_call"))
        called = {"type": "tool_use", "name": call.get("name"), "input": call.get("args")}
        return [called, {"type": "tool_result", "content": call["output"]}] if call.get("output") else [called]
    return [{"type": "image"}] if kind == "image_file" else [part]


def _gather(record: dict[str, Any], options: dict[str, Any], path: Sequence[dict[str, Any]]) -> dict[str, Any]:
    metadata = gather_metadata(record, _LEFT_OUT)
    kept = {name: value for name, value in options.items() if name not in _PROMPTS and value is not None}
    metadata = kept | metadata
    spoken = [raw.get("model") for raw in path if _read_role(raw) is Role.ASSISTANT]
    model = next((name for name in (*spoken, record.get("model"), options.get("model")) if isinstance(name, str)), None)
    user = next((raw["user"] for raw in path if isinstance(raw.get("user"), str)), None)
    found = {"model": model, "user": user, "createdAt": path[0].get("createdAt")}
    return metadata | {name: value for name, value in found.items() if value is not None}


LIBRECHAT = Format(
    name="librechat",
    title="LibreChat's export of a conversation (JSON, with or without branches)",
    recognises=is_librechat,
    start=alone(parse_librechat),
    example=(
        '{"conversationId": "c1", "title": "Coat", "branches": false, "recursive": false, "messages": [\n'
        '{"messageId": "m1", "parentMessageId": null, "isCreatedByUser": true, "sender": "User", '
        '"text": "May I return a worn coat?"},\n'
        '{"messageId": "m2", "parentMessageId": "m1", "isCreatedByUser": false, "sender": "Example", '
        '"model": "example-1", "text": "Yes, within 30 days."}]}\n'
    ),
)
