from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dataset_reading import read_text

from valueaudit.readers.pointers import follow, parse_pointer
from valueaudit.registry import find_format
from valueaudit.transcript import BadRecord, Transcript

FIRST = [{"role": "user", "content": "Is it open?"}, {"role": "assistant", "content": "Until five."}]
SECOND = [{"role": "user", "content": "May I return it?"}, {"role": "assistant", "content": "Yes."}]
CHATS = [{"id": "a", "messages": FIRST}, {"id": "b", "messages": SECOND}]
ROWS = [{"conversation_id": key, **message} for key, said in (("a", FIRST), ("b", SECOND)) for message in said]


@pytest.mark.parametrize("indent", [None, 1], ids=["line", "document"])
@pytest.mark.parametrize(
    ("value", "pointers"),
    [
        ({"conversations": CHATS}, ["/conversations/0", "/conversations/1"]),
        ({"data": CHATS, "total": 2, "next": None}, ["/data/0", "/data/1"]),
        ({"a": FIRST, "b/~": SECOND}, ["/a", "/b~1~0"]),
        ({"conversation": CHATS[0]}, ["/conversation"]),
        ({"day 1": [CHATS[0]], "day 2": [CHATS[1]]}, ["/day 1/0", "/day 2/0"]),
        ({"rows": ROWS}, ["/rows/0", "/rows/2"]),
    ],
    ids=lambda value: str(list(value)),
)
def test_what_only_holds_conversations_together_is_taken_off(
    value: dict[str, Any], pointers: list[str], indent: int | None
) -> None:
    """Each conversation is read in its own format, and its pointer leads to it in the file."""
    items, formats = read_text(json.dumps(value, indent=indent))
    assert read_text(json.dumps(value, indent=indent), find_format(*formats))[0] == items
    found = [item for item in items if isinstance(item, Transcript)]
    assert [item.location.pointer for item in found] == pointers
    assert len(items) == len(found)
    for item, said in zip(found, (FIRST, SECOND), strict=False):
        assert [message.text for message in item.messages] == [message["content"] for message in said]
        place = follow(value, parse_pointer(item.location.pointer or ""))
        assert said[0]["content"] in json.dumps(place)


@pytest.mark.parametrize(
    "value",
    [
        {"conversations": [*CHATS, {"n": 1}]},
        {"conversations": CHATS, "settings": {"theme": "dark"}},
        {"id": "a", "log": FIRST},
        {"user": "u1", "chat_log": CHATS[0]},
        {"inputs": {"messages": FIRST[:1]}, "outputs": {"messages": FIRST}},
        {"body": {"messages": FIRST[:1]}},
        {"data": []},
        {"export": {"chats": CHATS}},
    ],
    ids=repr,
)
def test_what_holds_anything_else_is_told(value: dict[str, Any]) -> None:
    """Where one part is no conversation, or others say something of it, nothing is guessed."""
    (bad,), formats = read_text(json.dumps(value))
    assert isinstance(bad, BadRecord)
    assert bad.reason.startswith("no known format; the fields are")
    assert formats == ()


def test_the_example_of_the_page_is_read() -> None:
    """The object that docs/formats.md shows is the conversation that it says."""
    page = (Path(__file__).parents[2] / "docs/formats.md").read_text(encoding="utf-8")
    example = page.split("## How a format is told\n")[1].split("```json\n")[1].split("```")[0]
    (item,) = read_text(example)[0]
    assert isinstance(item, Transcript)
    assert str(item.location) == "log.jsonl:1/data/0"
    assert [message.text for message in item.messages] == ["Is the shop open?", "Until five."]


def test_a_broken_conversation_does_not_hide_the_others() -> None:
    """What its format cannot read is one bad record at its own place."""
    items, _ = read_text(json.dumps({"data": [{"messages": []}, *CHATS]}))
    assert [str(item.location) for item in items] == ["log.jsonl:1/data/0", "log.jsonl:1/data/1", "log.jsonl:1/data/2"]
    assert isinstance(items[0], BadRecord)
