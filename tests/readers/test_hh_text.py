from __future__ import annotations

from typing import Any

import pytest
from dataset_reading import read_lines, read_one, reason_of, said, transcripts

from valueaudit.readers.hh_text import HH_TEXT, is_turn_text, split_turns
from valueaudit.transcript import BadRecord, Location, Message, Role, Transcript

TEXT = "\n\nHuman: Is it open?\n\nAssistant: Until five.\n\nIt is Monday."
TALK = [("user", "Is it open?"), ("assistant", "Until five.\n\nIt is Monday.")]


def test_each_of_a_pair_is_a_conversation() -> None:
    """Chosen and rejected differ in metadata, pointer and id; other fields are kept."""
    pair = {"id": 4, "chosen": TEXT, "rejected": "\n\nHuman: Is it open?\n\nAssistant: No.", "split": "test"}
    first, second = transcripts(read_lines(pair))
    assert said(first) == TALK
    assert said(second) == [("user", "Is it open?"), ("assistant", "No.")]
    assert first.metadata == {"split": "test", "preference": "chosen"}
    assert second.metadata == {"split": "test", "preference": "rejected"}
    assert [first.id, second.id] == ["4/chosen", "4/rejected"]
    assert [first.location.pointer, second.location.pointer] == ["/chosen", "/rejected"]


def test_one_broken_side_does_not_hide_the_other() -> None:
    """The side that is no text of turns is a bad record at its own pointer."""
    good, bad = read_lines({"chosen": TEXT, "rejected": "No."})
    assert isinstance(good, Transcript)
    assert bad == BadRecord(
        Location("log.jsonl", 1, "/rejected"),
        '"rejected" is no text of turns that begin with "Human:" and "Assistant:"',
    )


@pytest.mark.parametrize("field", ["transcript", "text", "conversation", "dialogue"])
def test_a_single_text_is_a_conversation(field: str) -> None:
    """The text is no metadata, all else is."""
    found = read_one({field: TEXT, "rating": 2.0}, "hh-text")
    assert said(found) == TALK
    assert found.metadata == {"rating": 2.0}


def test_the_id_is_that_of_the_record() -> None:
    """A single text has the id of its record."""
    assert read_one({"text": TEXT, "id": "t9"}, "hh-text").id == "t9"


def test_empty_turns_are_kept() -> None:
    """A turn without words is a message without words, so that no index moves."""
    assert split_turns("Human:\n\nAssistant: Yes?\n\nHuman: ") == [
        Message(Role.USER, ""),
        Message(Role.ASSISTANT, "Yes?"),
        Message(Role.USER, ""),
    ]


@pytest.mark.parametrize(
    "text", ["", "Human: only one speaks", "A tale.\n\nHuman: Hi\n\nAssistant: Hello", "Human: a Assistant: b", None]
)
def test_other_texts_are_no_texts_of_turns(text: Any) -> None:
    """A text must begin with a speaker, and both must speak, each in a paragraph of their own."""
    assert not is_turn_text(text)
    assert not HH_TEXT.recognises({"text": text})


@pytest.mark.parametrize("record", [5, {}, {"text": "no turns"}])
def test_forced_onto_something_else_it_says_what_is_missing(record: Any) -> None:
    """A forced format refuses what is not its own, with a reason."""
    assert reason_of(record, HH_TEXT)
