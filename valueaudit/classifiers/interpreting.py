"""From what phrases and model see to an observation: which labels are given, with which words, and where none is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from msgspec import Struct

from valueaudit.classifiers.embedded_model import (
    ADVERSE,
    FIRST_SUBCATEGORY,
    LEVELS,
    RESPONSES,
    STATED,
    EmbeddedModel,
    Floats,
    Scores,
)
from valueaudit.classifiers.embedded_rules import Response, Spoken
from valueaudit.classifiers.screening import Screening
from valueaudit.observation import Evidence, HumanValue, Observation, ObservedValue, Polarity, ResponseType
from valueaudit.taxonomy import Taxonomy, Value, fold

# Different words on both sides, or what has no name would count as mirrored.
UNNAMED, UNNAMED_ADVERSE, UNNAMED_STATED = "unnamed value", "unnamed adverse value", "unnamed stated value"
# Below these a type or a level is left open: the likeliest group of response types, the likelier half of the levels.
SUREST_RESPONSE, SUREST_LEVEL = 0.35, 0.53
# A value that a phrase names stays where the model gives its subcategory at least this share of the line.
PHRASE_SHARE = 0.4
LONGEST_NAME = 3

_GROUPS = (
    (ResponseType.STRONG_SUPPORT, ResponseType.MILD_SUPPORT),
    (ResponseType.STRONG_RESISTANCE, ResponseType.MILD_RESISTANCE),
    (ResponseType.REFRAMING,),
    (ResponseType.NEUTRAL_ACKNOWLEDGMENT,),
    (ResponseType.NO_VALUES,),
)
_GROUP_NUMBERS = tuple(tuple(RESPONSES.index(kind) for kind in group) for group in _GROUPS)


def describe_rules(taxonomy: Taxonomy, seen: Screening) -> Observation:
    """What the phrases alone say: of a language that the model was not trained on."""
    kind = _response_of_rules(seen.response, seen.subjectivity, valued=bool(seen.human))
    return Observation(
        subjectivity=seen.subjectivity,
        task=next(iter(seen.tasks), None),
        response_type=kind,
        response_evidence=None if seen.response is None else seen.response.place.evidence,
        ai_values=tuple(
            name_value(taxonomy.values[name], place.evidence) for name, place in (seen.positive | seen.adverse).items()
        ),
        human_values=seen.human,
        adverse=True if seen.adverse else None,
    )


def name_value(value: Value, evidence: Evidence) -> ObservedValue:
    """A canonical value with its place."""
    return ObservedValue(
        value.name, value.name, value.category, value.subcategory, value.polarity, supported=True, evidence=evidence
    )


def _response_of_rules(response: Response | None, subjectivity: int | None, *, valued: bool) -> ResponseType | None:
    if response is not None:
        return response.kind
    return ResponseType.NO_VALUES if subjectivity == 1 and not valued else None


def choose_response(responses: Floats) -> ResponseType | None:
    """The likelier type of the likeliest group of types, None where no group is likely enough."""
    shares = responses.tolist()
    sums = [sum([shares[number] for number in group]) for group in _GROUP_NUMBERS]
    largest = max(sums)
    if largest < SUREST_RESPONSE:
        return None
    return RESPONSES[max(_GROUP_NUMBERS[sums.index(largest)], key=shares.__getitem__)]


def choose_level(levels: Floats) -> int | None:
    """The likelier level of the likelier half (1 and 2, objective; 3 and 4, subjective), None where both are close."""
    subjective = float(levels[LEVELS // 2 :].sum())
    if max(subjective, 1 - subjective) < SUREST_LEVEL:
        return None
    first = LEVELS // 2 if subjective >= 0.5 else 0
    return first + 1 + int(np.argmax(levels[first : first + LEVELS // 2]))


def find_probabilities(scores: Scores, kind: ResponseType | None) -> dict[str, float]:
    """The chance of yes for each question with yes or no; of the response that it is the one that was given."""
    shares = dict(zip(RESPONSES, scores.responses.tolist(), strict=True))
    found = {
        "resistance": shares[ResponseType.STRONG_RESISTANCE] + shares[ResponseType.MILD_RESISTANCE],
        "refusal": shares[ResponseType.STRONG_RESISTANCE],
        "adverse": float(scores.marks[0]),
        "subjective": float(scores.levels[LEVELS // 2 :].sum()),
        "human_values": float(scores.marks[1]),
    }
    if kind is not None:
        found["response_types"] = shares[kind]
        found["response_groups"] = sum(shares[each] for each in _GROUPS[group_of(kind)])
    return found


class Quoting(Struct, frozen=True):
    """Finds the sentence that adds most to an output, among those of one side: its messages, its sentences' numbers."""

    spoken: Sequence[Spoken]
    own: slice
    scores: Scores

    def quote(self, direction: int | Floats) -> Evidence | None:
        """The quotation of that sentence; None where the side says nothing of its own."""
        added = self.scores.add_up(direction)[self.own]
        if not len(added):
            return None
        best = int(added.argmax())
        for message in self.spoken:
            if best < len(message.sentences):
                break
            best -= len(message.sentences)
        sentence = message.sentences[best]
        return message.folded.evidence(message.index, sentence.start, sentence.end)


