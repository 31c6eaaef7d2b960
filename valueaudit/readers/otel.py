"""Spans and events of OpenTelemetry that tell of conversations, in the words of GenAI, OpenInference and others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from valueaudit.readers.attributes import Tree, find, find_text
from valueaudit.readers.format import Format, Record
from valueaudit.readers.growing import Traces
from valueaudit.readers.otlp import find_spans, is_otlp, is_span
from valueaudit.readers.spans import Log, Span, ask, read_event, reply
from valueaudit.readers.steps import Step, known, take
from valueaudit.transcript import BadRecord, Item, LeftOut, Metadata

_PREFIX = "gen_ai."
_MARKS = (_PREFIX, "openinference.span.kind", "llm.input_messages", "llm.output_messages")
_CALLS = frozenset({"chat", "text_completion", "generate_content", "completion", "LLM"})
_WITHOUT_SPEECH = frozenset(
    {"execute_tool", "embeddings", "embedding", "retrieval", "create_agent", "rerank"}
    | {"TOOL", "RETRIEVER", "EMBEDDING", "RERANKER", "GUARDRAIL", "EVALUATOR", "PROMPT"}
)
_KINDS = ("openinference.span.kind", "span_kind", "gen_ai.operation.name", "llm.request.type")
_SPOKEN = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.prompt",
    "gen_ai.completion",
    "llm.input_messages",
    "llm.output_messages",
    "ai.prompt",
    "ai.response.text",
)
_THREADS = ("gen_ai.conversation.id", "session.id", "thread.id", "langfuse.session.id")
_REPEATED = {
    "gen_ai": ("input", "output", "prompt", "completion", "system_instructions"),
    "llm": ("input_messages", "output_messages", "prompts", "tools"),
    "ai": ("prompt", "response"),
    "pydantic_ai": ("all_messages",),
    "traceloop": ("entity",),
}
_REPEATED_WHOLE = frozenset(
    {"input", "output", "events", "all_messages_events", "request_data", "response_data", "final_result"}
)


def is_otel(value: Any) -> bool:
    """Whether a record is an OTLP request, a span, a log event, or the attributes of a span that tells of a model."""
    if type(value) is not dict:
        return False
    return is_otlp(value) or is_span(value) or any(name.startswith(_MARKS) and name != _PREFIX for name in value)


class OpenTelemetry:
    """Gathers spans by trace, and joins the events of a span to it."""

    def __init__(self) -> None:
        self._traces = Traces()
        self._logs: dict[tuple[str, str], Log] = {}
        self._silent: dict[tuple[str, str], Metadata] = {}

    def feed(self, record: Record) -> Sequence[Item]:
        """What holds no conversation; those wait, because a later span may continue them."""
        empty = True
        for span in find_spans(record):
            empty = False
            if isinstance(span, BadRecord):
                self._traces.settle(span)
            elif span.event is not None:
                self._read_log(span)
            else:
                self._read_span(span)
        if empty:
            self._traces.settle(LeftOut(record.location, "no span in it"))
        return self._traces.drain()

    def close(self) -> Iterator[Item]:
        """Every conversation, and what holds none."""
        for key, log in self._logs.items():
            metadata = {**log.metadata, **self._silent.get(key, {})}
            self._take(log.span, log.asked, log.replied, metadata, is_call=True)
        self._logs, self._silent = {}, {}
        return self._traces.close()

    def _read_span(self, span: Span) -> None:
        kind = find_text(span.attributes, *_KINDS)
        if kind in _WITHOUT_SPEECH:
            self._traces.settle(LeftOut(span.location, f"a span of kind {kind}, which holds no speech of its own"))
            return
        metadata = _gather(span)
        asked, replied = ask(span), reply(span)
        is_call = kind in _CALLS or (kind is None and any(find(span.attributes, name) for name in _SPOKEN))
        if asked in (None, {}) and replied is None and span.key is not None:
            # its messages may be in log events
            self._silent[span.key] = metadata
        self._take(span, asked, replied, metadata, is_call=is_call)

    def _read_log(self, span: Span) -> None:
        read = read_event(span)
        if read is None:
            self._traces.settle(LeftOut(span.location, "a log event that is no message"))
        elif span.key is None:
            self._take(span, *read, _gather(span), is_call=True)
        elif span.key in self._logs:
            self._logs[span.key].extend(read)
            self._traces.settle(LeftOut(span.location, "a message, read with the first one of its span"))
        else:
            self._logs[span.key] = Log(span, _gather(span), read)

    def _take(self, span: Span, asked: Any, replied: Any, metadata: Metadata, *, is_call: bool) -> None:
        take(
            self._traces,
            Step(
                location=span.location,
                trace=span.trace,
                thread=find_text(span.attributes, *_THREADS),
                identity=span.identity or find(span.attributes, "gen_ai.response.id"),
                asked=asked,
                replied=replied,
                is_call=is_call,
                metadata=metadata,
            ),
        )


def _gather(span: Span) -> Metadata:
    """What the span says beside the conversation: dotted names as objects in objects, the usual fields on top."""
    tree = span.attributes
    rest: Tree = {}
    for root, branch in tree.items():
        if root in _REPEATED_WHOLE:
            continue
        if root in _REPEATED and type(branch) is dict:
            branch = {name: inner for name, inner in branch.items() if name not in _REPEATED[root]}
        rest[root] = branch
    told = known(
        (
            (
                "model",
                find_text(tree, "gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "ai.model.id"),
            ),
            ("time", span.time),
            ("user_id", find_text(tree, "user.id", "enduser.id", "langfuse.user.id")),
            ("session_id", find_text(tree, *_THREADS)),
            ("trace_id", span.trace),
            ("name", span.name),
            ("tags", find(tree, "tag.tags")),
            ("resource", span.resource),
        )
    )
    return known(rest.items()) | told


OTEL = Format(
    name="otel",
    title="OpenTelemetry GenAI and OpenInference spans",
    recognises=is_otel,
    start=OpenTelemetry,
    example=(
        '{"traceId": "5b8a", "spanId": "eee1", "name": "chat example-1", "attributes": '
        '{"gen_ai.operation.name": "chat", '
        '"gen_ai.request.model": "example-1", "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", '
        '"content": "May I return a worn coat?"}]}], "gen_ai.output.messages": [{"role": "assistant", "parts": '
        '[{"type": "text", "content": "Yes, within 30 days."}], "finish_reason": "stop"}]}}\n'
    ),
)
