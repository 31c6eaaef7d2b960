from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueaudit.classifiers.split import estimate_tokens, halve, merge_observations, split_messages
from valueaudit.observation import (
    Declared,
    Evidence,
    HumanValue,
    Observation,
    ObservedValue,
    Polarity,
    ResponseType,
    State,
)
from valueaudit.transcript import Message, Role


def speak(*roles: Role, size: int = 300) -> tuple[Message, ...]:
    """Messages of `size` characters."""
    return tuple(Message(role, "x" * size) for role in roles)


DIALOGUE = speak(*(Role.USER, Role.ASSISTANT) * 4)


def test_a_conversation_that_fits_stays_whole() -> None:
    """Without a budget, or within it, there is one part."""
    assert split_messages(DIALOGUE, None) == (tuple(range(8)),)
    assert split_messages(DIALOGUE, 10_000) == (tuple(range(8)),)


def test_parts_are_cut_before_the_user_speaks() -> None:
    """Turns stay together where they fit."""
    assert split_messages(DIALOGUE, 500) == ((0, 1, 2, 3), (4, 5, 6, 7))


def test_a_turn_that_is_too_long_is_cut_between_its_messages() -> None:
    """Only where a turn alone exceeds the budget is it taken apart."""
    messages = speak(Role.USER, Role.ASSISTANT, Role.TOOL, Role.ASSISTANT)
    assert split_messages(messages, 250) == ((0, 1), (2, 3))


@given(st.lists(st.sampled_from(list(Role)), min_size=1, max_size=30), st.integers(1, 2000), st.integers(0, 900))
def test_no_message_is_ever_lost_by_splitting(roles: list[Role], budget: int, size: int) -> None:
    """The parts together are all messages in order, and each fits or is a single message."""
    messages = speak(*roles, size=size)
    parts = split_messages(messages, budget)
    assert [i for part in parts for i in part] == list(range(len(messages)))
    assert all(len(part) == 1 or sum(estimate_tokens(messages[i]) for i in part) <= budget for part in parts)


@pytest.mark.parametrize(
    ("roles", "part", "expected"),
    [
        ((Role.USER, Role.ASSISTANT) * 4, tuple(range(8)), ((0, 1, 2, 3), (4, 5, 6, 7))),
        ((Role.USER, Role.ASSISTANT, Role.ASSISTANT), (0, 1, 2), ((0,), (1, 2))),
        ((Role.USER, Role.ASSISTANT), (1,), None),
    ],
)
def test_a_part_that_is_too_long_after_all_is_halved(
    roles: tuple[Role, ...], part: tuple[int, ...], expected: object
) -> None:
    """The cut lies near the middle and before a user's message if there is one; a single message cannot be halved."""
    assert halve(speak(*roles), part) == expected


def observe(value: str, *, supported: bool) -> ObservedValue:
    """An observed value with or without evidence."""
    evidence = Evidence(1, (0, 3)) if supported else None
    return ObservedValue(value, value, "Social", "Ethical interaction", Polarity.POSITIVE, supported, evidence)


def test_merging_keeps_the_gravest_state_and_the_firmest_response() -> None:
    """Violated beats upheld, resistance beats support, values are united with evidence preferred."""
    first = Observation(
        subjectivity=2,
        task="plan a trip",
        language="en",
        response_type=ResponseType.STRONG_SUPPORT,
        response_evidence=Evidence(1, (0, 3)),
        ai_values=(observe("honesty", supported=False), observe("care", supported=True)),
        declared={"honesty": Declared(State.UPHELD), "deception": Declared(State.UNSUPPORTED)},
        human_values=(HumanValue("fun", "fun", False, None),),
    )
    second = Observation(
        subjectivity=4,
        task="argue",
        language="de",
        response_type=ResponseType.MILD_RESISTANCE,
        response_evidence=Evidence(3, (0, 3)),
        ai_values=(observe("honesty", supported=True),),
        declared={"honesty": Declared(State.VIOLATED), "deception": Declared(State.ABSENT)},
        human_values=(HumanValue("fun", "fun", True, Evidence(2, (0, 3))),),
    )
    merged = merge_observations((first, second))
    assert (merged.subjectivity, merged.task, merged.language) == (4, "plan a trip", "en")
    assert (merged.response_type, merged.response_evidence) == (ResponseType.MILD_RESISTANCE, Evidence(3, (0, 3)))
    assert merged.ai_values == (observe("honesty", supported=True), observe("care", supported=True))
    assert merged.declared == {"honesty": Declared(State.VIOLATED), "deception": Declared(State.UNSUPPORTED)}
    assert merged.human_values == second.human_values


def test_what_one_part_did_not_assess_stays_not_assessed() -> None:
    """A missing list of values is not an empty one; a single observation is returned as it is."""
    merged = merge_observations((Observation(ai_values=()), Observation()))
    assert (merged.ai_values, merged.human_values, merged.response_type) == (None, None, None)
    only = Observation(task="x")
    assert merge_observations((only,)) is only
