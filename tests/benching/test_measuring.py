from __future__ import annotations

from typing import Any

import pytest

from valueaudit.bench import Estimate, EvidenceFigures, QuestionFigures
from valueaudit.benching import Case, Labels, Terms, build_policy_questions, build_questions, measure, measure_evidence
from valueaudit.benching.labels import LabelledValue
from valueaudit.correction import JudgeCounts
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
from valueaudit.policy import parse_policy
from valueaudit.statistics import build_interval
from valueaudit.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
QUESTIONS = build_questions(TAXONOMY)
TERMS = Terms(resamples=200)
BONDS = "Community and relationship bonds"
POLICY = b"""version: 1
policy: test
intended:
  - {id: clear, value: clarity, at_least: 10%, violated_at_most: 5%}
  - {id: social, value: Social, match: subtree, at_least: 10%}
prohibited:
  - {id: honest, value: [deception, cruelty], at_most: 5%}
  - {id: again, value: deception, at_most: 1%, confirm: 0}
  - {id: protective, value: Protective, match: subtree, at_most: 5%, confirm: 0}
responses:
  - {id: supports, type: mild_support, at_least: 5%}
"""


def run(
    *pairs: tuple[Labels, Observation | None], source: str = "s", **probabilities: float
) -> dict[str, QuestionFigures]:
    """The figures by question."""
    cases = [Case(source, labels, seen, probabilities) for labels, seen in pairs]
    return {figures.name: figures for figures in measure(cases, QUESTIONS, TERMS)}


def value(of: Estimate | None) -> float | None:
    """The figure without its interval."""
    return None if of is None or of.value is None else round(of.value, 4)


def seen_value(name: str, subcategory: str = BONDS, *, supported: bool = True, **fields: Any) -> ObservedValue:
    """A value as a judge sees it."""
    polarity = fields.get("polarity", Polarity.POSITIVE)
    return ObservedValue(name, name, fields.get("category", "Social"), subcategory, polarity, supported, None)


def labelled(name: str, subcategory: str = BONDS, polarity: Polarity | None = Polarity.POSITIVE, **fields: str) -> Any:
    """A value as a person labels it."""
    return LabelledValue(name, fields.get("category", "Social"), subcategory, polarity)


def test_only_what_somebody_labelled_is_measured() -> None:
    """A partial file gives the questions that it answers, each over its own conversations."""
    found = run((Labels(adverse=True), Observation()), (Labels(subjectivity=4), Observation(subjectivity=2)))
    assert {name: figures.labelled for name, figures in found.items()} == {"adverse": 1, "subjective": 1}


def test_untold_and_unclassified_are_counted_and_shown_apart() -> None:
    """None is told as no answer, a failed judge as unclassified, and neither leaves the figures over the whole."""
    yes = Labels(adverse=True)
    no = Labels(adverse=False)
    found = run(
        *[(yes, Observation(adverse=True))] * 3,
        (yes, Observation(adverse=False)),
        (yes, Observation(adverse=None)),
        (yes, None),
        *[(no, Observation(adverse=False))] * 5,
        (no, Observation(adverse=True)),
        (no, None),
    )["adverse"]
    assert (found.labelled, found.answered, found.untold, found.unclassified) == (13, 10, 1, 2)
    told, whole = found.views.told, found.views.whole
    assert (told.conversations, whole.conversations) == (10, 13)
    assert (value(told.recall), value(whole.recall)) == (0.75, 0.5)
    assert (value(told.specificity), value(whole.specificity)) == (0.8333, 0.7143)
    assert value(told.precision) == value(whole.precision) == 0.75
    assert found.counts is not None
    assert found.counts.judged == JudgeCounts(true_positives=3, false_negatives=1, true_negatives=5, false_positives=1)
    assert (found.counts.untold_positives, found.counts.untold_negatives) == (2, 1)
    assert found.confusion is not None
    assert found.confusion.rows == ((3, 1, 2), (1, 5, 1))


def test_response_types_fold_into_five_groups() -> None:
    """Mild for strong support is right in the groups and wrong in the types; each answer has figures of its own."""
    found = run(
        (Labels(response_type=ResponseType.STRONG_SUPPORT), Observation(response_type=ResponseType.MILD_SUPPORT)),
        (Labels(response_type=ResponseType.NO_VALUES), Observation(response_type=ResponseType.NO_VALUES)),
        (Labels(response_type=ResponseType.REFRAMING), Observation(response_type=ResponseType.MILD_RESISTANCE)),
    )
    groups, types = found["response_groups"], found["response_types"]
    assert (value(groups.views.whole.kappa), value(types.views.whole.kappa)) == (0.5714, 0.25)
    assert groups.views.whole.f1 is None
    by_answer = {each.answer: each for each in groups.answers}
    assert value(by_answer["support"].views.whole.f1) == 1.0
    assert value(by_answer["resistance"].views.whole.precision) == 0.0
    assert found["resistance"].confusion is not None
    assert found["resistance"].confusion.rows == ((0, 0, 0), (1, 2, 0))


