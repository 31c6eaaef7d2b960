"""One step of a trace (a run, an observation, a span) as what it adds to the conversations of its trace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from valueaudit.readers.building import build_transcript
from valueaudit.readers.content import Unreadable, name_kind, quote
from valueaudit.readers.growing import Candidate, Traces
from valueaudit.readers.sides import decode, is_shaped, parse_exchange
from valueaudit.transcript import BadRecord, LeftOut, Location, Metadata

_MOST_FIELDS_NAMED = 6


class Step(Struct, frozen=True, kw_only=True):
    """What a step was given (`asked`) and what it gave (`replied`), as the trace has them.

    `thread` names the conversation that the source says its trace belongs to; a trace without one is on its own.
    """

    location: Location
    trace: str | None
    thread: str | None
    identity: object
    asked: Any
    replied: Any
    is_call: bool
    metadata: Metadata


def take(traces: Traces, step: Step) -> None:
    """Adds a step to the traces: as a candidate, or as what it is where it holds no conversation.

    A model call that cannot be read is a bad record. Another step is left out then: what models said in it is in their
    calls.
    """
    if step.thread is not None and step.trace is not None:
        traces.join(step.trace, step.thread)
    try:
        messages = parse_exchange(step.asked, step.replied, is_call=step.is_call)
        if messages:
            transcript = build_transcript(
                messages,
                step.location,
                identity=step.identity,
                metadata=step.metadata,
                branches=count_others(step.replied),
            )
            shaped = step.is_call or is_shaped(step.replied)
            traces.add(Candidate(transcript, step.is_call, shaped, step.trace or step.thread))
            return
        reason = explain_silence(step.asked, step.replied)
    except Unreadable as error:
        reason = error.reason
    if not step.is_call:
        traces.settle(LeftOut(step.location, "no conversation in its input and output"))
    elif reason is None:
        traces.settle(LeftOut(step.location, "a model call of which neither input nor output was recorded"))
    else:
        traces.settle(BadRecord(step.location, reason))


def explain_silence(asked: Any, replied: Any) -> str | None:
    """Why there is no message in either side, None where there is nothing at all."""
    for side, value in (("input", decode(asked)), ("output", decode(replied))):
        if value in (None, "", {}, []):
            continue
        if type(value) is not dict:
            return f"the {side} is {name_kind(value)} in no known form"
        named = ", ".join(quote(field) for field in list(value)[:_MOST_FIELDS_NAMED])
        return f"the {side} is in no known form; its fields are {named}"
    return None


def inside(location: Location, pointer: str) -> Location:
    """The place at a JSON pointer from another place."""
    return Location(location.source, location.line, (location.pointer or "") + pointer)


def count_others(replied: Any) -> int:
    """How many other replies stand beside the one that is read."""
    replied = decode(replied)
    for field in ("choices", "candidates", "generations"):
        replies = at(replied, field)
        if type(replies) is list and replies:
            return max(len(replies[0] if type(replies[0]) is list else replies) - 1, 0)
    return 0


def first_text(*values: Any) -> str | None:
    """The first of the values that is a string with something in it."""
    return next((value for value in values if isinstance(value, str) and value.strip()), None)


def known(fields: Iterable[tuple[str, Any]]) -> Metadata:
    """The fields whose value says something."""
    return {name: value for name, value in fields if value not in (None, "", [], {})}


def at(value: Any, *path: str) -> Any:
    """What lies at a path of fields, None where the path ends early."""
    for field in path:
        value = value.get(field) if type(value) is dict else None
    return value
