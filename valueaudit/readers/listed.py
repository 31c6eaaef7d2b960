"""One conversation from a record that keeps its messages in a list, so that formats differ only in names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from valueaudit.readers.building import build_transcript, gather_metadata, names
from valueaudit.readers.content import Unreadable, name_kind, parse_message, parse_system
from valueaudit.readers.faults import refuse_hidden
from valueaudit.transcript import Location, Message, Role, Transcript

IDS = ("id", "chat_id", "conversation_id")


def list_of(record: Any, field: str) -> list[Any]:
    """The messages in `field` of a record, at least one. Raises `Unreadable`."""
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    messages = unpack_list(record.get(field))
    if type(messages) is not list:
        missing = f"is {name_kind(messages)}, not a list" if field in record else "is missing"
        raise Unreadable(f'"{field}" {missing}')
    if not messages:
        raise Unreadable(f'"{field}" is empty')
    return messages


def unpack_list(value: Any) -> Any:
    """The list that a string of JSON holds, as tables keep lists in a column; any other value as it is.

    JSON with a fault that the record itself may not have (a key twice, too deep) stays a string.
    """
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    try:
        decoded = msgspec.json.decode(value)
        refuse_hidden(decoded, value.encode())
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError, Unreadable):
        return value
    return decoded


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
        raws = zip(list_of(record, field), messages, strict=True)
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