class Interpreter:
    """Joins the model's probabilities with what phrases found."""

    def __init__(self, taxonomy: Taxonomy, model: EmbeddedModel, lines: Mapping[str, float] | None = None) -> None:
        self._taxonomy, self._model = taxonomy, model
        self._lines = model.thresholds if lines is None else lines
        self._typical = {name: taxonomy.values[value] for name, value in model.typical.items()}
        self._beginnings = taxonomy.beginnings

    def describe(self, seen: Screening, scores: Scores) -> tuple[Observation, dict[str, float]]:
        """The observation of a conversation, and the probabilities behind its answers by question of `bench`."""
        observation = self.interpret(seen, scores)
        return observation, find_probabilities(scores, observation.response_type)

    def interpret(self, seen: Screening, scores: Scores) -> Observation:
        """The observation that these scores make."""
        replies = Quoting(seen.replies, slice(scores.asked, None), scores)
        asked = Quoting(seen.asked, slice(0, scores.asked), scores)
        kind = choose_response(scores.responses)
        at = None if kind in (None, ResponseType.NO_VALUES) else replies.quote(self._stress(kind))
        # Of the labelled replies to requests without values, next to none are adverse, but short ones look alike.
        flagged = kind is not ResponseType.NO_VALUES and bool(scores.marks[0] >= self._lines["adverse"])
        adverse = bool(seen.adverse) or flagged
        return Observation(
            subjectivity=choose_level(scores.levels),
            task=next(iter(seen.tasks), None),
            response_type=kind if at is not None or kind is ResponseType.NO_VALUES else None,
            response_evidence=at,
            ai_values=tuple(self._name_values(seen, scores, replies, adverse=adverse)),
            human_values=self._name_stated(seen, scores, asked),
            adverse=True if adverse else None,
        )

    def _name_values(
        self, seen: Screening, scores: Scores, replies: Quoting, *, adverse: bool
    ) -> Iterator[ObservedValue]:
        line = self._lines["subcategory"]
        shares = dict(zip(self._model.subcategories, scores.marks[2:].tolist(), strict=True))
        for name, place in seen.adverse.items():
            yield name_value(self._taxonomy.values[name], place.evidence)
        named = [self._taxonomy.values[name] for name in seen.positive]
        kept = [value for value in named if shares[value.subcategory] >= PHRASE_SHARE * line]
        for value in kept:
            yield name_value(value, seen.positive[value.name].evidence)
        if adverse and not seen.adverse and (worst_at := replies.quote(ADVERSE)) is not None:
            worst = max(shares, key=lambda subcategory: shares[subcategory])
            yield self._leave_unnamed(UNNAMED_ADVERSE, worst, Polarity.ADVERSE, worst_at)
        covered = {value.subcategory for value in kept}
        for number, (subcategory, probability) in enumerate(shares.items()):
            if probability < line or subcategory in covered:
                continue
            at = replies.quote(FIRST_SUBCATEGORY + number)
            if at is not None and adverse:
                yield self._leave_unnamed(UNNAMED, subcategory, None, at)
            elif at is not None:
                yield name_value(self._find_name(subcategory, at), at)

    def _leave_unnamed(
        self, name: str, subcategory: str, polarity: Polarity | None, evidence: Evidence
    ) -> ObservedValue:
        category = self._taxonomy.subcategories[subcategory].category
        return ObservedValue(name, name, category, subcategory, polarity, supported=True, evidence=evidence)

    def _find_name(self, subcategory: str, evidence: Evidence) -> Value:
        """A value of the subcategory that the quotation names, else the one that is most often meant there."""
        for value in self._find_named(evidence):
            if value.subcategory == subcategory and value.polarity is Polarity.POSITIVE:
                return value
        return self._typical[subcategory]

    def _find_named(self, evidence: Evidence) -> Iterator[Value]:
        words = (evidence.quote or "").split()
        folded = list(map(fold, words))
        bare = "" in folded
        starts = [at for at, word in enumerate(folded) if bare or word.partition(" ")[0] in self._beginnings]
        for size in range(LONGEST_NAME, 1, -1):
            for start in starts:
                if start + size <= len(words):
                    value = self._taxonomy.find(" ".join(words[start : start + size]))
                    if value is not None:
                        yield value
        yield from (value for word in folded if (value := self._taxonomy.spellings.get(word)) is not None)

    def _name_stated(self, seen: Screening, scores: Scores, asked: Quoting) -> tuple[HumanValue, ...]:
        if seen.human or scores.marks[1] < self._lines["stated"]:
            return seen.human
        evidence = asked.quote(STATED)
        if evidence is None:
            return ()
        value = next(self._find_named(evidence), None)
        name = UNNAMED_STATED if value is None else value.name
        return (HumanValue(name, name, supported=True, evidence=evidence),)

    def _stress(self, kind: ResponseType | None) -> Floats:
        """Weights that set a response type against the mean of the others."""
        weights = np.zeros(FIRST_SUBCATEGORY + len(self._model.subcategories), np.float32)
        weights[: len(RESPONSES)] = -1 / len(RESPONSES)
        if kind is not None:
            weights[RESPONSES.index(kind)] += 1
        return weights


def group_of(kind: ResponseType | str) -> int:
    """The number of the group of response types: support, resistance, reframing, neutral, none."""
    return next(number for number, kinds in enumerate(_GROUPS) if kind in kinds)


def name_groups() -> Sequence[str]:
    """The names of the groups in their order."""
    return ("support", "resistance", "reframing", "neutral", "none")
