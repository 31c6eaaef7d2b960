"""One conversation from a record that keeps its messages in a list, so that formats differ only in names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valueaudit.readers.building import build_transcript, gather_metadata, names
from valueaudit.readers.content import Unreadable, name_kind, parse_message, parse_system
from valueaudit.transcript import Location, Message, Role, Transcript

IDS = ("id", "chat_id", "conversation_id")


def list_of(record: Any, field: str) -> list[Any]:
    """The messages in `field` of a record, at least one. Raises `Unreadable`."""
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    messages = record.get(field)
    if type(messages) is not list:
        missing = f"is {name_kind(messages)}, not a list" if field in record else "is missing"
        raise Unreadable(f'"{field}" {missing}')
    if not messages:
        raise Unreadable(f'"{field}" is empty')
    return messages


def build_listed(
    record: dict[str, Any],
    location: Location,
    messages: Sequence[Message],
    *,
    field: str,
    ids: Sequence[str] = IDS,
) -> Transcript:
    """The conversation of `record`, whose `messages` are those of the list in `field`, in its order.

    The id is the first of `ids` that names something, the system prompt the field `system`; all else is metadata. Where
    the record names no model, that of the first assistant message is taken.
    """
    said = list(messages)
    left_out: set[str | None] = {field}
    system = parse_system(record.get("system"))
    if system is not None:
        # after the last, so that every index is the one the message has in the source
        said.append(system)
        left_out.add("system")
    id_field = next((name for name in ids if names(record.get(name))), None)
    left_out.add(id_field)
    metadata = gather_metadata(record, left_out)
    if "model" not in metadata:
        raws = zip(record[field], messages, strict=True)
        first = next((raw for raw, message in raws if message.role is Role.ASSISTANT), None)
        model = None if first is None else first.get("model")
        if isinstance(model, str):
            metadata["model"] = model
    identity = record[id_field] if id_field is not None else None
    return build_transcript(said, location, identity=identity, metadata=metadata)


def parse_listed(record: Any, location: Location, field: str = "messages", ids: Sequence[str] = IDS) -> Transcript:
    """The conversation of a record with messages of a role and a content in `field`. Raises `Unreadable`."""
    messages = [parse_message(raw, index, field) for index, raw in enumerate(list_of(record, field))]
    return build_listed(record, location, messages, field=field, ids=ids)
