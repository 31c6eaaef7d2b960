from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from read_logs import Log, force, read_lines, transcripts
from read_logs import words as told
from valueaudit.readers.chatgpt import CHATGPT
from valueaudit.readers.claude_ai import CLAUDE_AI
from valueaudit.readers.claude_code import CLAUDE_CODE
from valueaudit.readers.codex import CODEX
from valueaudit.readers.format import Format
from valueaudit.readers.inspect_log import INSPECT
from valueaudit.readers.librechat import LIBRECHAT
from valueaudit.readers.open_webui import OPEN_WEBUI
from valueaudit.readers.reading import Reading
from valueaudit.readers.scout import SCOUT
from valueaudit.registry import FORMATS
from valueaudit.transcript import Transcript

steady = settings(deadline=None, derandomize=True, max_examples=60)
APP_FORMATS = (CHATGPT, CLAUDE_AI, CLAUDE_CODE, CODEX, INSPECT, LIBRECHAT, OPEN_WEBUI, SCOUT)
ALONE = (CHATGPT, CLAUDE_AI, LIBRECHAT, OPEN_WEBUI, SCOUT)

NAMES = """
    agentId attachments attached author call_id chat chat_messages children childrenIds choices content content_type
    conversations current_node currentId epoch error eval event events events_data files history id input input_refs
    instructions isCreatedByUser isSidechain item items loglines mapping message messageId messages metadata model name
    num_turns options output parent parentId parentMessageId parentUuid parts payload role recipient reasoning samples
    scorer scores sender session sessionId summary target text timestamp tool_call tool_calls transcript transcript_id
    type uuid"""
WORDS = """
    a b user assistant human tool text code thoughts multimodal_text tool_use tool_result tool_call think message
    reasoning function_call function_call_output response_item event_msg session_meta turn_context user_message
    thread_rolled_back item_completed AgentMessage summary system attachment://a all"""
names = st.sampled_from(NAMES.split())
words = st.sampled_from(WORDS.split())
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**70) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def shuffled(example: Any) -> st.SearchStrategy[Any]:
    """Values in the shape of an example, with other values in some places."""
    if isinstance(example, dict):
        fields = {name: shuffled(value) for name, value in example.items()}
        return st.fixed_dictionaries({}, optional=fields) | st.fixed_dictionaries(fields) | values
    if isinstance(example, list):
        return st.tuples(*(shuffled(value) for value in example)).map(list) | values
    return st.just(example) | values


def records_of(format: Format) -> list[Any]:
    """The records of the example of a format."""
    try:
        value = json.loads(format.example)
    except ValueError:
        return [json.loads(line) for line in format.example.splitlines()]
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("format", APP_FORMATS, ids=lambda format: format.name)
def test_nothing_raises(format: Format) -> None:
    """Whatever JSON a record holds, it is recognised or not, and parsed when forced, without an error."""

    @steady
    @given(st.lists(st.one_of(*map(shuffled, records_of(format)), values), max_size=4))
    def check(some: list[Any]) -> None:
        assert {format.recognises(value) for value in some} <= {True, False}
        items = force(format, *some)
        if format in ALONE:
            assert len(items) >= len(some)

    check()


@pytest.mark.parametrize("format", APP_FORMATS, ids=lambda format: format.name)
def test_only_its_own_format_takes_an_example(format: Format) -> None:
    """No other of these formats recognises a record of the example."""
    takers = [known.name for known in APP_FORMATS if any(known.recognises(value) for value in records_of(format))]
    assert takers == [format.name]


@steady
@given(st.lists(st.dictionaries(names, values, max_size=4), max_size=3))
def test_no_line_is_lost(some: list[Any]) -> None:
    """Each line is told of by itself or belongs to a conversation."""
    items = read_lines(*some)
    told = {item.location.line for item in items}
    assert any(isinstance(item, Transcript) for item in items) or told == set(range(1, len(some) + 1))


PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
SECTIONS = {
    "chatgpt": "ChatGPT's data export",
    "claude-ai": "Claude.ai's data export",
    "claude-code": "Claude Code sessions",
    "codex": "Codex sessions",
    "inspect": "Inspect logs",
    "scout": "Scout transcripts",
    "librechat": "LibreChat's export",
    "open-webui": "Open WebUI's export",
}
SAID = {
    "chatgpt": [("user", "May I return it?"), ("assistant", "Yes, within 30 days.")],
    "claude-ai": [("user", "May I return it?"), ("assistant", "Yes.")],
    "claude-code": [("user", "Which files are there?"), ("assistant", "I look."), ("tool", "a.txt")],
    "codex": [
        ("system", "<environment_context><cwd>/work</cwd></environment_context>"),
        ("user", "Which files are there?"),
        ("assistant", ""),
        ("tool", "a.txt"),
        ("assistant", "Only a.txt."),
    ],
    "inspect": [("user", "May I return it?"), ("assistant", "Yes, within 30 days.")],
    "scout": [("user", "May I return it?"), ("assistant", "Yes, within 30 days.")],
    "librechat": [
        ("user", "May I return it?"),
        ("assistant", "Yes, within 30 days."),
        ("system", "You serve the Acme shop."),
    ],
    "open-webui": [
        ("system", "You serve the Acme shop."),
        ("user", "May I return it?"),
        ("assistant", "Yes, within 30 days."),
    ],
}


@pytest.mark.parametrize("name", SECTIONS)
def test_page_examples_are_read(name: str) -> None:
    """The example of each section of docs/formats.md is one conversation of that format, as the page says."""
    section = PAGE.split(f"\n## {SECTIONS[name]}\n")[1].split("\n## ")[0]
    (example,) = re.findall(r"```json\n(.*?)```", section, flags=re.DOTALL)
    reading = Reading(FORMATS)
    (transcript,) = transcripts([*reading.read(Log(example)), *reading.finish()])
    assert reading.formats == (name,)
    assert told(transcript) == SAID[name]
    assert transcript.branches == (name in ("chatgpt", "librechat", "open-webui"))


@pytest.mark.parametrize(
    ("opens", "record"),
    [
        (
            "<antThinking>",
            lambda text: [{"uuid": "c", "chat_messages": [{"uuid": "m", "sender": "assistant", "text": text}]}],
        ),
        (
            '<details type="reasoning">',
            lambda text: [
                {"chat": {"history": {"currentId": "m", "messages": {"m": {"role": "assistant", "content": text}}}}}
            ],
        ),
        (
            '<details type="reasoning"',
            lambda text: [
                {"chat": {"history": {"currentId": "m", "messages": {"m": {"role": "assistant", "content": text}}}}}
            ],
        ),
        (
            "<system-reminder>",
            lambda text: {"type": "user", "uuid": "a", "sessionId": "s", "message": {"role": "user", "content": text}},
        ),
    ],
    ids=["claude-ai", "open-webui", "open-webui, cut off", "claude-code"],
)
def test_tags_without_an_end_cost_no_time(opens: str, record: Any) -> None:
    """A text full of them is read in the time that its length takes, not in that of its square."""
    started = time.process_time()
    (read,) = transcripts(read_lines(record(f"Hi {opens * 40_000}")))
    assert read.messages[0].text.startswith("Hi ")
    assert time.process_time() - started < 10
