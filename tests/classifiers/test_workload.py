from __future__ import annotations

from policy_samples import TAXONOMY, parse_rule

from samples import build_transcript
from valueaudit.classifiers.workload import Workload, WorkloadEstimate
from valueaudit.policy import DeclaredQuestion

QUESTIONS = parse_rule("prohibited", "id: a, value: [deception, cruelty], at_most: 1%").questions


def build(questions: tuple[DeclaredQuestion, ...] = QUESTIONS, **flagged: float) -> WorkloadEstimate:
    """An estimate for a model whose context nobody knows."""
    return WorkloadEstimate(TAXONOMY, questions, flagged=flagged, context_tokens=None, reply_tokens=1000)


def test_one_conversation_is_one_call() -> None:
    """With tokens for instructions, transcript and a reply of ordinary length."""
    load = build().estimate(build_transcript())
    assert load.calls == 1
    assert 500 < load.prompt_tokens < 5000
    assert 100 < load.completion_tokens < 1000
    assert load.confirming_calls == 0


def test_longer_transcripts_and_more_questions_take_more() -> None:
    """What is sent grows with the text, what comes back with the questions."""
    short, long = build().estimate(build_transcript()), build().estimate(build_transcript("hello " * 3000, "yes"))
    assert long.prompt_tokens - short.prompt_tokens > 5000
    assert build(()).estimate(build_transcript()).completion_tokens < short.completion_tokens


def test_confirmations_are_expected_values() -> None:
    """A value that is flagged in one conversation of ten raises a tenth of a call; one that never is raises none."""
    load = build(deception=0.1, cruelty=0.0).estimate(build_transcript())
    assert load.confirming_calls == 0.1
    assert 0 < load.confirming_prompt_tokens < load.prompt_tokens
    assert 0 < load.confirming_completion_tokens < load.completion_tokens


def test_long_transcripts_are_asked_about_in_parts() -> None:
    """As the judge would get them."""
    small = WorkloadEstimate(TAXONOMY, (), flagged={}, context_tokens=3000, reply_tokens=500)
    turns = ["tell me more " * 100, "well then " * 100] * 10
    assert small.estimate(build_transcript(*turns)).calls > 1


def test_without_an_answer_nobody_is_asked() -> None:
    """A conversation in which the assistant says nothing costs nothing."""
    assert build().estimate(build_transcript("hello?")) == Workload()


def test_workloads_add() -> None:
    """Both together, field by field."""
    assert Workload(1, 2, 3, 0.5, 5, 6) + Workload(1, 1, 1, 0.25, 1, 1) == Workload(2, 3, 4, 0.75, 6, 7)
