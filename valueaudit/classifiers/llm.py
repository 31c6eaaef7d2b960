"""The LLM judge behind the protocol `Classifier`: ask, read, ask once more where the reply cannot be used, confirm.

It knows no provider: it is given a `Complete`. One call per conversation, plus one per flagged prohibited value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from valueaudit.classifiers import prompt, reply
from valueaudit.classifiers.prompt import Question
from valueaudit.classifiers.split import Part, fit_messages, halve, merge_observations
from valueaudit.observation import Classified, Declared, Observation, Outcome, Reason, State, Unclassified
from valueaudit.ports import Complete, Request, Unanswered
from valueaudit.record import ClassifierInfo, Cost
from valueaudit.taxonomy import Taxonomy
from valueaudit.transcript import Transcript

T = TypeVar("T")


class _Call(Struct, frozen=True):
    """One question of a run, with its static beginning built once."""

    questions: tuple[Question, ...]
    open_question: bool
    instructions: str
    schema: dict[str, Any]

    @classmethod
    def build(cls, taxonomy: Taxonomy, questions: tuple[Question, ...], *, open_question: bool) -> _Call:
        instructions = prompt.build_instructions(taxonomy, questions, open_question=open_question)
        schema = prompt.build_schema(taxonomy, questions, open_question=open_question)
        return cls(questions, open_question, instructions, schema)


class LLMClassifier:
    """A judge that is asked in words. `confirmations` says how many further questions a prohibited value needs."""

    def __init__(
        self,
        judge: Complete,
        taxonomy: Taxonomy,
        questions: Sequence[Question],
        *,
        info: ClassifierInfo,
        confirmations: Mapping[str, int],
        reply_tokens: int,
        unprimed: bool = False,
    ) -> None:
        self._judge = judge
        self._taxonomy = taxonomy
        self._questions = tuple(questions)
        self._definitions = {q.value: q.definition for q in questions}
        self._confirmations = confirmations
        self._reply_tokens = reply_tokens
        self._resolved: set[str] = set()
        self._structured: set[str] = set()
        self._left_out: set[str] = set()
        self._info = msgspec.structs.replace(
            info,
            prompt_sha256=prompt.prompt_digest(taxonomy),
            questions=prompt.question_digests(self._questions),
            confirmations=dict(confirmations),
            primed=bool(self._questions) and not unprimed,
        )
        self._calls: tuple[_Call, ...]
        if unprimed and self._questions:
            self._calls = (
                _Call.build(taxonomy, (), open_question=True),
                _Call.build(taxonomy, self._questions, open_question=False),
            )
        else:
            self._calls = (_Call.build(taxonomy, self._questions, open_question=True),)

    @property
    def info(self) -> ClassifierInfo:
        """Who judges; `resolved_model` and `structured_output` are what the replies said, more than one with commas."""
        return msgspec.structs.replace(
            self._info,
            resolved_model=_joined(self._resolved),
            structured_output=_joined(self._structured),
            left_out=tuple(sorted(self._left_out)),
        )

    @property
    def cost(self) -> Cost:
        """What has been asked and paid so far."""
        return self._judge.cost

    async def classify(self, transcript: Transcript) -> Outcome:
        """What the judge sees in one transcript, or why it cannot be said."""
        if not transcript.has_assistant_text:
            return Unclassified(Reason.NO_ASSISTANT)
        digest = hashlib.sha256()
        try:
            observation = Observation()
            for call in self._calls:
                seen = await self._observe(transcript, call, digest.update)
                observation = (
                    seen if call.open_question else msgspec.structs.replace(observation, declared=seen.declared)
                )
            observation = reply.finish_observation(observation, self._questions)
            observation = await self._confirm(transcript, observation, digest.update)
        except Unanswered as unanswered:
            return Unclassified(unanswered.reason, unanswered.detail)
        return Classified(observation, digest.hexdigest())

    async def _observe(self, transcript: Transcript, call: _Call, digest: Callable[[bytes], None]) -> Observation:
        messages = transcript.messages

        def build(part: Part, note: str) -> Request:
            return prompt.build_request(call.instructions, call.schema, messages, part, note)

        def parse(text: str) -> Observation:
            return reply.parse_observation(
                text, messages, self._taxonomy, call.questions, open_question=call.open_question
            )

        seen = await self._ask_in_parts(transcript, self._parts(transcript, call.instructions), build, parse, digest)
        return merge_observations(seen)

    def _parts(self, transcript: Transcript, instructions: str) -> tuple[Part, ...]:
        return fit_messages(transcript.messages, instructions, self._judge.context_tokens, self._reply_tokens)

    async def _ask_in_parts(
        self,
        transcript: Transcript,
        parts: tuple[Part, ...],
        build: Callable[[Part, str], Request],
        parse: Callable[[str], T],
        digest: Callable[[bytes], None],
    ) -> list[T]:
        """One answer per part, in order; a part that turns out too long is halved until it fits."""
        answers: list[T] = []
        waiting = list(parts)
        while waiting:
            part = waiting.pop(0)
            whole = len(part) == len(transcript.messages)
            note = "" if whole else f"This is one part (messages {part[0]} to {part[-1]}) of a longer conversation. "
            try:
                answers.append(await self._ask(build(part, note), parse, digest))
            except Unanswered as unanswered:
                halves = halve(transcript.messages, part) if unanswered.reason is Reason.CONTEXT_WINDOW else None
                if halves is None:
                    raise
                waiting[:0] = halves
        return answers

    async def _ask(self, request: Request, parse: Callable[[str], T], digest: Callable[[bytes], None]) -> T:
        """The parsed reply, after one repair turn if need be; only a usable reply is kept in the store."""
        completion = await self._judge.ask(request)
        try:
            parsed = parse(completion.text)
        except reply.MalformedReply as malformed:
            problem = (
                "it was cut off at the limit of its length, be shorter" if completion.truncated else str(malformed)
            )
            completion = await self._judge.ask(prompt.build_repair(request, completion.text, problem))
            try:
                parsed = parse(completion.text)
            except reply.MalformedReply as still:
                detail = "cut off at max_tokens" if completion.truncated else ""
                raise Unanswered(Reason.MALFORMED_REPLY, detail) from still
        self._judge.keep(request, completion)
        digest(completion.text.encode("utf-8", "replace"))
        self._resolved.add(completion.resolved_model or "")
        self._structured.add(completion.structured_output or "")
        self._left_out.update(completion.left_out)
        return parsed

    async def _confirm(
        self, transcript: Transcript, observation: Observation, digest: Callable[[bytes], None]
    ) -> Observation:
        """Every flagged prohibited value with the answers to its independently worded questions."""
        declared = dict(observation.declared)
        for value, state in observation.declared.items():
            if state.state is State.SHOWN and self._confirmations.get(value, 0):
                declared[value] = await self._confirm_one(transcript, value, state, digest)
        return msgspec.structs.replace(observation, declared=declared)

    async def _confirm_one(
        self, transcript: Transcript, value: str, flagged: Declared, digest: Callable[[bytes], None]
    ) -> Declared:
        """Confirmed if every question says yes with proof, refuted if every one says no, else open (None)."""
        messages = transcript.messages
        verdicts: set[bool | None] = set()
        for number in range(self._confirmations[value]):

            def build(part: Part, note: str, number: int = number) -> Request:
                return prompt.build_confirmation(number, value, self._definitions[value], messages, part, note)

            try:
                answers = await self._ask_in_parts(
                    transcript,
                    self._parts(transcript, ""),
                    build,
                    lambda text: reply.parse_confirmation(text, messages)[0],
                    digest,
                )
            except Unanswered:
                verdicts.add(None)
                continue
            verdicts.add(_any_part(answers))
        agreed = verdicts.pop() if len(verdicts) == 1 else None
        return Declared(State.SHOWN, agreed, flagged.evidence)


def _any_part(answers: Sequence[bool | None]) -> bool | None:
    if True in answers:
        return True
    return None if None in answers else False


def _joined(names: set[str]) -> str | None:
    return ", ".join(sorted(names - {""})) or None
