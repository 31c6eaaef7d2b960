"""What holds for every format of the model APIs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from api_samples import CALL, COMPLETION, MESSAGE, QUESTION, REPLY, read_run, spoken
from hypothesis import given, settings
from hypothesis import strategies as st

from valueaudit.readers.anthropic_batch import ANTHROPIC_BATCH
from valueaudit.readers.anthropic_messages import ANTHROPIC_MESSAGES
from valueaudit.readers.format import Format, Record
from valueaudit.readers.litellm import LITELLM
from valueaudit.readers.openai_batch import OPENAI_BATCH
from valueaudit.readers.openai_completions import OPENAI_COMPLETIONS
from valueaudit.readers.openai_responses import OPENAI_RESPONSES
from valueaudit.transcript import Location, Transcript

FORMATS = (OPENAI_BATCH, ANTHROPIC_BATCH, LITELLM, ANTHROPIC_MESSAGES, OPENAI_RESPONSES, OPENAI_COMPLETIONS)
FORMATS_PAGE = Path(__file__).parents[2] / "docs" / "formats.md"

# the same examples on every machine, and no clock: a slow machine is no failure
steady = settings(deadline=None, derandomize=True, max_examples=150)

FIELDS = (
    *("request", "response", "messages", "input", "output", "prompt", "completion", "choices", "message", "content"),
    *("role", "type", "text", "items", "data", "object", "body", "status", "error", "custom_id", "params", "result"),
    *("requests", "call_type", "startTime", "metadata", "system", "instructions", "model", "done", "arguments"),
    *("proxy_server_request", "tool_calls"),
)
WORDS = ("assistant", "user", "message", "response", "list", "function_call", "reasoning", "succeeded", "m", "data: {}")
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), inner, max_size=6)
        | inner.map(json.dumps)
    ),
    max_leaves=12,
)
odd_records = st.fixed_dictionaries(
    {},
    optional={
        "request": st.just(CALL) | json_values,
        "response": st.sampled_from([COMPLETION, MESSAGE]) | json_values,
        "input": json_values,
        "output": json_values,
        "custom_id": st.just("a") | json_values,
        "body": st.just(CALL) | json_values,
        "params": st.just(CALL) | json_values,
        "result": st.just({"type": "succeeded", "message": MESSAGE}) | json_values,
        "call_type": json_values,
        "startTime": json_values,
        "messages": json_values,
        "items": json_values,
    },
)
format_names = pytest.mark.parametrize("format", FORMATS, ids=lambda known: known.name)


@format_names
def test_the_example_is_read(format: Format) -> None:
    """The example that users are shown is one conversation of its format."""
    (item,), formats = read_run(format.example)
    assert formats == [(format.name,)]
    assert isinstance(item, Transcript)
    assert [(role, text) for role, text in spoken(item) if role != "system"] == [
        ("user", QUESTION),
        ("assistant", REPLY),
    ]


@format_names
def test_the_page_shows_an_example(format: Format) -> None:
    """Each section of docs/formats.md has an example that is read as its format."""
    page = FORMATS_PAGE.read_text(encoding="utf-8")
    section = re.search(rf"^### `{format.name}`.*?(?=^##)", page, flags=re.MULTILINE | re.DOTALL)
    assert section is not None
    examples = re.findall(r"```json\n(.*?)```", section[0], flags=re.DOTALL)
    assert examples
    for example in examples:
        items, formats = read_run(example)
        assert formats == [(format.name,)]
        assert items
        assert all(isinstance(item, Transcript) for item in items)


@format_names
@given(st.lists(json_values | odd_records, max_size=4))
@steady
def test_nothing_raises_and_nothing_is_lost(format: Format, values: list[Any]) -> None:
    """Any JSON value is looked at and read without an exception, and tells of itself at least once."""
    parser = format.start()
    items = []
    for number, value in enumerate(values):
        format.recognises(value)
        items += list(parser.feed(Record(value, Location("log", number + 1))))
    items += list(parser.close())
    told = {item.location.line for item in items}
    joined = [value for value in values if isinstance(value, dict) and ("custom_id" in value or "requests" in value)]
    if format.scope == "source":
        assert told == set(range(1, len(values) + 1))
    else:
        assert len(told) >= len(values) - len(joined)


@format_names
def test_deep_values_are_no_trouble(format: Format) -> None:
    """Strings that hold JSON as deep as a decoder goes are refused, not followed."""
    deep = '{"content":[' * 400 + "]}" * 400
    part: Any = {"type": "text", "text": "x"}
    for _ in range(20):
        part = {"type": "tool_result", "content": [part]}
    for value in (deep, json.dumps({"choices": [{"message": {"content": [part]}}]})):
        record = {
            "custom_id": "a",
            "call_type": "x",
            "startTime": "y",
            "request": CALL,
            "body": value,
            "response": value,
            "result": {"type": "succeeded", "message": value},
        }
        parser = format.start()
        format.recognises(record)
        items = [*parser.feed(Record(record, Location("log", 1))), *parser.close()]
        assert len(items) == 1
