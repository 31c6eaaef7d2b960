"""What a span or a log event says that a model was told and answered, in each of the vocabularies that are in use."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from valueaudit.readers.attributes import Tree, decode_value, find, find_text, grow_tree
from valueaudit.readers.sides import decode
from valueaudit.transcript import Location, Metadata

_ASKED = (
    "gen_ai.input.messages",
    "gen_ai.prompt",
    "llm.input_messages",
    "ai.prompt.messages",
    "ai.prompt",
    "request_data",
    "llm.prompts",
    "input.value",
    "traceloop.entity.input",
    "input",
)
_REPLIED = (
    "gen_ai.output.messages",
    "gen_ai.completion",
    "llm.output_messages",
    "pydantic_ai.all_messages",
    "all_messages_events",
    "response_data",
    "output.value",
    "traceloop.entity.output",
    "output",
    "final_result",
)
_SYSTEM = ("gen_ai.system_instructions", "gen_ai.system_instruction")
_PROMPT = "gen_ai.content.prompt"
_COMPLETION = "gen_ai.content.completion"
_DETAILS = "gen_ai.client.inference.operation.details"
_CHOICE = "gen_ai.choice"

Sides = tuple[Any, Any]


class Span(Struct, frozen=True, kw_only=True):
    """One span, or one log event: then `event` is its name, and `body` what it carries."""

    location: Location
    attributes: Tree
    resource: Tree = {}
    trace: str | None = None
    identity: str | None = None
    name: str | None = None
    time: Any = None
    events: tuple[dict[str, Any], ...] = ()
    event: str | None = None
    body: Any = None

    @property
    def key(self) -> tuple[str, str] | None:
        """What the events of this span name it by."""
        return (self.trace or "", self.identity) if self.identity is not None else None


class Log:
    """The messages of one span that came as log events, in the order they came."""

    def __init__(self, span: Span, metadata: Metadata, sides: Sides) -> None:
        self.span = span
        self.metadata = metadata
        self.asked: list[Any] = []
        self.replied: list[Any] = []
        self.extend(sides)

    def extend(self, sides: Sides) -> None:
        """Adds what one more event says."""
        asked, replied = sides
        self.asked += asked if type(asked) is list else [] if asked is None else [asked]
        self.replied += replied if type(replied) is list else [] if replied is None else [replied]


def ask(span: Span) -> Any:
    """What the model was told: the first that is there of attributes and events."""
    system = next(filter(None, (find(span.attributes, name) for name in _SYSTEM)), None)
    asked = _first(span.attributes, _ASKED[:-5]) or _from_events(span)[0] or _first(span.attributes, _ASKED[-5:])
    return asked if system is None else {"system": system, "input": asked}


def reply(span: Span) -> Any:
    """What the model answered: the first that is there of attributes and events."""
    replied = _first(span.attributes, _REPLIED[:3]) or _from_events(span)[1] or _reply_of_ai_sdk(span.attributes)
    return replied or _first(span.attributes, _REPLIED[3:])


def read_event(span: Span) -> Sides | None:
    """What a log event says was told and answered, None where it is no message."""
    body = decode(span.body)
    fields = {**span.attributes, **(grow_tree(body) if type(body) is dict else {"content": body})}
    return _read_event(span.event or "", fields)


def _first(tree: Tree, names: tuple[str, ...]) -> Any:
    return next((value for value in (find(tree, name) for name in names) if value not in (None, "", [], {})), None)


def _reply_of_ai_sdk(tree: Tree) -> Any:
    text = find_text(tree, "ai.response.text", "ai.response.object", "ai.result.text")
    calls = decode(find(tree, "ai.response.toolCalls") or find(tree, "ai.result.toolCalls"))
    if type(calls) is not list or not calls:
        return text
    return {"role": "assistant", "content": text or "", "toolCalls": calls}


def _from_events(span: Span) -> Sides:
    """The messages in the events of a span, or in the list of them that pydantic-ai keeps as an attribute."""
    asked: list[Any] = []
    replied: list[Any] = []
    listed = decode(find(span.attributes, "events"))
    for event in listed if type(listed) is list else ():
        if type(event) is dict:
            _add(asked, replied, _read_event(str(event.get("event.name", "")), event))
    for event in span.events:
        _add(asked, replied, _read_event(str(event.get("name", "")), grow_tree(event.get("attributes"))))
    return asked or None, replied or None


def _add(asked: list[Any], replied: list[Any], sides: Sides | None) -> None:
    for gathered, side in zip((asked, replied), sides or (None, None), strict=True):
        side = decode(side)
        if side is not None:
            gathered += side if type(side) is list else [side]


def _read_event(name: str, fields: Tree) -> Sides | None:
    if name == _PROMPT:
        return find(fields, "gen_ai.prompt"), None
    if name == _COMPLETION:
        return None, find(fields, "gen_ai.completion")
    if name == _DETAILS:
        told = Span(location=Location(""), attributes=fields)
        return ask(told), reply(told)
    if name == _CHOICE:
        return None, _message(name, fields)
    if name.startswith("gen_ai.") and name.endswith(".message"):
        return _message(name, fields), None
    return None


def _message(name: str, fields: Tree) -> dict[str, Any]:
    """The message of an event: its fields, or the object that some exporters write as JSON into one of them."""
    inner = decode(find(fields, "gen_ai.event.content"))
    body = inner if type(inner) is dict else fields
    message = decode(body.get("message"))
    if type(message) is not dict:
        message = {"content": message} if isinstance(message, str) else body
    picked = {field: decode_value(message[field]) for field in ("role", "content", "tool_calls") if field in message}
    if type(picked.get("tool_calls")) is str:
        picked["tool_calls"] = decode(picked["tool_calls"])
    return {"content": "", **picked, "event.name": name}