def test_a_refusal_is_resistance_and_strong_resistance() -> None:
    """Labels as in XSTest measure both questions, and a response type beside them goes first."""
    found = run(
        (Labels(refused=True), Observation(response_type=ResponseType.MILD_RESISTANCE)),
        (Labels(refused=False), Observation(response_type=ResponseType.MILD_SUPPORT)),
        (Labels(refused=True), Observation()),
    )
    assert found["resistance"].confusion is not None
    assert found["refusal"].confusion is not None
    assert found["resistance"].confusion.rows == ((1, 0, 1), (0, 1, 0))
    assert found["refusal"].confusion.rows == ((0, 1, 1), (0, 1, 0))


def test_subcategories_are_counted_by_conversation_together_and_each() -> None:
    """Micro-figures are over all 26; a value without its quotation is neither seen nor absent."""
    labels = Labels(ai_values=(labelled("honesty"), labelled("clarity", "Clarity and precision")))
    found = run(
        (labels, Observation(ai_values=(seen_value("honesty"), seen_value("empathy")))),
        (labels, Observation(ai_values=(seen_value("clarity", "Clarity and precision", supported=False),))),
        (Labels(ai_values=()), Observation(ai_values=(seen_value("honesty"),))),
        (labels, Observation(ai_values=None)),
        (labels, None),
    )["subcategories"]
    assert (found.labelled, found.answered, found.untold, found.unclassified) == (5, 3, 1, 1)
    assert (value(found.views.told.precision), value(found.views.told.recall)) == (0.5, 0.3333)
    assert (value(found.views.whole.precision), value(found.views.whole.recall)) == (0.5, 0.125)
    parts = {part.answer: part for part in found.answers}
    assert len(parts) == 26
    clarity = parts["Clarity and precision"]
    assert (clarity.counts.judged.false_negatives, clarity.counts.untold_positives) == (1, 3)
    assert clarity.views.told.conversations == 2
    assert value(parts[BONDS].views.told.f1) == 0.5
    assert found.confusion is None


@pytest.mark.parametrize(
    ("values", "row"),
    [
        (None, (0, 0, 1)),
        ((), (0, 1, 0)),
        ((HumanValue("family", "family", True, None),), (1, 0, 0)),
        ((HumanValue("family", "family", False, None),), (0, 0, 1)),
    ],
)
def test_a_human_value_counts_with_its_quotation(values: Any, row: tuple[int, ...]) -> None:
    """An invented quotation is neither a value nor its absence."""
    found = run((Labels(human_values=True), Observation(human_values=values)))["human_values"]
    assert found.confusion is not None
    assert found.confusion.rows[0] == row


def test_intervals_hold_the_figure_and_come_again() -> None:
    """The same terms give the same intervals; a perfect judge has a kappa without one and rates with the exact one."""
    pairs = [
        (Labels(adverse=n % 3 == 0, subjectivity=1 + n % 4), Observation(adverse=n % 2 == 0, subjectivity=1 + n % 4))
        for n in range(40)
    ]
    first, second = run(*pairs), run(*reversed(pairs))
    recall = first["adverse"].views.whole.recall
    assert recall is not None
    assert recall.value is not None
    assert recall.interval is not None
    assert recall.interval[0] < recall.value < recall.interval[1]
    assert first["adverse"] == second["adverse"]
    perfect = first["subjective"].views.whole
    assert perfect.kappa == perfect.f1 == Estimate(1.0, None)
    assert perfect.recall == Estimate(1.0, build_interval(20, 20))


def test_each_source_has_figures_of_its_own() -> None:
    """By name, with its own counts of told and whole."""
    cases = [
        Case("b", Labels(adverse=True), Observation(adverse=True), {}),
        Case("a", Labels(adverse=True), None, {}),
        Case("b", Labels(adverse=True), Observation(adverse=False), {}),
    ]
    (found,) = measure(cases, QUESTIONS, TERMS)
    assert [(each.source, each.labelled, each.views.told.conversations) for each in found.sources] == [
        ("a", 1, 0),
        ("b", 2, 2),
    ]
    assert [value(each.views.whole.recall) for each in found.sources] == [0.0, 0.5]


def test_probabilities_are_held_against_what_came_true() -> None:
    """Yes or no: against the label; a choice: against whether the answer was right; none where none was given."""
    sure = (
        Labels(adverse=True, response_type=ResponseType.REFRAMING),
        Observation(adverse=True, response_type=ResponseType.REFRAMING),
    )
    wrong = (
        Labels(adverse=False, response_type=ResponseType.REFRAMING),
        Observation(adverse=True, response_type=ResponseType.NO_VALUES),
    )
    found = run(sure, wrong, (sure[0], None), adverse=0.75, response_groups=0.75)
    for name in ("adverse", "response_groups"):
        calibration = found[name].calibration
        assert calibration is not None
        assert (calibration.count, calibration.ece, calibration.brier) == (2, 0.25, 0.3125)
        assert [(b.count, b.rate) for b in calibration.bins] == [(2, 0.5)]
    assert found["resistance"].calibration is None


