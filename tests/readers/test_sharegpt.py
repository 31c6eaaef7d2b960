from __future__ import annotations

from typing import Any

import pytest
from dataset_reading import read_lines, read_one, read_text, reason_of, said, transcripts

from valueaudit.readers.sharegpt import SHAREGPT
from valueaudit.transcript import Location, Message, Role

HUMAN = {"from": "human", "value": "Is the shop open?"}
GPT = {"from": "gpt", "value": "Until five."}
TALK = [("user", "Is the shop open?"), ("assistant", "Until five.")]


def ask(*turns: Any, **fields: Any) -> dict[str, Any]:
    """A record with these turns."""
    return {"conversations": list(turns), **fields}


def test_roles_of_tools_are_no_speech() -> None:
    """A call is an attachment of the assistant, its result a message of a tool, in the order of the source."""
    call = {"from": "function_call", "value": '{"name": "hours", "arguments": {"day": 1}}'}
    result = {"from": "observation", "value": "9 to 5"}
    found = read_one(ask(HUMAN, call, result, GPT, id="s1"), "sharegpt")
    assert found.id == "s1"
    assert found.messages == (
        Message(Role.USER, "Is the shop open?"),
        Message(Role.ASSISTANT, "", ('tool call hours({"day":1})',)),
        Message(Role.TOOL, "9 to 5"),
        Message(Role.ASSISTANT, "Until five."),
    )


@pytest.mark.parametrize(
    ("value", "attachment"),
    [
        ("open the door", "tool call without a name(open the door)"),
        ({"name": "hours"}, "tool call hours()"),
        ([{"name": "hours"}], "tool call hours()"),
        ("[" * 5000, "tool call without a name("),
    ],
)
def test_calls_in_any_form_are_named(value: Any, attachment: str) -> None:
    """A call that is no JSON, an object or a list is an attachment all the same."""
    found = read_one(ask(HUMAN, {"from": "function-call", "value": value}), "sharegpt")
    assert found.messages[1].attachments[0].startswith(attachment)


@pytest.mark.parametrize(
    ("value", "text", "attachments"),
    [
        ('I look.\n<tool_call>\n{"name": "hours"}\n</tool_call>', "I look.", ("tool call hours()",)),
        ("<tool_call>a</tool_call><tool_call>b</tool_call>", "", (1, 2)),
        ("Write <tool_call> before it.", "Write <tool_call> before it.", ()),
        ("</tool_call><tool_call>", "</tool_call><tool_call>", ()),
        ("<tool_call><tool_call>a</tool_call>", "<tool_call><tool_call>a</tool_call>", ()),
    ],
)
def test_calls_written_into_the_text_are_no_speech(value: str, text: str, attachments: tuple[Any, ...]) -> None:
    """A call between its two marks is an attachment; a mark without its partner is left in the text."""
    message = read_one(ask(HUMAN, {"from": "gpt", "value": value}), "sharegpt").messages[1]
    assert message.text == text
    assert len(message.attachments) == len(attachments)


@pytest.mark.parametrize("speaker", ["function_response", "tool", "Tool_Response", "observation", "function-response"])
def test_results_of_tools_have_the_role_tool(speaker: str) -> None:
    """What a tool gives back is not the speech of anybody, whatever the set calls it."""
    assert read_one(ask(HUMAN, {"from": speaker, "value": "9"}), "sharegpt").messages[1].role is Role.TOOL


@pytest.mark.parametrize("field", ["conversations", "conversation", "messages", "items"])
def test_the_list_has_several_names(field: str) -> None:
    """The turns are found in each of the fields that are in use."""
    assert said(read_one({field: [HUMAN, GPT]}, "sharegpt")) == TALK


def test_speakers_that_are_named_after_products_are_assistants() -> None:
    """Early exports name the assistant after the product."""
    assert said(read_one(ask({"from": "user", "text": "Hi"}, {"from": "bing", "text": "Hello"}), "sharegpt"))[1] == (
        "assistant",
        "Hello",
    )


