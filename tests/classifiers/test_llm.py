from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from loopback import Asked, build_reply
from samples import REPLY, build_transcript
from valueaudit.classifiers.llm import LLMClassifier
from valueaudit.classifiers.prompt import build_instructions
from valueaudit.observation import Classified, Outcome, Reason, State, Unclassified
from valueaudit.ports import Complete, Completion, Request, Unanswered
from valueaudit.record import ClassifierInfo, Cost
from valueaudit.taxonomy import load_taxonomy
from valueaudit.transcript import Transcript

TAXONOMY = load_taxonomy()
PROOF = REPLY[:30]


@dataclass(frozen=True)
class Question:
    value: str
    kind: str
    definition: str = "as defined"


HONESTY = Question("honesty", "intended")
DECEPTION = Question("deception", "prohibited")


class ScriptedJudge(Complete):
    """Answers by a function of the request; keeps what it is told to keep."""

    def __init__(self, answer: Callable[[Asked], str | Completion], context: int | None = None) -> None:
        self._answer = answer
        self._context = context
        self.requests: list[Request] = []
        self.kept: list[tuple[Request, Completion]] = []

    @property
    def context_tokens(self) -> int | None:
        return self._context

    @property
    def cost(self) -> Cost:
        return Cost(calls=len(self.requests))

    async def ask(self, request: Request) -> Completion:
        self.requests.append(request)
        answer = self._answer(Asked({"messages": list(request.messages)}, {}))
        return answer if isinstance(answer, Completion) else Completion(answer, "judge-1", "json_schema")

    def keep(self, request: Request, completion: Completion) -> None:
        self.kept.append((request, completion))


def classify(
    judge: ScriptedJudge, transcript: Transcript, *questions: Question, confirm: int = 1, unprimed: bool = False
) -> tuple[Outcome, LLMClassifier]:
    """The outcome of one transcript."""
    classifier = LLMClassifier(
        judge,
        TAXONOMY,
        questions,
        info=ClassifierInfo("test/judge"),
        confirmations={q.value: confirm for q in questions if q.kind == "prohibited"},
        reply_tokens=100,
        unprimed=unprimed,
    )
    return asyncio.run(classifier.classify(transcript)), classifier


def answer_well(asked: Asked) -> str:
    """A good reply."""
    return json.dumps(build_reply(asked))


def shown(asked: Asked, **changes: Any) -> str:
    """A reply in which deception is shown."""
    reply = build_reply(asked, **changes)
    reply["declared"]["deception"] = {"state": "shown", "message": 1, "quote": PROOF}
    return json.dumps(reply)


def test_one_conversation_is_one_call() -> None:
    """A good answer is kept under its request and identifies the reply by its digest."""
    judge = ScriptedJudge(answer_well)
    outcome, classifier = classify(judge, build_transcript(), HONESTY, DECEPTION)
    assert isinstance(outcome, Classified)
    assert outcome.reply_sha256 is not None
    assert outcome.observation.declared["honesty"].state is State.ABSENT
    assert len(judge.requests) == len(judge.kept) == 1
    assert (classifier.info.resolved_model, classifier.info.structured_output) == ("judge-1", "json_schema")
    assert classifier.info.primed
    assert classifier.info.questions.keys() == {"honesty", "deception"}


def test_nothing_is_asked_where_the_assistant_said_nothing() -> None:
    """A conversation without an assistant's words costs no call and is not called clean."""
    judge = ScriptedJudge(answer_well)
    outcome, _ = classify(judge, build_transcript("Hello?"))
    assert outcome == Unclassified(Reason.NO_ASSISTANT)
    assert judge.requests == []


def test_a_malformed_reply_gets_one_repair_turn() -> None:
    """The repaired reply is kept under the question that it answers, so that it is not paid for again."""
    judge = ScriptedJudge(lambda asked: answer_well(asked) if asked.is_repair else "sorry?")
    outcome, _ = classify(judge, build_transcript())
    assert isinstance(outcome, Classified)
    assert len(judge.requests) == 2
    assert [request for request, _ in judge.kept] == judge.requests[:1]


def test_a_reply_that_stays_malformed_is_not_kept() -> None:
    """After the repair turn the conversation is unclassified, never empty."""
    judge = ScriptedJudge(lambda asked: "sorry?")
    outcome, _ = classify(judge, build_transcript())
    assert outcome == Unclassified(Reason.MALFORMED_REPLY)
    assert (len(judge.requests), judge.kept) == (2, [])


def test_a_reply_cut_off_at_its_limit_is_told_to_be_shorter() -> None:
    """The reason for the unusable reply is the length, and it is said."""
    judge = ScriptedJudge(lambda asked: Completion('{"subjectivity": 3', truncated=True))
    outcome, _ = classify(judge, build_transcript())
    assert outcome == Unclassified(Reason.MALFORMED_REPLY, "cut off at max_tokens")
    assert "be shorter" in judge.requests[1].messages[-1]["content"]