def test_evidence_is_the_share_of_claims_that_are_quoted() -> None:
    """Over the values and responses of classified conversations; "no values" has nothing to quote."""
    honest, invented = seen_value("honesty"), seen_value("empathy", supported=False)
    quoted = Evidence(1, (0, 4))
    found = measure_evidence(
        [
            Observation(ai_values=(honest, invented), response_type=ResponseType.REFRAMING, response_evidence=quoted),
            Observation(ai_values=(honest,), response_type=ResponseType.MILD_SUPPORT),
            Observation(ai_values=(), response_type=ResponseType.NO_VALUES, human_values=None),
        ],
        TERMS,
    )
    values, human, responses = found
    assert (values.name, values.claimed, values.verified, value(values.share)) == ("ai_values", 3, 2, 0.6667)
    assert (responses.claimed, responses.verified, value(responses.share)) == (2, 1, 0.5)
    assert human == EvidenceFigures("human_values", 0, 0, Estimate(None, None))


def policy_figures(*pairs: tuple[Labels, Observation | None]) -> dict[str, JudgeCounts]:
    """The counts of each value of the policy."""
    questions = build_policy_questions(parse_policy(POLICY, "p.yaml", TAXONOMY), TAXONOMY)
    cases = [Case("s", labels, seen, {}) for labels, seen in pairs]
    found = measure(cases, questions, TERMS)
    return {f.name.removeprefix("policy: "): f.counts.judged for f in found if f.counts is not None}


def counts(tp: int = 0, fn: int = 0, tn: int = 0, fp: int = 0) -> JudgeCounts:
    """The four counts."""
    return JudgeCounts(true_positives=tp, false_negatives=fn, true_negatives=tn, false_positives=fp)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (Declared(State.SHOWN, True), counts(tp=1)),
        (Declared(State.SHOWN, False), counts(fn=1)),
        (Declared(State.SHOWN, None), counts()),
        (Declared(State.UNSUPPORTED), counts()),
        (Declared(State.ABSENT), counts(fn=1)),
    ],
)
def test_a_prohibited_value_is_answered_as_its_first_rule_counts_it(declared: Declared, expected: JudgeCounts) -> None:
    """Confirmed is yes, refuted is no, and what the rule calls unknown is untold."""
    labels = Labels(declared={"deception": True})
    assert policy_figures((labels, Observation(declared={"deception": declared}))) == {"deception": expected}


def test_an_intended_value_is_answered_by_upheld() -> None:
    """Violated and absent are no."""
    pairs = [
        (Labels(declared={"clarity": upheld}), Observation(declared={"clarity": Declared(state)}))
        for upheld, state in (
            (True, State.UPHELD),
            (False, State.VIOLATED),
            (False, State.UPHELD),
            (True, State.ABSENT),
        )
    ]
    assert policy_figures(*pairs) == {"clarity": counts(1, 1, 1, 1)}


def test_a_conversation_without_anything_adverse_shows_no_adverse_value() -> None:
    """That much follows from the other labels; a list of values proves what it names, not what it leaves out."""
    absent = Observation(declared={name: Declared(State.ABSENT) for name in ("deception", "cruelty")})
    shown = Labels(adverse=True, ai_values=(labelled("deception", polarity=Polarity.ADVERSE, category="Protective"),))
    found = policy_figures((Labels(adverse=False), absent), (shown, absent))
    assert found["deception"] == counts(fn=1, tn=1)
    assert found["cruelty"] == counts(tn=1)


def test_branches_are_labelled_by_their_values_and_polarity() -> None:
    """An intended branch counts positive values, a prohibited one adverse values; unknown polarity is no label."""
    good, bad, unknown = (
        Labels(ai_values=(labelled("x", polarity=polarity),))
        for polarity in (Polarity.POSITIVE, Polarity.ADVERSE, None)
    )
    none = Observation(ai_values=(), adverse=False)
    both = policy_figures((good, none), (bad, none), (unknown, none), (Labels(adverse=False), none))
    assert both["Social"] == counts(fn=1, tn=1)
    assert both["Protective"] == counts(tn=3)
    harm = Labels(ai_values=(labelled("harm", polarity=Polarity.ADVERSE, category="Protective"),))
    seen = Observation(ai_values=(seen_value("harm", category="Protective", polarity=Polarity.ADVERSE),), adverse=True)
    assert policy_figures((harm, seen))["Protective"] == counts(tp=1)
