from __future__ import annotations

from typing import Any

import pytest
from dataset_reading import read_lines, read_one, reason_of, said, transcripts

from valueaudit.readers.prompt_response import PROMPT_RESPONSE
from valueaudit.transcript import LeftOut, Location

ASK = "Is it open?"
REPLY = "Until five."
SAID = [("user", ASK), ("assistant", REPLY)]
USER = {"role": "user", "content": ASK}
ASSISTANT = {"role": "assistant", "content": REPLY}


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("prompt", "response"),
        ("Prompt", "Completion"),
        ("question", "answer"),
        ("query", "reply"),
        ("instruction", "output"),
        ("input", "output"),
        ("user_message", "assistant_message"),
        ("User Message", "Bot Response"),
        ("userMessage", "modelOutput"),
        ("request", "response"),
        ("user", "assistant"),
        ("human", "bot"),
        ("user", "response"),
    ],
)
def test_columns_of_many_names_are_a_pair(asked: str, answered: str) -> None:
    """Case and signs make no difference; the words are no metadata, all else is."""
    found = read_one({asked: ASK, answered: REPLY, "model": "m-1", "lang": "en"}, "prompt-response")
    assert said(found) == SAID
    assert found.metadata == {"model": "m-1", "lang": "en"}
    assert found.id.startswith("sha256:")
    assert found.location == Location("log.jsonl", 1, None)


def test_input_goes_on_after_an_instruction() -> None:
    """The input of an Alpaca row is a part of what was asked, and may be empty."""
    row = {"instruction": "Translate.", "input": "Guten Tag", "output": "Good day"}
    assert said(read_one(row, "prompt-response"))[0] == ("user", "Translate.\nGuten Tag")
    assert said(read_one({**row, "input": ""}, "prompt-response"))[0] == ("user", "Translate.")


def test_what_lies_before_the_prompt_comes_first() -> None:
    """System prompt, context and earlier turns stand in the order in which they were there."""
    row = {
        "system_prompt": "Be brief.",
        "context": "Open 9 to 5.",
        "history": [["Hi", "Hello"]],
        "question": ASK,
        "answer": REPLY,
    }
    found = read_one(row, "prompt-response")
    assert said(found) == [
        ("system", "Be brief."),
        ("system", "Open 9 to 5."),
        ("user", "Hi"),
        ("assistant", "Hello"),
        *SAID,
    ]
    assert found.metadata == {}


def test_a_history_of_messages_is_read_and_another_is_metadata() -> None:
    """A history that holds no turns is kept as it is."""
    assert said(read_one({"history": [USER, ASSISTANT], "prompt": "?", "response": "!"}, "prompt-response"))[:2] == SAID
    assert read_one({"history": "none", "prompt": "?", "response": "!"}, "prompt-response").metadata == {
        "history": "none"
    }


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": [USER], "completion": [ASSISTANT], "label": True},
        {"prompt": [USER], "completion": ASSISTANT, "label": True},
        {"prompt": [USER], "response": REPLY, "label": True},
        {"prompt": "\n\nHuman: Is it open?\n\nAssistant:", "completion": REPLY, "label": True},
    ],
)
def test_prompts_and_replies_may_be_messages(row: dict[str, Any]) -> None:
    """Lists of messages and texts of turns are conversations on either side."""
    found = read_one(row, "prompt-response")
    assert (said(found), found.metadata) == (SAID, {"label": True})


def test_a_prompt_of_whole_turns_is_kept_whole() -> None:
    """Only an empty turn at the end of the prompt waits for the reply."""
    row = {"prompt": "Human: Hi\n\nAssistant: Hello\n\nHuman: Is it open?", "completion": REPLY}
    assert said(read_one(row, "prompt-response")) == [("user", "Hi"), ("assistant", "Hello"), *SAID]


def test_the_id_of_the_row_is_kept() -> None:
    """An id in the row is that of the conversation."""
    assert read_one({"id": 12, "prompt": ASK, "response": REPLY}, "prompt-response").id == "12"


def test_rows_of_one_conversation_are_gathered() -> None:
    """Rows that name the same conversation are one, in the order of their turns."""
    items = read_lines(
        {"session_id": "s1", "turn": 2, "prompt": "And on Monday?", "response": "Too.", "model": "m-1", "tag": "x"},
        {"session_id": "s1", "turn": 1, "prompt": ASK, "response": REPLY, "model": "m-1", "tag": "x"},
        {"session_id": "s2", "turn": 1, "prompt": "Hi", "response": "Hello", "model": "m-2", "tag": "y"},
    )
    first, second = transcripts(items)
    assert (first.id, said(first)) == ("s1", [*SAID, ("user", "And on Monday?"), ("assistant", "Too.")])
    assert first.metadata == {"tag": "x", "model": "m-1"}
    assert second.id == "s2"


def test_a_reply_that_was_not_chosen_is_left_out() -> None:
    """Of several replies to one prompt only the one that the person went on with is a part of the conversation."""
    row = {"conversation_id": "c1", "turn": 0, "user_prompt": ASK}
    items = read_lines(
        {**row, "model_response": "No.", "if_chosen": False}, {**row, "model_response": REPLY, "if_chosen": True}
    )
    assert items[0] == LeftOut(Location("log.jsonl", 1, None), "a reply that the person did not go on with")
    assert said(transcripts(items[1:])[0]) == SAID


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": "", "response": REPLY}, '"prompt" is empty'),
        ({"prompt": None, "response": REPLY}, '"prompt" is null, not a text or a list of messages'),
        ({"prompt": ASK, "response": " "}, '"response" is empty'),
        ({"prompt": ASK, "response": None}, '"response" is null, not a text or a list of messages'),
        ({"prompt": [USER, 5], "response": REPLY}, "prompt[1] is a number, not an object"),
    ],
)
def test_a_row_without_words_is_a_bad_record(row: dict[str, Any], reason: str) -> None:
    """The reason names the column that is empty or broken."""
    assert reason_of(row) == reason


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (5, "a number, not an object"),
        ({}, "no column, or more than one, that can be a prompt"),
        ({"prompt": "x"}, "no column, or more than one, that can be a response"),
        ({"prompt": "x", "response": []}, '"response" is empty'),
    ],
)
def test_forced_onto_something_else_it_says_what_is_missing(record: Any, reason: str) -> None:
    """A forced format refuses what is not its own, with a reason."""
    assert reason_of(record, PROMPT_RESPONSE) == reason


@pytest.mark.parametrize(
    "record",
    [
        5,
        {"prompt": ASK},
        {"response": REPLY},
        {"prompt": ASK, "question": ASK, "response": REPLY},
        {"question": ASK, "answer": REPLY, "response": REPLY},
        {"question": ASK, "choices": [REPLY, "x"], "answer": REPLY},
        {"question": ASK, "answer": REPLY, "Incorrect Answers": "x"},
        {"user": "u-17", "response": REPLY},
        {"request": "{}", "response": "{}"},
        {"input": '[{"role": "user"}]', "output": REPLY},
        {"method": "GET", "request": "/index", "response": "200 OK"},
        {"prompt": {"text": ASK}, "response": REPLY},
        {"prompt": ASK, "response": {"choices": []}},
        {"prompt": ASK, "response": REPLY, "messages": []},
    ],
)
def test_rows_that_may_be_something_else_are_not_taken(record: Any) -> None:
    """Two prompts, two replies, accounts, web requests and whole conversations are no pair of a prompt and a reply."""
    assert not PROMPT_RESPONSE.recognises(record)
