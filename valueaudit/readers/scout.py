"""Transcripts of Inspect Scout, which gathers conversations of agents from many logs in one shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valueaudit.readers.building import build_transcript, gather_metadata
from valueaudit.readers.content import Unreadable, name_kind
from valueaudit.readers.format import Format, alone
from valueaudit.readers.inspect_messages import read_inspect_message
from valueaudit.readers.lenient import object_of
from valueaudit.transcript import Item, LeftOut, Location

_LEFT_OUT = frozenset({"transcript_id", "messages", "events", "timelines", "attachments", "events_data"})
_MARKS = frozenset({"messages", "source_type", "source_id", "source_uri", "task_set"})


def is_scout(value: Any) -> bool:
    """Whether a record is a transcript, or what an index says of one."""
    return type(value) is dict and "transcript_id" in value and not _MARKS.isdisjoint(value)


def parse_scout(record: Any, location: Location) -> Sequence[Item]:
    """The conversation of a record. Raises `Unreadable`."""
    if type(record) is not dict:
        raise Unreadable(f"{name_kind(record)}, not an object")
    raws = record.get("messages")
    if raws is not None and type(raws) is not list:
        raise Unreadable(f'"messages" is {name_kind(raws)}, not a list')
    if not raws:
        return (LeftOut(location, "a transcript without messages"),)
    attached = object_of(record.get("attachments"))
    messages = [read_inspect_message(raw, f"messages[{index}]", attached) for index, raw in enumerate(raws)]
    metadata = {name: value for name, value in gather_metadata(record, _LEFT_OUT).items() if value is not None}
    return (build_transcript(messages, location, identity=record.get("transcript_id"), metadata=metadata),)


SCOUT = Format(
    name="scout",
    title="transcripts of Inspect Scout (JSON or JSONL)",
    recognises=is_scout,
    start=alone(parse_scout),
    example=(
        '{"transcript_id": "t1", "source_type": "eval_log", "task_set": "returns", "model": "example-1", '
        '"messages": [{"role": "user", "content": "May I return a worn coat?"}, '
        '{"role": "assistant", "content": "Yes, within 30 days."}], "metadata": {"topic": "returns"}}\n'
    ),
)
