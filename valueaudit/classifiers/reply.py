"""What the judge answered, as pure text to values: parsed strictly, evidence verified, labels placed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Literal, TypeVar, cast

import msgspec
from msgspec import Struct

from valueaudit.classifiers.evidence import verify_quote
from valueaudit.classifiers.prompt import Question
from valueaudit.mapper import place
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
from valueaudit.taxonomy import Taxonomy
from valueaudit.transcript import Message, Role

LONGEST_LABEL = 60
LONGEST_TASK = 80
_THINKING = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_IDENTIFYING = re.compile(r"\S*@\S+|https?://\S+|\d+")
# The standard library's decoder, since it alone stops at the end of an object and leaves the remarks behind it.
_json = json.JSONDecoder()
MOST_STARTS = 20
T = TypeVar("T")


class MalformedReply(Exception):
    """A reply that cannot be used; the message says why, in words the judge can act on."""


class _Quoted(Struct):
    message: int
    quote: str


class _AiValue(_Quoted):
    value: str
    subcategory: str
    adverse: bool


class _HumanValue(_Quoted):
    value: str


class _Declared(_Quoted):
    state: State


class _OpenReply(Struct):
    subjectivity: Literal[1, 2, 3, 4]
    task: str
    language: str
    ai_values: list[_AiValue]
    human_values: list[_HumanValue]
    response_type: ResponseType
    response_evidence: _Quoted


class _DeclaredReply(Struct):
    declared: dict[str, _Declared]


class Confirmation(_Quoted):
    """An answer to a confirming question."""

    answer: Literal["yes", "no", "unclear"]


def parse_observation(
    text: str, messages: tuple[Message, ...], taxonomy: Taxonomy, questions: Sequence[Question], *, open_question: bool
) -> Observation:
    """The observation in a judge's reply. Raises `MalformedReply` with the reason."""
    document = extract_object(text)
    observation = _parse_open(document, messages, taxonomy) if open_question else Observation()
    declared = _parse_declared(document, messages, questions) if questions else {}
    return finish_observation(msgspec.structs.replace(observation, declared=declared), questions)


def parse_confirmation(text: str, messages: tuple[Message, ...]) -> tuple[bool | None, Evidence | None]:
    """Whether a suspicion is confirmed (True, with evidence), refuted (False) or left open (None).

    A yes whose quotation is not in the transcript leaves it open. Raises `MalformedReply`.
    """
    answer = _convert(extract_object(text), Confirmation)
    if answer.answer == "yes":
        evidence = verify_quote(messages, Role.ASSISTANT, answer.message, answer.quote)
        return (True, evidence) if evidence else (None, None)
    return (False if answer.answer == "no" else None), None


def finish_observation(observation: Observation, questions: Sequence[Question]) -> Observation:
    """The observation with what follows from it: contradictions resolved towards suspicion, and the adverse mark.

    A prohibited value that the open question saw with evidence is shown, even where the closed one said absent: it is
    then confirmed like any other suspicion.
    """
    declared = dict(observation.declared)
    seen = {v.value: v for v in observation.ai_values or () if v.supported}
    for question in questions:
        state = declared.get(question.value)
        value = seen.get(question.value)
        if question.kind == "prohibited" and value and state and state.state is not State.SHOWN:
            declared[question.value] = Declared(State.SHOWN, None, value.evidence)
    adverse: bool | None = None
    if observation.ai_values is not None:
        adverse = any(v.polarity is Polarity.ADVERSE for v in seen.values())
    return msgspec.structs.replace(observation, declared=declared, adverse=adverse)


def extract_object(text: str) -> dict[str, Any]:
    """The first JSON object in a reply, out of code fences, remarks and thoughts. Raises `MalformedReply`."""
    bare = _THINKING.sub("", text)
    problem = "it holds no JSON object"
    for start in islice(re.finditer(r"\{", bare), MOST_STARTS):
        try:
            document, _ = _json.raw_decode(bare, start.start())
        except (ValueError, RecursionError) as error:
            problem = f"its JSON is not valid ({error})"
        else:
            return cast("dict[str, Any]", document)
    raise MalformedReply(problem)


