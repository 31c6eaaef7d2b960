"""A classifier that asks nobody: phrases, rules and a small trained model, to screen where no judge can be asked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from valueaudit.classifiers.embedded_features import Figures, Reading, read_features
from valueaudit.classifiers.embedded_model import EmbeddedModel, Scores, load_card, load_model
from valueaudit.classifiers.encoder_model import EncoderModel
from valueaudit.classifiers.interpreting import Interpreter, describe_rules
from valueaudit.classifiers.language import SUPPORTED, find_language
from valueaudit.classifiers.phrase_data import PhraseData, load_phrases
from valueaudit.classifiers.screening import Screening, screen
from valueaudit.observation import Classified, Declared, Outcome, Reason, State, Unclassified
from valueaudit.record import ClassifierInfo, Cost
from valueaudit.taxonomy import Taxonomy, fold
from valueaudit.transcript import Role, Transcript

VERSION = "2"
# Of these the model has seen training text; None is too little text to tell. The others are read by phrases alone.
MODELLED = ("en", None)
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
    """Screens transcripts by `data/phrases.toml` and the model `data/embedded.npz`; satisfies `ports.Classifier`.

    With an `encoder` a transformer reads along: better answers, some fifty times slower.
    A field that neither can tell is None; a declared value that no phrase shows is left out, not absent.
    """

    def __init__(
        self,
        taxonomy: Taxonomy,
        questions: Sequence[Question] = (),
        *,
        phrases: PhraseData | None = None,
        model: EmbeddedModel | None = None,
        encoder: EncoderModel | None = None,
    ) -> None:
        self._taxonomy = taxonomy
        self._phrases = phrases or load_phrases()
        self._model = model or load_model()
        self._figures = Figures(taxonomy, self._phrases)
        self._encoder = encoder
        self._interpreter = Interpreter(taxonomy, self._model, None if encoder is None else encoder.thresholds)
        self._questions = {
            question.value: (question.kind, topics)
            for question in questions
            for name in [_canonical(taxonomy, question.value)]
            if (topics := tuple(f"{s}/{name}" for s in _SECTIONS if f"{s}/{name}" in self._phrases.sources))
        }

    @property
    def info(self) -> ClassifierInfo:
        """Phrases and model as digests; `questions` has each declared value that has phrases."""
        name, weights = ("embedded", ()) if self._encoder is None else ("encoder", (self._encoder.sha256,))
        return ClassifierInfo(
            model=name,
            resolved_model=f"{name}-{VERSION}",
            assessed="screening",
            calibration=load_card(name).counts,
            prompt_sha256=_digest(VERSION, self._phrases.sha256, self._model.sha256, *weights),
            questions={
                value: _digest(VERSION, kind, *topics, *(p for t in topics for p in self._phrases.sources[t]))
                for value, (kind, topics) in self._questions.items()
            },
        )

    @property
    def cost(self) -> Cost:
        """Nothing: no call is made."""
        return Cost(usd=0.0)

    async def classify(self, transcript: Transcript) -> Outcome:
        """What phrases and model see, or why they cannot say."""
        return self.observe(transcript)

    def observe(self, transcript: Transcript) -> Outcome:
        """What phrases and model see, or why they cannot say, without an event loop."""
        if not transcript.has_assistant_text:
            return Unclassified(Reason.NO_ASSISTANT)
        language = find_language(m.text for m in transcript.messages if m.role is Role.ASSISTANT)
        if language is None:
            language = find_language(m.text for m in transcript.messages if m.role in (Role.ASSISTANT, Role.USER))
        if language is not None and language not in SUPPORTED:
            return Unclassified(Reason.LANGUAGE, language)
        seen = screen(self._taxonomy, self._phrases, transcript)
        if language in MODELLED:
            reading = read_features(self._model.vocabulary, seen, self._figures.build(seen))
            observation, probabilities = self._interpreter.describe(seen, self._score(seen, reading))
        else:
            observation, probabilities = describe_rules(self._taxonomy, seen), {}
        observation = replace(observation, language=language, declared=self._declare(seen))
        return Classified(observation, probabilities=probabilities)

    def _score(self, seen: Screening, reading: Reading) -> Scores:
        if self._encoder is None:
            return self._model.score(reading)
        return self._encoder.score(seen, reading, self._model)

    def _declare(self, seen: Screening) -> dict[str, Declared]:
        """The declared values that were found; the others are not assessed, since no hit does not mean absent."""
        if not self._questions:
            return {}
        found = {f"positive/{name}": at for name, at in seen.positive.items()}
        found |= {f"adverse/{name}": at for name, at in seen.adverse.items()}
        states: dict[str, Declared] = {}
        for value, (kind, topics) in self._questions.items():
            place = next((found[topic] for topic in topics if topic in found), None)
            if place is not None:
                states[value] = Declared(State.SHOWN if kind == "prohibited" else State.UPHELD, None, place.evidence)
        return states


def _canonical(taxonomy: Taxonomy, name: str) -> str:
    known = taxonomy.find(name)
    return fold(name) if known is None else known.name


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()
