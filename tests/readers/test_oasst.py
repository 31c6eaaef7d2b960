from __future__ import annotations

from typing import Any

import pytest
from dataset_reading import read_lines, read_one, reason_of, said, transcripts

from valueaudit.readers.oasst import OASST
from valueaudit.transcript import BadRecord, Location


def node(name: str, parent: str | None, role: str, text: str, **fields: Any) -> dict[str, Any]:
    """One message of the tree m1."""
    return {"message_id": name, "parent_id": parent, "message_tree_id": "m1", "role": role, "text": text, **fields}


ROOT = node("m1", None, "prompter", "Is it open?", lang="en", rank=None)
WORSE = node("m2", "m1", "assistant", "No idea.", rank=1)
BETTER = node("m3", "m1", "assistant", "Until five.", rank=0, model_name="m-1")
SAID = [("user", "Is it open?"), ("assistant", "Until five.")]


def test_the_best_ranked_way_is_the_conversation() -> None:
    """The other replies are counted as branches, in whatever order the rows come."""
    (found,) = transcripts(read_lines(WORSE, ROOT, BETTER))
    assert (found.id, said(found), found.branches) == ("m1", SAID, 1)
    assert found.metadata == {"lang": "en", "model": "m-1"}
    assert found.location == Location("log.jsonl", 2, None)


def test_a_deleted_reply_comes_last() -> None:
    """A reply that was taken back is followed only where there is no other; without ranks the first one is."""
    deleted = {**BETTER, "deleted": True}
    (found,) = transcripts(read_lines(ROOT, deleted, WORSE, node("m4", "m1", "assistant", "Later.")))
    assert said(found)[1] == ("assistant", "No idea.")
    assert found.branches == 2


def test_a_dangling_parent_begins_a_conversation() -> None:
    """A message whose parent is not in the file is read all the same, and so is a second root."""
    items = transcripts(read_lines(node("m9", "gone", "assistant", "Yes."), node("m8", None, "prompter", "Hi")))
    assert [said(found) for found in items] == [[("assistant", "Yes.")], [("user", "Hi")]]


def test_a_circle_is_one_bad_record_a_message() -> None:
    """Messages that are each other's parents belong to no conversation, and none is lost."""
    items = read_lines(ROOT, node("a", "b", "assistant", "x"), node("b", "a", "prompter", "y"))
    bad = [item for item in items if isinstance(item, BadRecord)]
    assert [item.location.line for item in bad] == [2, 3]
    assert bad[0].reason == 'the parents of this message lead back to it: "parent_id"'


def test_a_whole_tree_is_one_record() -> None:
    """A tree is told at once, by the same rules, with what is said of it."""
    tree = {
        "message_tree_id": "m1",
        "tree_state": "ready_for_export",
        "prompt": {**ROOT, "replies": [{**WORSE, "replies": []}, {**BETTER, "replies": None}]},
    }
    found = read_one(tree, "oasst")
    assert (found.id, said(found), found.branches) == ("m1", SAID, 1)
    assert found.metadata == {"lang": "en", "tree_state": "ready_for_export", "model": "m-1"}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({**ROOT, "role": "narrator"}, 'the unknown role "narrator"; known are prompter, assistant'),
        ({**ROOT, "role": 5}, "the unknown role a number; known are prompter, assistant"),
        ({**ROOT, "text": None}, '"text" is null, not a string'),
        ({**ROOT, "message_id": None}, 'no "message_id"'),
        ({"message_tree_id": "t", "prompt": {**ROOT, "replies": [5]}}, "a reply is a number, not an object"),
        ({"message_tree_id": "t", "prompt": {**ROOT, "replies": [ROOT]}}, 'two messages with the same "message_id"'),
    ],
)
def test_broken_messages_are_bad_records(record: Any, reason: str) -> None:
    """The reason names the field."""
    assert reason_of(record) == reason


def test_a_message_that_comes_twice_is_a_bad_record() -> None:
    """The first one is read, the second is named."""
    bad, found = read_lines(ROOT, ROOT)
    assert isinstance(bad, BadRecord)
    assert (bad.location.line, bad.reason) == (2, 'a second message with this "message_id"')
    assert said(transcripts([found])[0]) == [("user", "Is it open?")]


def test_forced_onto_something_else_it_says_what_is_missing() -> None:
    """A forced format refuses what is not its own, with a reason."""
    assert reason_of(5, OASST) == "a number, not an object"


@pytest.mark.parametrize(
    "record", [5, {}, {"message_id": 1, "text": "x"}, {"message_tree_id": "t", "prompt": {"text": "x"}}]
)
def test_other_trees_are_not_taken(record: Any) -> None:
    """Messages without a role or a parent are none of OpenAssistant's."""
    assert not OASST.recognises(record)