def test_the_system_prompt_beside_the_turns_comes_last() -> None:
    """Indexes of the turns stay those of the source; fields beside them are metadata."""
    found = read_one(ask(HUMAN, GPT, system="You serve a shop.", tools="[]", model="m"), "sharegpt")
    assert said(found) == [*TALK, ("system", "You serve a shop.")]
    assert found.metadata == {"tools": "[]", "model": "m"}


def test_media_that_stand_in_the_text_are_attachments() -> None:
    """The word that stands for an image is no speech where the record has images, and is left where it has none."""
    turn = {"from": "human", "value": "<image>What is this? <image>"}
    found = read_one(ask(turn, GPT, images=["a.png", "b.png"]), "sharegpt")
    assert found.messages[0] == Message(Role.USER, "What is this?", ("image", "image"))
    assert read_one(ask(turn, GPT), "sharegpt").messages[0].text == "<image>What is this? <image>"
    assert read_one(ask(HUMAN, GPT, image="a.png"), "sharegpt").messages[0] == Message(Role.USER, "Is the shop open?")


def test_a_preferred_and_a_rejected_turn_make_two_conversations() -> None:
    """Each ends the same conversation, with a pointer and an id of its own."""
    rejected = {"from": "gpt", "value": "No idea."}
    first, second = transcripts(read_lines(ask(HUMAN, chosen=GPT, rejected=rejected, id=7)))
    assert (first.id, said(first), first.metadata) == ("7/chosen", TALK, {"preference": "chosen"})
    assert (second.id, said(second)[1]) == ("7/rejected", ("assistant", "No idea."))
    assert [found.location.pointer for found in (first, second)] == ["/chosen", "/rejected"]
    third, fourth = transcripts(read_lines(ask(HUMAN, chosen=GPT, rejected=rejected)))
    assert third.id != fourth.id


def test_pointers_lead_into_the_document() -> None:
    """In an array the pointer is that of the element."""
    items, formats = read_text('[{"conversations": [{"from": "human", "value": "Hi"}]}]')
    assert items[0].location == Location("log.jsonl", None, "/0")
    assert formats == ("sharegpt",)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (ask(), '"conversations" is empty'),
        (ask(HUMAN, 5), "conversations[1] is a number, not an object"),
        (ask(HUMAN, {"value": "x"}), 'conversations[1] has no "from"'),
        (ask(HUMAN, {"from": 5, "value": "x"}), "conversations[1].from is a number"),
        (ask({"from": "narrator", "value": "x"}), 'conversations[0] is from the unknown "narrator"; known are human'),
        (ask(HUMAN, {"from": "gpt"}), 'conversations[1] has no "value"'),
        (ask(HUMAN, {"from": "gpt", "value": 5}), "conversations[1].content is a number, not a string"),
    ],
)
def test_broken_turns_are_bad_records(record: Any, reason: str) -> None:
    """The reason names the turn and the field."""
    assert reason_of(record).startswith(reason)


@pytest.mark.parametrize("record", [5, {}, {"conversations": 5}])
def test_forced_onto_something_else_it_says_what_is_missing(record: Any) -> None:
    """A forced format refuses what is not its own, with a reason."""
    assert reason_of(record, SHAREGPT)


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [{"from": "Ann", "text": "Hi", "type": "message"}]},
        {"items": [{"from": "gpt", "role": "assistant", "content": "x"}]},
        {"conversations": [{"id": 1}]},
        {"conversations": [{"from": "Ann", "to": "Bob"}]},
    ],
)
def test_messages_between_people_are_not_taken(record: Any) -> None:
    """Senders that are no known speakers make no conversation with an assistant."""
    assert not SHAREGPT.recognises(record)


def test_turns_that_branch_are_refused() -> None:
    """HuggingChat keeps every reply of a tree in one list, in which they would look like one conversation."""
    turns = [
        {"from": "user", "content": "Hi", "children": ["1", "2"]},
        {"from": "assistant", "content": "a", "children": []},
        {"from": "assistant", "content": "b", "children": []},
    ]
    reason = "messages[0] has 2 children: turns that branch are no list in which to read"
    assert reason_of({"messages": turns}) == reason
    linear = read_one({"messages": [{**turns[0], "children": ["1"]}, turns[1]]}, SHAREGPT.name)
    assert said(linear) == [("user", "Hi"), ("assistant", "a")]