def _parse_open(document: dict[str, Any], messages: tuple[Message, ...], taxonomy: Taxonomy) -> Observation:
    reply = _convert(_lenient(document), _OpenReply)
    response = reply.response_evidence
    return Observation(
        subjectivity=reply.subjectivity,
        task=clean_task(reply.task),
        language=reply.language.strip().lower()[:8] or None,
        response_type=reply.response_type,
        response_evidence=verify_quote(messages, Role.ASSISTANT, response.message, response.quote),
        ai_values=tuple(_observed(v, messages, taxonomy) for v in reply.ai_values),
        human_values=tuple(_stated(v, messages, taxonomy) for v in reply.human_values),
    )


def _lenient(document: dict[str, Any]) -> dict[str, Any]:
    response = document.get("response_type")
    if isinstance(response, str):
        return {**document, "response_type": re.sub(r"[\s-]+", "_", response.strip().lower())}
    return document


def _observed(found: _AiValue, messages: tuple[Message, ...], taxonomy: Taxonomy) -> ObservedValue:
    label = clean_label(found.value)
    placement = place(taxonomy, label, subcategory=found.subcategory, adverse=found.adverse)
    evidence = verify_quote(messages, Role.ASSISTANT, found.message, found.quote)
    return ObservedValue(
        label=label,
        value=placement.value,
        category=placement.category,
        subcategory=placement.subcategory,
        polarity=placement.polarity,
        supported=evidence is not None,
        evidence=evidence,
    )


def _stated(found: _HumanValue, messages: tuple[Message, ...], taxonomy: Taxonomy) -> HumanValue:
    label = clean_label(found.value)
    canonical = place(taxonomy, label, subcategory=None, adverse=None).value
    evidence = verify_quote(messages, Role.USER, found.message, found.quote)
    return HumanValue(label, canonical, evidence is not None, evidence)


def _parse_declared(
    document: dict[str, Any], messages: tuple[Message, ...], questions: Sequence[Question]
) -> dict[str, Declared]:
    replies = _convert(document, _DeclaredReply).declared
    missing = [q.value for q in questions if q.value not in replies]
    if missing:
        raise MalformedReply(f"declared lacks {', '.join(missing[:5])}")
    return {q.value: _declared(replies[q.value], q, messages) for q in questions}


def _declared(reply: _Declared, question: Question, messages: tuple[Message, ...]) -> Declared:
    allowed = (State.UPHELD, State.VIOLATED) if question.kind == "intended" else (State.SHOWN,)
    if reply.state is State.ABSENT:
        return Declared(State.ABSENT)
    if reply.state not in allowed:
        raise MalformedReply(f'"{reply.state}" is no state of the {question.kind} value "{question.value}"')
    evidence = verify_quote(messages, Role.ASSISTANT, reply.message, reply.quote)
    return Declared(reply.state, None, evidence) if evidence else Declared(State.UNSUPPORTED)


def clean_label(label: str) -> str:
    """A label in lower case with single spaces. Raises `MalformedReply` for one that is no label but a text."""
    cleaned = " ".join(label.lower().split())
    if not cleaned or len(cleaned) > LONGEST_LABEL:
        raise MalformedReply("each value must be a label of one to four words")
    return _IDENTIFYING.sub("#", cleaned)


def clean_task(task: str) -> str | None:
    """A task phrase without addresses and numbers, at most 80 characters: reports name no people and places."""
    cleaned = " ".join(_IDENTIFYING.sub("#", task.lower()).split()).rstrip(".")
    return cleaned[:LONGEST_TASK] or None


def _convert(document: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(document, kind, strict=False)
    except msgspec.ValidationError as error:
        raise MalformedReply(f"it does not fit the schema ({error})") from error
