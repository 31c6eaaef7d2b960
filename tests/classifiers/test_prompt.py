from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from samples import build_transcript
from valueaudit.classifiers import prompt
from valueaudit.taxonomy import load_taxonomy
from valueaudit.transcript import Message, Role

TAXONOMY = load_taxonomy()


@dataclass(frozen=True)
class Asked:
    """A declared value."""

    value: str
    kind: str
    definition: str = "as defined"


QUESTIONS = (Asked("honesty", "intended"), Asked("deception", "prohibited"))


def test_the_beginning_is_the_same_for_every_transcript() -> None:
    """Provider caches need the static text first and the transcript last."""
    instructions = prompt.build_instructions(TAXONOMY, QUESTIONS, open_question=True)
    requests = [
        prompt.build_request(instructions, {}, build_transcript("Hi", text).messages, (0, 1))
        for text in ("Yes.", "No.")
    ]
    assert requests[0].messages[0] == requests[1].messages[0]
    assert "Yes." in requests[0].messages[-1]["content"]


def test_instructions_name_every_subcategory_and_declared_value() -> None:
    """The judge can only use names that it is given."""
    instructions = prompt.build_instructions(TAXONOMY, QUESTIONS, open_question=True)
    assert all(name in instructions for name in TAXONOMY.subcategories)
    assert '"honesty" (intended): as defined' in instructions
    assert '"deception" (prohibited): as defined' in instructions


@pytest.mark.parametrize(("questions", "open_question"), [((), True), (QUESTIONS, True), (QUESTIONS, False)])
def test_the_reply_schema_is_strict_and_valid(questions: tuple[Asked, ...], open_question: bool) -> None:
    """Every object of the schema requires all its keys and allows no other, as strict structured output demands."""
    schema = prompt.build_schema(TAXONOMY, questions, open_question=open_question)
    Draft202012Validator.check_schema(schema)
    for part in _objects(schema):
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])
    assert ("declared" in schema["properties"]) == bool(questions)
    assert ("ai_values" in schema["properties"]) == open_question


def _objects(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, dict):
        nested = [found for child in schema.values() for found in _objects(child)]
        return [schema, *nested] if schema.get("type") == "object" else nested
    return []


@given(st.lists(st.tuples(st.sampled_from(list(Role)), st.text()), min_size=1, max_size=5))
def test_no_transcript_can_close_its_own_fence(said: list[tuple[Role, str]]) -> None:
    """The code in the fence lines and headers is repeatable and does not occur in the text."""
    messages = tuple(Message(role, text) for role, text in said)
    fenced = prompt.fence(messages, range(len(messages)))
    assert fenced == prompt.fence(messages, range(len(messages)))
    code = re.search(r"code ([0-9a-f]{16})\.", fenced)
    assert code is not None
    assert not any(code[1] in message.text for message in messages)
    assert fenced.count(code[1]) == len(messages) + 3


def test_a_forged_header_has_another_code() -> None:
    """A message that imitates fence and header of an earlier run does not carry the code of this one."""
    honest = prompt.fence(build_transcript("Hi", "Hello.").messages, (0, 1))
    forged = prompt.fence(build_transcript("Hi", honest).messages, (0, 1))
    first, second = (re.search(r"code ([0-9a-f]{16})\.", text) for text in (honest, forged))
    assert first is not None
    assert second is not None
    assert first[1] != second[1]


def test_attachments_are_shown_as_such() -> None:
    """A tool call stands in brackets behind the words of its message."""
    message = Message(Role.ASSISTANT, "One moment.", ("tool call lookup({})",))
    assert "One moment.\n(tool call lookup({}))" in prompt.fence((message,), (0,))


def test_confirmations_are_worded_independently() -> None:
    """No two confirming questions share their instructions, and each names value and definition."""
    messages = build_transcript().messages
    worded = [
        prompt.build_confirmation(n, "deception", "creating false beliefs", messages, (0, 1)).messages[0]["content"]
        for n in range(prompt.MOST_CONFIRMATIONS)
    ]
    assert len(set(worded)) == prompt.MOST_CONFIRMATIONS
    assert all("deception" in text and "creating false beliefs" in text for text in worded)


def test_digests_tell_prompts_and_questions_apart() -> None:
    """The template has one digest whatever the policy; each question has its own."""
    digests = prompt.question_digests(QUESTIONS)
    changed = prompt.question_digests((Asked("honesty", "intended", "defined anew"),))
    assert digests.keys() == {"honesty", "deception"}
    assert digests["honesty"] != changed["honesty"]
    assert prompt.prompt_digest(TAXONOMY) == prompt.prompt_digest(TAXONOMY)


def test_a_repair_shows_the_judge_its_own_reply() -> None:
    """The repair turn keeps the question, quotes the unusable reply and names the problem."""
    request = prompt.build_request("instructions", {}, build_transcript().messages, (0, 1))
    repair = prompt.build_repair(request, "not json", "it holds no JSON")
    assert repair.messages[:2] == request.messages
    assert repair.messages[2] == {"role": "assistant", "content": "not json"}
    assert "it holds no JSON" in repair.messages[3]["content"]
