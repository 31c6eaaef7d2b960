from __future__ import annotations

import json
from typing import Any

import pytest
from dataset_reading import read_lines, read_one, read_text, reason_of, said, transcripts

from valueaudit.readers.conversation import CONVERSATION
from valueaudit.transcript import BadRecord, Location, Transcript

USER = {"role": "user", "content": "Is it open?", "language": "English"}
REPLY = {"role": "assistant", "content": "Until five.", "toxic": False}
SAID = [("user", "Is it open?"), ("assistant", "Until five.")]


@pytest.mark.parametrize("field", ["conversation", "conversations", "conversation_history", "dialogue", "turns"])
def test_the_column_has_several_names(field: str) -> None:
    """A list of messages is found in each of the columns that are in use."""
    assert said(read_one({field: [USER, REPLY]}, "conversation")) == SAID


def test_what_a_row_says_of_its_conversation_is_metadata() -> None:
    """Model, language, turn and moderation are kept, and the id is the one the set gives."""
    row = {
        "conversation_hash": "h1",
        "model": "example-1",
        "language": "English",
        "turn": 1,
        "openai_moderation": [{"flagged": False}],
        "conversation": [USER, REPLY],
    }
    found = read_one(row, "conversation")
    assert found.id == "h1"
    assert found.metadata == {
        "model": "example-1",
        "language": "English",
        "turn": 1,
        "openai_moderation": [{"flagged": False}],
    }


def test_a_list_of_messages_is_a_conversation() -> None:
    """A record may be the list itself, at the pointer of its element."""
    items, formats = read_text('[[{"role": "user", "content": "Hi"}], [{"role": "user", "content": "Ho"}]]')
    assert formats == ("conversation",)
    assert [item.location for item in items] == [Location("log.jsonl", None, "/0"), Location("log.jsonl", None, "/1")]


def test_a_battle_is_two_conversations() -> None:
    """Each side has its own model, pointer and id, and both have the rest of the row."""
    row = {
        "question_id": "q1",
        "model_a": "m-1",
        "model_b": "m-2",
        "winner": "model_a",
        "conversation_a": [USER, REPLY],
        "conversation_b": [USER, {"role": "assistant", "content": "No."}],
    }
    first, second = transcripts(read_lines(row))
    assert (first.id, second.id) == ("q1/a", "q1/b")
    assert first.metadata == {"winner": "model_a", "side": "a", "model": "m-1"}
    assert second.metadata["model"] == "m-2"
    assert (second.location.pointer, said(second)[1][1]) == ("/conversation_b", "No.")


def test_one_broken_side_of_a_battle_does_not_hide_the_other() -> None:
    """The broken side is a bad record at its own pointer."""
    good, bad = read_lines({"conversation_a": [USER, REPLY], "conversation_b": [USER, 5]})
    assert isinstance(good, Transcript)
    assert isinstance(bad, BadRecord)
    assert (bad.location.pointer, bad.reason) == ("/conversation_b", "conversation_b[1] is a number, not an object")


def test_replies_that_were_not_chosen_are_branches() -> None:
    """Of several replies to one turn the conversation has the one that the person went on with, and its model."""
    history = [
        {"turn": 0, "role": "user", "content": "Is it open?"},
        {"turn": 0, "role": "model", "content": "No.", "model_name": "m-1", "if_chosen": False},
        {"turn": 0, "role": "model", "content": "Until five.", "model_name": "m-2", "if_chosen": True},
    ]
    found = read_one({"conversation_id": "c1", "conversation_history": history}, "conversation")
    assert (found.id, said(found), found.branches, found.metadata) == ("c1", SAID, 1, {"model": "m-2"})
    unnamed = [{key: value for key, value in turn.items() if key != "model_name"} for turn in history]
    assert "model" not in read_one({"conversation_history": unnamed}, "conversation").metadata


def test_a_broken_message_is_a_bad_record() -> None:
    """The reason names the column and the message."""
    assert reason_of({"conversation": [USER, {"role": "narrator", "content": "x"}]}).startswith(
        'conversation[1] has the unknown role "narrator"'
    )


@pytest.mark.parametrize("record", [5, {}, [[]], {"conversation": []}])
def test_forced_onto_something_else_it_says_what_is_missing(record: Any) -> None:
    """A forced format refuses what is not its own, with a reason."""
    assert reason_of(record, CONVERSATION)


@pytest.mark.parametrize("record", [[], [1], {"conversation": "text"}, {"turns": [{"id": 1}]}, {"turns": [[1]]}, None])
def test_other_lists_are_not_taken(record: Any) -> None:
    """A list whose first element is no message is none of messages."""
    assert not CONVERSATION.recognises(record)


def test_a_conversation_in_a_string_of_json() -> None:
    """A column of a CSV file holds the list as text."""
    record = {"conversation_id": "c", "conversation": json.dumps([USER, REPLY])}
    assert said(read_one(record, CONVERSATION.name)) == SAID
