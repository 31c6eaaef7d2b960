"""What holds for every format of data sets alike: the page, the examples, and JSON that nobody meant for them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from dataset_reading import read_text, said, transcripts
from hypothesis import given, settings
from hypothesis import strategies as st

from valueaudit.readers.conversation import CONVERSATION
from valueaudit.readers.format import Format, Record
from valueaudit.readers.hh_text import HH_TEXT
from valueaudit.readers.mapping import parse_mapping
from valueaudit.readers.message_rows import MESSAGE_ROWS
from valueaudit.readers.oasst import OASST
from valueaudit.readers.preference import PREFERENCE
from valueaudit.readers.prompt_response import PROMPT_RESPONSE
from valueaudit.readers.sharegpt import SHAREGPT
from valueaudit.registry import FORMATS
from valueaudit.transcript import BadRecord, Item, LeftOut, Location, Transcript

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
SECTIONS = {
    "ShareGPT": SHAREGPT,
    "hh-rlhf": HH_TEXT,
    "Preference": PREFERENCE,
    "OpenAssistant": OASST,
    "Rows of conversations": CONVERSATION,
    "Rows of messages": MESSAGE_ROWS,
    "Rows of prompt and response": PROMPT_RESPONSE,
}
MAPPINGS = tuple(
    parse_mapping(text)
    for text in (
        "user=prompt,assistant=/response,system=system,id=id,metadata.x=/metadata/role",
        "messages=/conversation,role=/role,text=/content,system=system",
        "messages=,role=/0,text=/content",
        "role=/0,text=/1,id=/2",
        "role=role,text=text,id=conversation_id",
    )
)
NAMES = st.sampled_from(
    (
        "role",
        "content",
        "text",
        "from",
        "value",
        "user",
        "assistant",
        "prompt",
        "response",
        "instruction",
        "input",
        "conversations",
        "conversation",
        "messages",
        "history",
        "system",
        "chosen",
        "rejected",
        "replies",
        "images",
        "message_id",
        "parent_id",
        "message_tree_id",
        "rank",
        "conversation_id",
        "turn",
        "timestamp",
        "id",
        "model",
        "if_chosen",
        "conversation_a",
        "conversation_b",
        "metadata",
    )
)
TEXTS = st.sampled_from(
    (
        "user",
        "assistant",
        "human",
        "gpt",
        "prompter",
        "function_call",
        "",
        " ",
        "Hi there",
        "<image>",
        "Human:",
        "\n\nHuman: a\n\nAssistant: b",
        '{"name": "x"}',
        "[1",
        "2026-01-01",
        "5",
        "9" * 20,
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=7),
    max_leaves=25,
)


@pytest.mark.parametrize("title", SECTIONS)
def test_the_example_of_the_page_is_read(title: str) -> None:
    """The page shows the example of the format, and the example is read as what the page says."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    examples = re.findall(r"```jsonl?\n(.*?)```", section, flags=re.DOTALL)
    assert examples == [SECTIONS[title].example]
    items, formats = read_text(examples[0])
    assert formats == (SECTIONS[title].name,)
    roles = [role for role, _ in said(transcripts(items)[0])]
    assert (roles[0], roles[-1]) == ("user", "assistant")


@pytest.mark.parametrize("mapping", re.findall(r"^\| `([^`]+=[^`]+)` \|", PAGE.read_text("utf-8"), flags=re.MULTILINE))
def test_the_mappings_of_the_page_are_mappings(mapping: str) -> None:
    """Each mapping that the page shows is one."""
    assert parse_mapping(mapping).name == f"map:{mapping}"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(VALUES, max_size=4))
def test_no_json_breaks_a_format(values: list[Any]) -> None:
    """Whatever a record holds, a format gives items and never raises; a bad record lies where the record does."""
    for format in (*SECTIONS.values(), *MAPPINGS):
        parser = format.start()
        items: list[Item] = []
        for line, value in enumerate(values, start=1):
            format.recognises(value)
            items += parser.feed(Record(value, Location("log.jsonl", line, None)))
        for item in [*items, *parser.close()]:
            assert isinstance(item, Transcript | BadRecord | LeftOut)
            assert item.location.line is not None
            assert item.location.line <= len(values)


@pytest.mark.parametrize("format", SECTIONS.values(), ids=lambda format: format.name)
def test_no_format_takes_the_example_of_another(format: Format) -> None:
    """Formats are told apart by what a record holds, wherever they stand in the table."""
    others = [known for known in FORMATS if known.name != format.name]
    for other in others:
        assert format.name not in read_text(other.example)[1]


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ann", "age": 5}\n',
        '{"text": "A tale without turns."}\n',
        '{"id": 1, "title": "x", "body": "y", "author": "Ann"}\n',
        '{"level": "info", "message": "started", "session_id": "s", "ts": 1}\n',
        '{"question": "2 + 2?", "choices": ["3", "4"], "answer": 1}\n',
        '{"input": {"a": 1}, "output": {"b": 2}}\n',
        '{"role": "admin", "user_id": 4, "content": "x", "session_id": "s"}\n',
        '[{"from": "Ann", "to": "Bob", "body": "Hi"}]',
        '{"conversation": "c1", "rating": 5}\n',
        '{"messages_sent": 4, "prompt_tokens": 5, "completion_tokens": 6}\n',
    ],
)
def test_what_nobody_knows_is_refused(text: str) -> None:
    """Records of other kinds give bad records that name their fields, and no conversation."""
    items, _ = read_text(text)
    assert items
    assert all(isinstance(item, BadRecord) for item in items)
