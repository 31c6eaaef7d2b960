"""Conversations as a list of messages with roles, the shape in which OpenAI and Anthropic chats are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valueaudit.readers.content import find_role
from valueaudit.readers.format import Format, alone
from valueaudit.readers.listed import parse_listed, unpack_list
from valueaudit.transcript import Location, Role, Transcript

_LIST = "messages"
# where applications put what the model said next
_REPLIES = ("message", "response", "output", "completion", "answer", "reply")


def is_chat(value: Any) -> bool:
    """Whether a record has messages; what they are is looked at later, so that what is wrong with them is said."""
    return type(value) is dict and "messages" in value


def parse_chat(record: Any, location: Location) -> Sequence[Transcript]:
    """The one conversation of a record, with the reply where it lies beside the messages. Raises `Unreadable`."""
    return (parse_listed(_join_reply(record), location),)


def _join_reply(record: Any) -> Any:
    """The record with the reply at the end of its messages, where they wait for one and one lies beside them."""
    if type(record) is not dict or len(record) == 1:
        return record
    messages = unpack_list(record.get(_LIST))
    if type(messages) is not list or not messages or type(messages[-1]) is not dict:
        return record
    if find_role(messages[-1].get("role")) not in (Role.USER, Role.SYSTEM, Role.TOOL):
        return record
    replies = {field: reply for field in _REPLIES if (reply := _read_reply(record.get(field))) is not None}
    if len(replies) != 1:
        return record
    ((field, reply),) = replies.items()
    rest = {name: value for name, value in record.items() if name != field}
    return {**rest, _LIST: [*messages, *reply]}


def _read_reply(value: Any) -> list[Any] | None:
    """The messages of a reply: a text, a message of the assistant or a list of messages that begins with one."""
    if isinstance(value, str):
        return [{"role": "assistant", "content": value}] if value.strip() else None
    raws = value if type(value) is list else [value]
    first = raws[0] if raws else None
    is_said = type(first) is dict and "content" in first and find_role(first.get("role")) is Role.ASSISTANT
    return raws if is_said else None


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
