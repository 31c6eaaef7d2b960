"""Where the spans of an OpenTelemetry file lie: in requests of OTLP, as exporters print them, or as bare attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from valueaudit.readers.attributes import Tree, decode_value, find, grow_tree
from valueaudit.readers.content import name_kind
from valueaudit.readers.format import Record
from valueaudit.readers.spans import Span
from valueaudit.readers.steps import at, first_text, inside
from valueaudit.transcript import BadRecord, Location

# each level of a request: the names of its list, and whether its entries have a resource
_SPANS = (("resourceSpans", "resource_spans"), ("scopeSpans", "scope_spans", "instrumentationLibrarySpans"), ("spans",))
_LOGS = (("resourceLogs", "resource_logs"), ("scopeLogs", "scope_logs"), ("logRecords", "log_records"))
_PREFIX = "attributes."


def is_otlp(value: dict[str, Any]) -> bool:
    """Whether a record is a request of OTLP with spans or logs."""
    return any(type(value.get(name)) is list for levels in (_SPANS, _LOGS) for name in levels[0])


def is_span(value: dict[str, Any]) -> bool:
    """Whether a record is one span or one log event, as an exporter prints it."""
    context = value.get("context")
    of_span = type(context) is dict and "span_id" in context
    if not (of_span or any(name in value for name in ("spanId", "span_id", "context.span_id"))):
        return False
    return "attributes" in value or any(name.startswith(_PREFIX) for name in value)


def find_spans(record: Record) -> Iterator[Span | BadRecord]:
    """Every span and log event of a record with its place."""
    value, location = record
    if type(value) is not dict:
        yield BadRecord(location, f"{name_kind(value)}, not an object")
        return
    nested = False
    for levels in (_SPANS, _LOGS):
        if any(type(value.get(name)) is list for name in levels[0]):
            nested = True
            yield from _descend(value, location, levels, {})
    if nested:
        return
    if is_span(value):
        yield _read(value, location, {})
    else:
        yield Span(location=location, attributes=grow_tree(value))


def _descend(
    value: dict[str, Any], location: Location, levels: tuple[tuple[str, ...], ...], resource: Tree
) -> Iterator[Span | BadRecord]:
    field = next((name for name in levels[0] if type(value.get(name)) is list), None)
    for index, entry in enumerate(value[field] if field is not None else ()):
        place = inside(location, f"/{field}/{index}")
        if type(entry) is not dict:
            yield BadRecord(place, f"an entry of {field} is {name_kind(entry)}, not an object")
        elif len(levels) == 1:
            yield _read(entry, place, resource)
        else:
            own = grow_tree(at(entry, "resource", "attributes"))
            yield from _descend(entry, place, levels[1:], own or resource)


def _read(value: dict[str, Any], location: Location, resource: Tree) -> Span:
    prefixed = {name.removeprefix(_PREFIX): inner for name, inner in value.items() if name.startswith(_PREFIX)}
    attributes = grow_tree(value.get("attributes") or prefixed)
    context = value.get("context")
    ids = {**value, **(context if type(context) is dict else {})}
    events = value.get("events")
    return Span(
        location=location,
        attributes=attributes,
        resource=resource or grow_tree(at(value, "resource", "attributes")),
        trace=first_text(*(ids.get(name) for name in ("traceId", "trace_id", "context.trace_id"))),
        identity=first_text(*(ids.get(name) for name in ("spanId", "span_id", "context.span_id"))),
        name=first_text(value.get("name")),
        time=_time(value),
        events=tuple(event for event in events if type(event) is dict) if type(events) is list else (),
        event=first_text(value.get("eventName"), value.get("event_name"), find(attributes, "event.name"))
        or ("" if "body" in value else None),
        body=decode_value(value.get("body")),
    )


def _time(value: dict[str, Any]) -> Any:
    fields = ("startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime", "timeUnixNano", "timestamp")
    return next((value[field] for field in fields if value.get(field) is not None), None)
