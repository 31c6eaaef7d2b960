"""A classifier that needs no model: phrases and rules with verbatim evidence, to screen where no judge can be asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

from valueaudit.classifiers.embedded_rules import (
    Response,
    Spoken,
    find_topics,
    judge_response,
    read_messages,
)
from valueaudit.classifiers.human_values import find_human_values
from valueaudit.classifiers.language import SUPPORTED, find_language
from valueaudit.classifiers.phrase_data import PhraseData, load_phrases
from valueaudit.mapper import place
from valueaudit.observation import (
    Classified,
    Declared,
    Evidence,
    Observation,
    ObservedValue,
    Outcome,
    Reason,
    ResponseType,
    State,
    Unclassified,
)
from valueaudit.record import ClassifierInfo, Cost
from valueaudit.taxonomy import Taxonomy, fold
from valueaudit.transcript import Role, Transcript

RULES_VERSION = "1"
_SECTIONS = ("positive", "adverse")


class Question(Protocol):
    """A declared value to look for: `kind` is `intended` or `prohibited`."""

    @property
    def value(self) -> str:
        """The value as the policy names it; the key of its state."""
        ...

    @property
    def kind(self) -> str:
        """`intended` or `prohibited`."""
        ...


class EmbeddedClassifier:
    """Screens transcripts by the phrases of `data/phrases.toml`; satisfies `ports.Classifier`, asks nobody.

    A field that no rule can tell is None; a declared value that no phrase shows is left out, not absent.
    """

    def __init__(
        self, taxonomy: Taxonomy, questions: Sequence[Question] = (), *, phrases: PhraseData | None = None
    ) -> None:
        self._phrases = phrases or load_phrases()
        self._placed = {
            topic: place(taxonomy, name, adverse=section == "adverse")
            for topic in self._phrases.sources
            for section, _, name in [topic.partition("/")]
            if section in _SECTIONS
        }
        self._taxonomy = taxonomy
        topics: dict[str, tuple[str, ...]] = {}
        for topic, placed in self._placed.items():
            topics[placed.value] = (*topics.get(placed.value, ()), topic)
        self._questions = {
            question.value: (question.kind, named)
            for question in questions
            if (named := topics.get(_canonical(taxonomy, question.value))) is not None
        }

    @property
    def info(self) -> ClassifierInfo:
        """The rules and phrases that judge, as digests; `questions` has each declared value that has phrases."""
        return ClassifierInfo(
            model="embedded",
            resolved_model=f"embedded-{RULES_VERSION}",
            assessed="screening",
            prompt_sha256=_digest(RULES_VERSION, self._phrases.sha256),
            questions={
                value: _digest(RULES_VERSION, kind, *topics, *(p for t in topics for p in self._phrases.sources[t]))
                for value, (kind, topics) in self._questions.items()
            },
        )

    @property
    def cost(self) -> Cost:
        """Nothing: no call is made."""
        return Cost(usd=0.0)

    async def classify(self, transcript: Transcript) -> Outcome:
        """What the rules see, or why they cannot say."""
        return self.observe(transcript)

    def observe(self, transcript: Transcript) -> Outcome:
        """What the rules see, or why they cannot say, without an event loop."""
        if not transcript.has_assistant_text:
            return Unclassified(Reason.NO_ASSISTANT)
        language = find_language(m.text for m in transcript.messages if m.role is Role.ASSISTANT)
        if language is None:
            language = find_language(m.text for m in transcript.messages if m.role in (Role.ASSISTANT, Role.USER))
        if language is not None and language not in SUPPORTED:
            return Unclassified(Reason.LANGUAGE, language)
        replies = read_messages(transcript, Role.ASSISTANT, self._phrases.assistant)
        asked = read_messages(transcript, Role.USER, self._phrases.user)
        return Classified(self._describe(language, replies, asked))

    def _describe(self, language: str | None, replies: tuple[Spoken, ...], asked: tuple[Spoken, ...]) -> Observation:
        shown = {f"positive/{name}": at for name, at in find_topics(replies, "positive", strict=False).items()}
        adverse = {f"adverse/{name}": at for name, at in find_topics(replies, "adverse", strict=True).items()}
        human = find_human_values(self._taxonomy, asked)
        subjectivity = judge_subjectivity(asked)
        response = judge_response(replies)
        kind = _response_type(response, subjectivity, valued=bool(human))
        return Observation(
            subjectivity=subjectivity,
            task=next(iter(_named(asked, "task")), None),
            language=language,
            response_type=kind,
            response_evidence=response.evidence if response is not None and kind is response.kind else None,
            ai_values=tuple(self._observed(topic, at) for topic, at in (shown | adverse).items()),
            declared=self._declare(shown | adverse),
            human_values=human,
            adverse=True if adverse else None,
        )

    def _observed(self, topic: str, evidence: Evidence) -> ObservedValue:
        placed = self._placed[topic]
        label = topic.partition("/")[2]
        return ObservedValue(label, placed.value, placed.category, placed.subcategory, placed.polarity, True, evidence)

    def _declare(self, found: dict[str, Evidence]) -> dict[str, Declared]:
        """The declared values that were found; the others are not assessed, since no hit does not mean absent."""
        states: dict[str, Declared] = {}
        for value, (kind, topics) in self._questions.items():
            evidence = next((found[topic] for topic in topics if topic in found), None)
            if evidence is not None:
                states[value] = Declared(State.SHOWN if kind == "prohibited" else State.UPHELD, None, evidence)
        return states


def judge_subjectivity(asked: Sequence[Spoken]) -> int | None:
    """How subjective the user's requests are, 1 to 4, by the most subjective one; None where no phrase tells."""
    levels = [int(name) for name in _named(asked, "subjectivity")]
    return max(levels, default=None)


def _response_type(response: Response | None, subjectivity: int | None, *, valued: bool) -> ResponseType | None:
    if response is not None:
        return response.kind
    return ResponseType.NO_VALUES if subjectivity == 1 and not valued else None


def _named(spoken: Iterable[Spoken], section: str) -> list[str]:
    topics = (hit.topic.partition("/") for message in spoken for hit in message.hits)
    return [name for found, _, name in topics if found == section]


def _canonical(taxonomy: Taxonomy, name: str) -> str:
    known = taxonomy.find(name)
    return fold(name) if known is None else known.name


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()
