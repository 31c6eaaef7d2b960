from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_logs import read_values

from valueaudit.readers.format import Format
from valueaudit.readers.langfuse import LANGFUSE
from valueaudit.readers.langsmith import LANGSMITH
from valueaudit.readers.managed_agents import MANAGED_AGENTS
from valueaudit.readers.otel import OTEL
from valueaudit.transcript import BadRecord, LeftOut, Transcript

TRACED = (LANGSMITH, LANGFUSE, OTEL, MANAGED_AGENTS)

scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "user", "[1]", '{"role": "ai"}'])
NAMES = (
    "id trace_id traceId span_id spanId run_type dotted_order inputs outputs input output messages role "
    "content parts type text name kwargs lc data post patch runs child_runs extra metadata thread_id "
    "observations trace sessionId timestamp generations choices candidates contents message tool_calls "
    "function tool_call attributes events body eventName resourceSpans scopeSpans resourceLogs scopeLogs "
    "logRecords spans key value stringValue arrayValue kvlistValue values gen_ai.prompt gen_ai.prompt.0 "
    "gen_ai.input.messages gen_ai.completion gen_ai.choice llm.input_messages.0.message.content "
    "openinference.span.kind context system config ai.response.toolCalls request_data additional_kwargs "
    "chat_history meta args"
)
names = st.sampled_from(NAMES.split())
words = st.sampled_from(
    ["llm", "chain", "GENERATION", "SPAN", "human", "ai", "text", "tool_call", "reasoning", "chat", "LLM"]
)
values = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=25,
)
records = st.dictionaries(names, values, max_size=6)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.sampled_from(TRACED), st.lists(records | values, max_size=4))
def test_nothing_is_raised_whatever_the_records_hold(known: Format, drawn: list[Any]) -> None:
    """With the format forced, any JSON ends in items with a place, conversations have messages, reasons no contents."""
    for item in read_values(*drawn, forced=known):
        assert item.location.pointer is not None or 1 <= (item.location.line or 0) <= len(drawn)
        match item:
            case Transcript():
                assert item.messages
                assert item.id
            case BadRecord() | LeftOut():
                assert item.reason


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(records, max_size=4))
def test_recognition_never_raises_and_is_followed(drawn: list[Any]) -> None:
    """Whichever format takes a record, it is read without an exception, and no record is lost."""
    items = read_values(*drawn)
    for line, value in enumerate(drawn, 1):
        taken = [known for known in TRACED if known.recognises(value)]
        if not taken:
            assert any(item.location.line == line or item.location.pointer for item in items)


@pytest.mark.parametrize("known", TRACED, ids=lambda known: known.name)
def test_deep_values_are_read(known: Format) -> None:
    """Values nested as deep as a record may be raise nothing, wherever they lie."""
    for step in ({"message": None}, {"output": None}, {"gen_ai.prompt": None}, {"content": None}, {"child_runs": None}):
        ((field, _),) = step.items()
        deep: Any = "x"
        for _ in range(95):
            deep = {field: [deep] if field == "child_runs" else deep}
        everywhere = {
            "id": "1",
            "run_type": "llm",
            "inputs": deep,
            "outputs": deep,
            "input": deep,
            "output": deep,
            "type": "GENERATION",
            **deep,
        }
        inside = {
            **everywhere,
            "inputs": json.dumps(deep),
            "input": json.dumps(deep),
            "gen_ai.prompt": json.dumps(deep),
        }
        assert read_values(everywhere, inside, forced=known)


@pytest.mark.parametrize("known", TRACED, ids=lambda known: known.name)
def test_the_example_is_of_its_format_alone(known: Format) -> None:
    """The example is recognised by its own format, and by none of the others."""
    value = json.loads(known.example.splitlines()[0])
    assert [each.name for each in TRACED if each.recognises(value)] == [known.name]
