"""Langfuse traces and observations, as its interface, its API and its exports write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from valueaudit.readers.content import name_kind
from valueaudit.readers.format import Format, Record
from valueaudit.readers.growing import Traces
from valueaudit.readers.sides import decode
from valueaudit.readers.steps import Step, at, first_text, inside, known, take
from valueaudit.transcript import BadRecord, Item, LeftOut, Location, Metadata

_CALLS = frozenset({"GENERATION"})
_AROUND = frozenset({"SPAN", "AGENT", "CHAIN"})
_WITHOUT_SPEECH = frozenset({"EVENT", "TOOL", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL"})
_TYPES = _CALLS | _AROUND | _WITHOUT_SPEECH
# what instrumentation notes of the process, and the input and output once more
_NOT_OF_THE_CONVERSATION = frozenset({"attributes", "resourceAttributes", "scope", "tools"})


def is_langfuse(value: Any) -> bool:
    """Whether a record is a trace with its observations, one of either, or a page of traces."""
    if type(value) is not dict:
        return False
    if type(value.get("observations")) is list:
        return type(value.get("trace")) is dict or "timestamp" in value or "sessionId" in value
    if type(value.get("data")) is list and "meta" in value:
        return (
            bool(value["data"])
            and type(value["data"][0]) is dict
            and (_is_row(value["data"][0]) or is_langfuse(value["data"][0]))
        )
    return _is_row(value)


def _is_row(value: dict[str, Any]) -> bool:
    """Whether a record is one observation or one trace of an export."""
    kind = value.get("type")
    if isinstance(kind, str) and kind in _TYPES and ("traceId" in value or "trace_id" in value):
        return "startTime" in value or "start_time" in value or "parentObservationId" in value
    if not ("timestamp" in value and "input" in value and "output" in value):
        return False
    return ("sessionId" in value or "session_id" in value) and ("userId" in value or "user_id" in value)


class Langfuse:
    """Gathers observations by trace, and traces by session."""

    def __init__(self) -> None:
        self._traces = Traces()

    def feed(self, record: Record) -> Sequence[Item]:
        """What holds no conversation; those wait, because a later observation may continue them."""
        value, location = record
        pages = value.get("data") if type(value) is dict else None
        if type(pages) is list:
            for index, page in enumerate(pages):
                self._read(page, inside(location, f"/data/{index}"))
        else:
            self._read(value, location)
        return self._traces.drain()

    def close(self) -> Iterator[Item]:
        """Every conversation, and what holds none."""
        return self._traces.close()

    def _read(self, value: Any, location: Location) -> None:
        if type(value) is not dict:
            self._traces.settle(BadRecord(location, f"{name_kind(value)}, not an object"))
            return
        if type(value.get("observations")) is not list:
            self._read_row(value, location)
            return
        inner = value.get("trace")
        trace = inner if type(inner) is dict else value
        for index, observation in enumerate(value["observations"]):
            place = inside(location, f"/observations/{index}")
            if type(observation) is dict:
                self._read_observation(observation, trace, place)
            else:
                self._traces.settle(BadRecord(place, f"an observation is {name_kind(observation)}, not an object"))
        self._read_trace(trace, inside(location, "/trace") if inner is trace else location)

    def _read_row(self, row: dict[str, Any], location: Location) -> None:
        if isinstance(row.get("type"), str) and row["type"] in _TYPES:
            self._read_observation(row, {}, location)
        else:
            self._read_trace(row, location)

    def _read_observation(self, observation: dict[str, Any], trace: dict[str, Any], location: Location) -> None:
        kind = observation.get("type")
        if not isinstance(kind, str):
            kind = ""
        if kind.upper() in _WITHOUT_SPEECH:
            reason = f"an observation of type {kind.upper()}, which holds no speech of its own"
            self._traces.settle(LeftOut(location, reason))
            return
        self._take(observation, trace, location, is_call=isinstance(kind, str) and kind in _CALLS)

    def _read_trace(self, trace: dict[str, Any], location: Location) -> None:
        if any(decode(trace.get(side)) not in (None, "", {}, []) for side in ("input", "output")):
            self._take({**trace, "observations": None}, trace, location, is_call=False)
        else:
            self._traces.settle(LeftOut(location, "a trace without an input and output of its own"))

    def _take(self, step: dict[str, Any], trace: dict[str, Any], location: Location, *, is_call: bool) -> None:
        take(
            self._traces,
            Step(
                location=location,
                trace=first_text(_field(step, "traceId", "trace_id"), trace.get("id")),
                thread=first_text(*(_field(place, "sessionId", "session_id") for place in (trace, step))),
                identity=step.get("id"),
                asked=step.get("input"),
                replied=step.get("output"),
                is_call=is_call,
                metadata=_gather(step, trace),
            ),
        )


def _field(record: dict[str, Any], *names: str) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _gather(step: dict[str, Any], trace: dict[str, Any]) -> Metadata:
    """What trace and observation say of the conversation; the fields that their users set as metadata win."""
    both = (step, trace)
    replied = decode(step.get("output"))
    told = known(
        (
            ("model", _field(step, "model", "provided_model_name", "providedModelName") or at(replied, "model")),
            ("time", _field(step, "startTime", "start_time", "timestamp")),
            ("user_id", next(filter(None, (_field(each, "userId", "user_id") for each in both)), None)),
            ("session_id", next(filter(None, (_field(each, "sessionId", "session_id") for each in both)), None)),
            ("trace_id", _field(step, "traceId", "trace_id") or trace.get("id")),
            ("tags", next(filter(None, (each.get("tags") for each in both)), None)),
            ("name", step.get("name")),
            ("trace_name", trace.get("name")),
            ("type", step.get("type")),
            ("instructions", at(replied, "instructions")),
            *((field, _field(step, field) or trace.get(field)) for field in ("environment", "release", "version")),
        )
    )
    for each in (trace, step):
        given = decode(each.get("metadata"))
        if type(given) is dict:
            told |= known((name, value) for name, value in given.items() if name not in _NOT_OF_THE_CONVERSATION)
    return told


LANGFUSE = Format(
    name="langfuse",
    title="Langfuse traces and observations",
    recognises=is_langfuse,
    start=Langfuse,
    example=(
        '{"trace": {"id": "t1", "userId": "u1", "sessionId": null, "timestamp": "2026-01-05T10:00:00Z"}, '
        '"observations": [{"id": "o1", "traceId": "t1", "type": "GENERATION", '
        '"startTime": "2026-01-05T10:00:00Z", "model": "example-1", '
        '"input": [{"role": "user", "content": "May I return a worn coat?"}], '
        '"output": {"role": "assistant", "content": "Yes, within 30 days."}}]}\n'
    ),
)
