"""The figures of every question over labelled conversations: pure counting, and the same samples for every interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from valueaudit import agreement
from valueaudit.agreement import Array
from valueaudit.bench import (
    AnswerFigures,
    Calibration,
    Confusion,
    Counts,
    Estimate,
    QuestionFigures,
    ReliabilityBin,
    SourceFigures,
    View,
    Views,
)
from valueaudit.benching.estimates import Terms, build_estimate
from valueaudit.benching.labels import Labels
from valueaudit.benching.questions import YES_NO, Question
from valueaudit.correction import JudgeCounts
from valueaudit.observation import Observation
from valueaudit.statistics import build_interval

YES = YES_NO.index("yes")
_Counted = tuple[Array, Array]
_RATES = {
    "precision": agreement.count_precision,
    "recall": agreement.count_recall,
    "specificity": agreement.count_specificity,
}


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled conversation and what the judge made of it; `observation` is None where it is unclassified."""

    source: str
    labels: Labels
    observation: Observation | None
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Sums:
    """The tables (members, K, K + 1) of a question: as counted, and (resamples, members, K, K + 1) as drawn."""

    counted: Array
    drawn: Array
    kind: str

    def at(self, member: int) -> _Sums:
        """One member of a set."""
        return _Sums(self.counted[[member]], self.drawn[:, [member]], "yes_no")

    def collapse(self, answer: int) -> _Sums:
        """One answer of a choice against all others."""
        return _Sums(agreement.collapse(self.counted, answer), agreement.collapse(self.drawn, answer), "yes_no")


def measure(cases: Iterable[Case], questions: Iterable[Question], terms: Terms) -> tuple[QuestionFigures, ...]:
    """The figures of each question that anybody labelled, in the order of the questions."""
    kept = tuple(cases)
    labelled = ((q, [case for case in kept if q.label(case.labels) is not None]) for q in questions)
    return tuple(_measure_one(question, found, terms) for question, found in labelled if found)


def _measure_one(question: Question, labelled: Sequence[Case], terms: Terms) -> QuestionFigures:
    votes = np.stack([_vote(question, case) for case in labelled])
    sums = _sum(votes, question, terms)
    looked = sum(case.observation is not None for case in labelled)
    answered = _count_answered(question, labelled)
    by_source: dict[str, list[int]] = {}
    for number, case in enumerate(labelled):
        by_source.setdefault(case.source, []).append(number)
    return QuestionFigures(
        name=question.name,
        kind=question.kind,
        labelled=len(labelled),
        answered=answered,
        untold=looked - answered,
        unclassified=len(labelled) - looked,
        views=_view(sums, answered, len(labelled), terms),
        counts=_count(sums.counted[0]) if question.kind == "yes_no" else None,
        confusion=None if question.kind == "set" else _confuse(question, sums.counted[0]),
        answers=_split(question, sums, terms),
        calibration=_calibrate(question, labelled),
        sources=tuple(
            _measure_source(source, question, [labelled[n] for n in numbers], votes[numbers], terms)
            for source, numbers in sorted(by_source.items())
        ),
    )


def _count_answered(question: Question, cases: Sequence[Case]) -> int:
    """How many of the conversations have an answer to any part of the question."""
    seen = (question.seen(case.observation) for case in cases if case.observation is not None)
    return sum(any(part is not None for part in parts) for parts in seen)


def _vote(question: Question, case: Case) -> Array:
    """One conversation as tables (members, K, K + 1) with a single 1 in each."""
    size = len(question.answers)
    vote = np.zeros((len(question.members), size, size + 1))
    labels = question.label(case.labels) or ()
    seen = (None,) * len(labels) if case.observation is None else question.seen(case.observation)
    for member, (label, answer) in enumerate(zip(labels, seen, strict=True)):
        column = size if answer is None else question.answers.index(answer)
        vote[member, question.answers.index(label), column] = 1
    return vote


def _sum(votes: Array, question: Question, terms: Terms) -> _Sums:
    return _Sums(votes.sum(axis=0), agreement.resample(votes, terms.resamples, terms.seed), question.kind)


