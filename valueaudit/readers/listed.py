"""One conversation from a record that keeps its messages in a list, so that formats differ only in names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from valueaudit.readers.building import build_transcript, gather_metadata, names
from valueaudit.readers.content import Unreadable, name_kind, parse_messages, parse_system
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
    id_field = None
    for name in ids:
        if name in record and names(record[name]):
            id_field = name
            break
    left_out = [field, id_field]
    system = parse_system(record["system"]) if "system" in record else None
    if system is not None:
        # after the last, so that every index is the one the message has in the source
        messages = (*messages, system)
        left_out.append("system")
    metadata = gather_metadata(record, left_out)
    if "model" not in metadata:
        model = _find_model(unpack_list(record[field]), messages)
        if model is not None:
            metadata["model"] = model
    identity = record[id_field] if id_field is not None else None
    return build_transcript(messages, location, identity=identity, metadata=metadata)


def _find_model(raws: Sequence[Any], messages: Sequence[Message]) -> str | None:
    for raw, message in zip(raws, messages, strict=False):
        if message.role is Role.ASSISTANT:
            model = raw.get("model")
            return model if isinstance(model, str) else None
    return None


def parse_listed(record: Any, location: Location, field: str = "messages", ids: Sequence[str] = IDS) -> Transcript:
    """The conversation of a record with messages of a role and a content in `field`. Raises `Unreadable`."""
    messages = parse_messages(list_of(record, field), field)
    return build_listed(record, location, messages, field=field, ids=ids)
