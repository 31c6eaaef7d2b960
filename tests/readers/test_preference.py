from __future__ import annotations

from typing import Any

import pytest
from dataset_reading import read_lines, reason_of, said, transcripts

from valueaudit.readers.preference import PREFERENCE
from valueaudit.transcript import BadRecord, Transcript

USER = {"role": "user", "content": "Is it open?"}
GOOD = {"role": "assistant", "content": "Until five."}
POOR = {"role": "assistant", "content": "No idea."}
SAID = [("user", "Is it open?"), ("assistant", "Until five.")]


def part(role: str, text: str) -> dict[str, Any]:
    """A message whose only part has its text under the name that LLaMA-Factory 1.0 uses."""
    return {"role": role, "content": [{"type": "text", "value": text}], "loss_weight": 1.0}


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "Is it open?", "chosen": "Until five.", "rejected": "No idea."},
        {"prompt": "Is it open?", "chosen": [USER, GOOD], "rejected": [USER, POOR], "messages": [USER, GOOD]},
        {"prompt": [USER], "chosen": [GOOD], "rejected": [POOR]},
        {"prompt": [USER], "chosen": GOOD, "rejected": POOR},
        {"chosen": [USER, GOOD], "rejected": [USER, POOR]},
        {"messages": [USER], "chosen": GOOD, "rejected": POOR},
        {"question": "Is it open?", "chosen_response": "Until five.", "rejected_response": "No idea."},
        {"prompt": "\n\nHuman: Is it open?\n\nAssistant:", "chosen": "Until five.", "rejected": "No idea."},
        {"prompt": "x", "chosen": "\n\nHuman: Is it open?\n\nAssistant: Until five.", "rejected": "No idea."},
        {
            "chosen_messages": [part("user", "Is it open?"), part("assistant", "Until five.")],
            "rejected_messages": [part("user", "Is it open?"), part("assistant", "No idea.")],
        },
    ],
)
def test_pairs_in_every_shape_are_two_conversations(record: dict[str, Any]) -> None:
    """The prompt is said once, whether it stands beside the replies or is repeated in them."""
    first, second = transcripts(read_lines(record))
    assert said(first) == SAID
    assert said(second)[-1] == ("assistant", "No idea.")
    assert [found.metadata["preference"] for found in (first, second)] == ["chosen", "rejected"]


def test_scores_are_metadata_and_the_words_are_not() -> None:
    """What repeats the conversation is left out, what is said about it is kept; ids tell the two apart."""
    record = {
        "prompt": "Is it open?",
        "prompt_id": "p1",
        "messages": [USER, GOOD],
        "chosen": [USER, GOOD],
        "rejected": [USER, POOR],
        "score_chosen": 8,
        "source": "made up",
    }
    first, second = transcripts(read_lines(record))
    assert first.metadata == {"score_chosen": 8, "source": "made up", "preference": "chosen"}
    assert (first.id, second.id) == ("p1/chosen", "p1/rejected")
    assert [first.location.pointer, second.location.pointer] == ["/chosen", "/rejected"]


def test_a_system_prompt_beside_comes_first() -> None:
    """Where there is no single list of messages, the system prompt stands where it was said."""
    first, _ = transcripts(
        read_lines({"system": "Be brief.", "question": "Is it open?", "chosen": "Until five.", "rejected": "No idea."})
    )
    assert said(first) == [("system", "Be brief."), *SAID]


def test_one_broken_side_does_not_hide_the_other() -> None:
    """An empty reply is a bad record at its own pointer."""
    good, bad = read_lines({"prompt": "Is it open?", "chosen": "Until five.", "rejected": " "})
    assert isinstance(good, Transcript)
    assert isinstance(bad, BadRecord)
    assert (bad.location.pointer, bad.reason) == ("/rejected", '"rejected" is empty')


def test_replies_without_a_prompt_are_bad_records() -> None:
    """A reply alone is no conversation, and the reason says what was looked for."""
    bad = read_lines({"chosen": [GOOD], "rejected": [POOR]})
    assert [item.reason for item in bad if isinstance(item, BadRecord)] == [
        "no column, or more than one, that can be the prompt"
    ] * 2


@pytest.mark.parametrize("record", [5, {}, {"chosen": "a"}])
def test_forced_onto_something_else_it_says_what_is_missing(record: Any) -> None:
    """A forced format refuses what is not its own, with a reason."""
    assert reason_of(record, PREFERENCE)


@pytest.mark.parametrize(
    "record",
    [
        [],
        {"chosen": "a", "rejected": "b"},
        {"chosen": 1, "rejected": 2, "prompt": "x"},
        {"prompt": "x", "chosen": "a"},
        {"chosen": [{"id": 1}], "rejected": [{"id": 2}]},
    ],
)
def test_other_pairs_are_not_taken(record: Any) -> None:
    """Texts without a prompt, numbers and half a pair are no preference."""
    assert not PREFERENCE.recognises(record)