def _view(sums: _Sums, answered: int, labelled: int, terms: Terms) -> Views:
    told = _Sums(agreement.drop_untold(sums.counted), agreement.drop_untold(sums.drawn), sums.kind)
    return Views(_look(told, answered, terms), _look(sums, labelled, terms))


def _look(sums: _Sums, conversations: int, terms: Terms) -> View:
    """Kappa is the mean over the members of a set; its other figures are over all members together (micro)."""
    kappas = agreement.find_kappa(sums.counted), agreement.find_kappa(sums.drawn)
    kappa = build_estimate(agreement.mean_defined(kappas[0]), agreement.mean_defined(kappas[1]), terms)
    if sums.kind == "choice":
        return View(conversations=conversations, kappa=kappa)
    pooled = sums.counted.sum(axis=-3), sums.drawn.sum(axis=-3)
    rates = {
        name: _estimate_rate(count(pooled[0]), count(pooled[1]), terms, is_exact=sums.kind == "yes_no")
        for name, count in _RATES.items()
    }
    f1 = build_estimate(agreement.find_f1(pooled[0]), agreement.find_f1(pooled[1]), terms)
    return View(conversations=conversations, kappa=kappa, f1=f1, **rates)


def _estimate_rate(counted: _Counted, drawn: _Counted, terms: Terms, *, is_exact: bool) -> Estimate:
    """A share; `is_exact` says that conversations count once each, so that it has an interval in any case."""
    estimate = build_estimate(agreement.find_rate(counted), agreement.find_rate(drawn), terms)
    if estimate.value is None or estimate.interval is not None or not is_exact:
        return estimate
    hits, total = (int(each) for each in counted)
    return Estimate(estimate.value, build_interval(hits, total, terms.confidence))


def _count(table: Array) -> Counts:
    """The counts of a table (2, 3)."""
    (tp, fn, missed), (fp, tn, uncleared) = table.astype(int).tolist()
    judged = JudgeCounts(true_positives=tp, false_negatives=fn, true_negatives=tn, false_positives=fp)
    return Counts(judged=judged, untold_positives=missed, untold_negatives=uncleared)


def _confuse(question: Question, table: Array) -> Confusion:
    return Confusion(question.answers, tuple(tuple(row) for row in table.astype(int).tolist()))


def _split(question: Question, sums: _Sums, terms: Terms) -> tuple[AnswerFigures, ...]:
    """Each answer of a choice and each member of a set as a question of its own."""
    if question.kind == "yes_no":
        return ()
    names = question.members if question.kind == "set" else question.answers
    parts = (sums.at(n) if question.kind == "set" else sums.collapse(n) for n in range(len(names)))
    return tuple(_name_part(name, part, terms) for name, part in zip(names, parts, strict=True))


def _name_part(name: str, part: _Sums, terms: Terms) -> AnswerFigures:
    table = part.counted[0]
    told = int(table[:, :-1].sum())
    return AnswerFigures(name, _count(table), _view(part, told, int(table.sum()), terms))


def _measure_source(
    source: str, question: Question, cases: Sequence[Case], votes: Array, terms: Terms
) -> SourceFigures:
    answered = _count_answered(question, cases)
    return SourceFigures(source, len(cases), _view(_sum(votes, question, terms), answered, len(cases), terms))


def _calibrate(question: Question, cases: Sequence[Case]) -> Calibration | None:
    """Over the answers that came with a probability; a set has none."""
    pairs = []
    for case in cases:
        probability = case.probabilities.get(question.name)
        if probability is None or case.observation is None or question.kind == "set":
            continue
        (label,), (answer,) = question.label(case.labels) or ("",), question.seen(case.observation)
        right = label == question.answers[YES] if question.kind == "yes_no" else label == answer
        pairs.append((probability, float(right)))
    table = np.array(pairs).reshape(-1, 2)
    found = agreement.find_reliability(table[:, 0], table[:, 1])
    if found is None:
        return None
    bins = tuple(ReliabilityBin(b.lower, b.upper, b.count, b.mean_probability, b.rate) for b in found.bins)
    return Calibration(found.count, found.ece, found.brier, bins)