@pytest.mark.parametrize(
    ("answers", "confirmed"),
    [(["yes"], True), (["no"], False), (["unclear"], None), (["yes", "yes"], True), (["yes", "no"], None)],
)
def test_a_flagged_prohibited_value_is_asked_about_again(answers: list[str], confirmed: bool | None) -> None:
    """Further questions confirm, refute, or leave it open where they do not agree."""
    left = iter(answers)

    def answer(asked: Asked) -> str:
        if asked.is_confirmation:
            return json.dumps({"answer": next(left), "message": 1, "quote": PROOF})
        return shown(asked)

    outcome, _ = classify(ScriptedJudge(answer), build_transcript(), DECEPTION, confirm=len(answers))
    assert isinstance(outcome, Classified)
    deception = outcome.observation.declared["deception"]
    assert (deception.state, deception.confirmed) == (State.SHOWN, confirmed)


def test_a_confirmation_without_answer_leaves_the_suspicion_open() -> None:
    """A judge that fails at the second question neither confirms nor refutes."""
    judge = ScriptedJudge(lambda asked: "?" if asked.is_confirmation else shown(asked))
    outcome, _ = classify(judge, build_transcript(), DECEPTION)
    assert isinstance(outcome, Classified)
    assert outcome.observation.declared["deception"].confirmed is None


def test_a_policy_may_do_without_confirmation() -> None:
    """With no further question the flag stands as it is, for one call."""
    judge = ScriptedJudge(shown)
    outcome, _ = classify(judge, build_transcript(), DECEPTION, confirm=0)
    assert isinstance(outcome, Classified)
    assert (len(judge.requests), outcome.observation.declared["deception"].confirmed) == (1, None)


def test_unprimed_asks_the_open_question_without_the_policy() -> None:
    """Two calls: the open one does not name the declared values, the closed one asks for nothing else."""
    judge = ScriptedJudge(answer_well)
    outcome, classifier = classify(judge, build_transcript(), HONESTY, unprimed=True)
    assert isinstance(outcome, Classified)
    assert not classifier.info.primed
    first, second = (request.messages[0]["content"] for request in judge.requests)
    assert '"honesty"' not in first
    assert '"honesty"' in second
    assert outcome.observation.ai_values
    assert outcome.observation.declared.keys() == {"honesty"}


def long_transcript() -> Transcript:
    """Four turns of a good thousand characters each."""
    return build_transcript(*(f"{REPLY} " * 10 for _ in range(8)))


def test_a_conversation_over_the_context_is_asked_in_parts() -> None:
    """Parts are known to be parts, keep the numbers of their messages, and make one observation."""
    taken = len(build_instructions(TAXONOMY, (), open_question=True)) // 3 + 100
    judge = ScriptedJudge(answer_well, context=taken + 1500)
    whole = len(long_transcript().messages)
    outcome, _ = classify(judge, long_transcript())
    assert isinstance(outcome, Classified)
    numbers = [index for r in judge.requests for index, _, _ in Asked({"messages": r.messages}, {}).messages()]
    assert len(judge.requests) > 1
    assert numbers == list(range(whole))
    assert "of a longer conversation" in judge.requests[0].messages[1]["content"]


def test_a_part_that_the_judge_finds_too_long_is_halved() -> None:
    """The endpoint's own word on its context counts, down to single messages."""

    def answer(asked: Asked) -> str:
        if len(asked.messages()) > 2:
            raise Unanswered(Reason.CONTEXT_WINDOW)
        return answer_well(asked)

    judge = ScriptedJudge(answer)
    outcome, _ = classify(judge, long_transcript())
    assert isinstance(outcome, Classified)
    assert len(judge.kept) == 4


def test_a_message_that_is_too_long_alone_is_named() -> None:
    """It is not cut: the conversation is unclassified for this reason."""

    def answer(asked: Asked) -> str:
        raise Unanswered(Reason.CONTEXT_WINDOW)

    outcome, _ = classify(ScriptedJudge(answer), long_transcript())
    assert outcome == Unclassified(Reason.CONTEXT_WINDOW)


def test_a_suspicion_in_a_long_conversation_is_confirmed_by_any_part() -> None:
    """One part that proves it is enough."""

    def answer(asked: Asked) -> str:
        if len(asked.messages()) > 4:
            raise Unanswered(Reason.CONTEXT_WINDOW)
        first = asked.messages()[0][0]
        if asked.is_confirmation:
            return json.dumps({"answer": "yes" if first == 0 else "no", "message": 1, "quote": PROOF})
        return shown(asked)

    outcome, _ = classify(ScriptedJudge(answer), long_transcript(), DECEPTION)
    assert isinstance(outcome, Classified)
    assert outcome.observation.declared["deception"].confirmed is True
