"""Conversations as a list of messages with roles, the shape in which OpenAI and Anthropic chats are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valueaudit.readers.building import build_transcript, gather_metadata, names
from valueaudit.readers.content import Unreadable, name_kind, parse_message, parse_system
from valueaudit.readers.format import Format, alone
from valueaudit.transcript import Location, Role, Transcript

_IDS = ("id", "chat_id", "conversation_id")


def is_chat(value: Any) -> bool:
    """Whether a record has messages; what they are is looked at later, so that what is wrong with them is said."""
    return type(value) is dict and "messages" in value


def parse_chat(record: Any, location: Location) -> Sequence[Transcript]:
    """The one conversation of a record. Raises `Unreadable`."""
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    messages = record.get("messages")
    if type(messages) is not list:
        missing = f"is {name_kind(messages)}, not a list" if "messages" in record else "is missing"
        raise Unreadable(f'"messages" {missing}')
    if not messages:
        raise Unreadable('"messages" is empty')
    parsed = [parse_message(raw, index) for index, raw in enumerate(messages)]
    system = parse_system(record.get("system"))
    left_out: set[str | None] = {"messages"}
    if system is not None:
        # after the last, so that every index is the one the message has in the source
        parsed.append(system)
        left_out.add("system")
    id_field = next((field for field in _IDS if names(record.get(field))), None)
    left_out.add(id_field)
    metadata = gather_metadata(record, left_out)
    if "model" not in metadata:
        first = next((raw for raw, said in zip(messages, parsed, strict=False) if said.role is Role.ASSISTANT), None)
        if first is not None and isinstance(first.get("model"), str):
            metadata["model"] = first["model"]
    identity = record[id_field] if id_field is not None else None
    return (build_transcript(parsed, location, identity=identity, metadata=metadata),)


CHAT = Format(
    name="chat",
    title="messages with roles: OpenAI chat and fine-tuning, Anthropic requests",
    recognises=is_chat,
    start=alone(parse_chat),
    example=(
        '{"id": "c1", "messages": [{"role": "user", "content": "May I return a worn coat?"}, '
        '{"role": "assistant", "content": "Yes, within 30 days."}], "model": "example-1"}\n'
    ),
)
