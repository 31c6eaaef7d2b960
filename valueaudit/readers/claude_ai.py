"""Claude.ai's data export: a list of messages in which edited questions and retried answers stand side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from valueaudit.readers.building import build_transcript, gather_metadata, names, point_below
from valueaudit.readers.content import Unreadable, find_role, name_kind, quote
from valueaudit.readers.format import Format, alone
from valueaudit.readers.lenient import cut_out, list_of, name_file, say
from valueaudit.readers.tree import Link, find_way, read_key, read_time, tell_apart
from valueaudit.transcript import BadRecord, Item, LeftOut, Location, Message, Role

_IDS = ("uuid", "conversation_id", "id")
_FILES = ("attachments", "files", "files_v2")
_FILE_NAMES = ("file_name", "name")
# what the export puts into `text` for every block that is no text
_NOT_SHOWN = "This block is not supported on your current device yet."
_THINKING = re.compile(r"<antThinking>.*?</antThinking>\s*", re.DOTALL)


def is_claude_ai(value: Any) -> bool:
    """Whether a record is one conversation of the export, or all of them under `conversations`."""
    if type(value) is not dict:
        return False
    if "chat_messages" in value:
        return True
    inner = value.get("conversations")
    return type(inner) is list and any(type(one) is dict and "chat_messages" in one for one in inner[:1])


def parse_claude_ai(record: Any, location: Location) -> Sequence[Item]:
    """The conversations of a record. Raises `Unreadable`."""
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    if "chat_messages" in record or "conversations" not in record:
        return (_parse_conversation(record, location),)
    items: list[Item] = []
    for index, one in enumerate(list_of(record["conversations"])):
        place = point_below(location, "conversations", index)
        try:
            items.append(_parse_conversation(one, place))
        except Unreadable as error:
            items.append(BadRecord(place, error.reason))
    return items or (LeftOut(location, "no conversation in it"),)


def _parse_conversation(record: Any, location: Location) -> Item:
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    raws = record.get("chat_messages")
    if type(raws) is not list:
        raise Unreadable(f'"chat_messages" is {name_kind(raws)}, not a list')
    if not raws:
        return LeftOut(location, "a conversation in which nothing was said")
    read = [_read_message(raw, index) for index, raw in enumerate(raws)]
    keys = tell_apart([read_key(raw.get("uuid")) for raw in raws])
    links = {key: _read_link(raw) for key, raw in zip(keys, raws, strict=True)}
    way = find_way(links, read_key(record.get("current_leaf_message_uuid")))
    messages = dict(zip(keys, read, strict=True))
    id_field = next((field for field in _IDS if names(record.get(field))), None)
    metadata = gather_metadata(record, {"chat_messages", "current_leaf_message_uuid", id_field})
    identity = record[id_field] if id_field is not None else None
    said = [messages[key] for key in way.keys]
    return build_transcript(said, location, identity=identity, metadata=metadata, branches=way.branches)


def _read_link(raw: dict[str, Any]) -> Link:
    return Link(read_key(raw.get("parent_message_uuid")), (), read_time(raw.get("created_at")))


def _read_message(raw: Any, index: int) -> Message:
    where = f"chat_messages[{index}]"
    if not isinstance(raw, dict):
        raise Unreadable(f"{where} is {name_kind(raw)}, not an object")
    sender = raw.get("sender", raw.get("role"))
    role = find_role(sender)
    if role is None:
        wrong = f"the unknown sender {quote(sender)}" if isinstance(sender, str) else 'no "sender"'
        raise Unreadable(f"{where} has {wrong}")
    files = tuple(name_file(file, *_FILE_NAMES) for field in _FILES for file in list_of(raw.get(field)))
    message = say(role, raw.get("content"), tuple(dict.fromkeys(files)))
    text = raw.get("text")
    if not message.text and isinstance(text, str) and _NOT_SHOWN not in text:
        message = Message(role, text, message.attachments)
    return _set_thinking_apart(message)


def _set_thinking_apart(message: Message) -> Message:
    """The message without the tags in which the assistant of 2024 thought; nobody was shown them."""
    if message.role is not Role.ASSISTANT or "<antThinking>" not in message.text:
        return message
    return Message(
        message.role, cut_out(_THINKING, "</antThinking>", message.text), (*message.attachments, "thinking, not read")
    )


CLAUDE_AI = Format(
    name="claude-ai",
    title="the data export of Claude.ai (conversations.json)",
    recognises=is_claude_ai,
    start=alone(parse_claude_ai),
    example=(
        '[{"uuid": "c1", "name": "Coat", "created_at": "2026-01-01T10:00:00Z", "chat_messages": ['
        '{"uuid": "m1", "sender": "human", "content": [{"type": "text", "text": "May I return a worn coat?"}]}, '
        '{"uuid": "m2", "sender": "assistant", "parent_message_uuid": "m1", '
        '"content": [{"type": "text", "text": "Yes, within 30 days."}]}]}]\n'
    ),
)
