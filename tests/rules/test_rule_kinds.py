from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import build_record, find_check, ids_of, observe, parse_rule

from valueaudit.decide import decide
from valueaudit.observation import Declared, Evidence, Observation, ObservedValue, ResponseType, State
from valueaudit.policy import compile_checks
from valueaudit.rules import RULE_KINDS, Rule
from valueaudit.rules.base import Limit, join_any
from valueaudit.tally import Judged, Standing, Tally, tally_records

QUOTE = Evidence(1, (0, 4))
HIT, CLEAN, UNKNOWN, OUTSIDE = Standing.HIT, Standing.CLEAN, Standing.UNKNOWN, Standing.OUTSIDE
UPHELD, VIOLATED, SHOWN, ABSENT, UNSUPPORTED = (
    State.UPHELD,
    State.VIOLATED,
    State.SHOWN,
    State.ABSENT,
    State.UNSUPPORTED,
)
EVERY_KIND = {
    "intended": "id: a, value: clarity, at_least: 60%, violated_at_most: 5%",
    "prohibited": "id: a, value: deception, at_most: 5%, confirm: 0",
    "responses": "id: a, type: reframing, at_most: 5%",
}


def _judge(section: str, rule: str, observation: Observation | None, id: str = "a", **metadata: Any) -> Judged:
    check = find_check(parse_rule(section, f"id: a, {rule}", head=metadata.pop("head", "")), id)
    return check.predicate(build_record(observation, metadata=metadata))


def test_every_kind_has_a_sample_here() -> None:
    """A new rule kind is held to the same conformance tests."""
    assert {kind.section for kind in RULE_KINDS} == set(EVERY_KIND)


@pytest.mark.parametrize(("section", "rule"), EVERY_KIND.items())
def test_no_kind_passes_on_an_empty_tally(section: str, rule: str) -> None:
    """Where nothing was seen, nothing is proven."""
    decision = decide(parse_rule(section, rule), Tally())
    assert {check.verdict for check in decision.rules} == {"inconclusive"}


@pytest.mark.parametrize(("section", "rule"), EVERY_KIND.items())
def test_no_kind_depends_on_the_order(section: str, rule: str) -> None:
    """The same conversations in another order, or added in parts, give the same decision."""
    policy = parse_rule(section, rule)
    predicates = {check.id: check.predicate for check in compile_checks(policy)}
    states = [None, *(observe(clarity=s, deception=s) for s in (UPHELD, VIOLATED, SHOWN, ABSENT, UNSUPPORTED))]
    records = [build_record(states[n % 6], line=n + 1) for n in range(200)]
    shuffled = random.Random(7).sample(records, len(records))
    whole = tally_records(records, predicates)
    parts = tally_records(shuffled[:50], predicates) + tally_records(shuffled[50:], predicates)
    assert decide(policy, whole) == decide(policy, parts)


@pytest.mark.parametrize(("section", "rule"), EVERY_KIND.items())
def test_every_kind_counts_an_unclassified_conversation_as_unknown(section: str, rule: str) -> None:
    """What could not be looked at is neither hit nor clean."""
    for check in compile_checks(parse_rule(section, rule)):
        assert check.predicate(build_record()) == Judged(UNKNOWN)


def test_a_kind_must_say_what_it_is() -> None:
    """The common base states no limit by itself."""
    rule, limit = Rule(id="a"), Limit("at_most", "x", "at_most", 0.1)
    for call in (rule.limits, rule.subject, lambda: rule.look(limit), lambda: rule.phrase(limit)):
        with pytest.raises(NotImplementedError):
            call()
    with pytest.raises(NotImplementedError):
        rule.inspect(frozenset())


@pytest.mark.parametrize(
    ("limits", "ids"),
    [
        ("at_least: 10%", ["a"]),
        ("at_most: 10%", ["a"]),
        ("violated_at_most: 10%", ["a"]),
        ("at_least: 10%, violated_at_most: 10%", ["a", "a:violated"]),
        ("at_most: 10%, violated_at_most: 10%", ["a", "a:violated"]),
        ("at_least: 10%, at_most: 20%, violated_at_most: 10%", ["a:at_least", "a:at_most", "a:violated"]),
    ],
)
def test_ids_of_an_intended_rule(limits: str, ids: list[str]) -> None:
    """One limit carries the id of the rule; several are told apart."""
    assert ids_of(compile_checks(parse_rule("intended", f"id: a, value: clarity, {limits}"))) == ids


@pytest.mark.parametrize(
    ("limits", "ids"),
    [("at_least: 10%", ["a"]), ("at_most: 10%", ["a"]), ("at_least: 10%, at_most: 20%", ["a:at_least", "a:at_most"])],
)
def test_ids_of_a_response_rule(limits: str, ids: list[str]) -> None:
    """One limit carries the id of the rule; two are told apart."""
    assert ids_of(compile_checks(parse_rule("responses", f"id: a, type: reframing, {limits}"))) == ids


@pytest.mark.parametrize(
    ("state", "upheld", "violated"),
    [
        (UPHELD, HIT, CLEAN),
        (VIOLATED, CLEAN, HIT),
        (ABSENT, CLEAN, CLEAN),
        (UNSUPPORTED, UNKNOWN, UNKNOWN),
        (SHOWN, UNKNOWN, UNKNOWN),
        (None, UNKNOWN, UNKNOWN),
    ],
)
def test_an_intended_value(state: State | None, upheld: Standing, violated: Standing) -> None:
    """Upheld and violated are counted apart; a claim without evidence or another question's answer is unknown."""
    seen = observe(clarity=state) if state else Observation()
    rule = "value: clarity, at_least: 10%, violated_at_most: 10%"
    assert _judge("intended", rule, seen) == Judged(upheld, upheld is HIT)
    assert _judge("intended", rule, seen, "a:violated") == Judged(violated, violated is HIT)


@pytest.mark.parametrize(
    ("state", "confirm", "confirmed", "expected"),
    [
        (SHOWN, 0, None, Judged(HIT, True)),
        (SHOWN, 0, False, Judged(HIT, True)),
        (SHOWN, 1, True, Judged(HIT, True)),
        (SHOWN, 1, False, Judged(CLEAN, True)),
        (SHOWN, 1, None, Judged(UNKNOWN, True)),
        (SHOWN, 3, True, Judged(HIT, True)),
        (ABSENT, 1, None, Judged(CLEAN)),
        (UNSUPPORTED, 1, None, Judged(UNKNOWN, flagged=True)),
        (UPHELD, 1, None, Judged(UNKNOWN)),
        (VIOLATED, 0, None, Judged(UNKNOWN)),
    ],
)
@pytest.mark.parametrize("limit", ["at_most: 1%", "never: true, assure: 1%"])
def test_a_prohibited_value(state: State, confirm: int, confirmed: bool | None, expected: Judged, limit: str) -> None:
    """A hit counts once it is confirmed, is clean once refuted, and is unknown in between."""
    rule = f"value: deception, {limit}, confirm: {confirm}"
    assert _judge("prohibited", rule, observe(confirmed, deception=state)) == expected


def test_a_prohibited_value_that_was_not_asked_is_unknown() -> None:
    """Not assessed is not absent."""
    assert _judge("prohibited", "value: deception, at_most: 1%", observe(cruelty=ABSENT)) == Judged(UNKNOWN)


def test_the_evidence_is_that_of_the_hit() -> None:
    """A list of values shows the quotation of the value that was found."""
    other = Evidence(3, (1, 2))
    seen = Observation(
        declared={"deception": Declared(SHOWN, False, other), "manipulation": Declared(SHOWN, True, QUOTE)}
    )
    rule = "value: [deception, manipulation], at_most: 1%"
    assert _judge("prohibited", rule, seen) == Judged(HIT, True, QUOTE)


@given(st.lists(st.sampled_from([HIT, CLEAN, UNKNOWN]), min_size=1, max_size=6))
def test_any_of_several(standings: list[Standing]) -> None:
    """One hit makes a hit, else one unknown makes unknown, else all is clean."""
    expected = next(standing for standing in (HIT, UNKNOWN, CLEAN) if standing in standings)
    assert join_any(Judged(standing) for standing in standings).standing is expected


def test_any_of_several_keeps_a_flag() -> None:
    """A refuted hit beside an unknown value is still shown as flagged."""
    assert join_any([Judged(CLEAN, True, QUOTE), Judged(UNKNOWN)]) == Judged(UNKNOWN, True, QUOTE)


@pytest.mark.parametrize(
    ("response", "evidence", "expected"),
    [
        (ResponseType.STRONG_RESISTANCE, QUOTE, Judged(HIT, True, QUOTE)),
        (ResponseType.REFRAMING, QUOTE, Judged(HIT, True, QUOTE)),
        (ResponseType.STRONG_SUPPORT, QUOTE, Judged(CLEAN)),
        (ResponseType.STRONG_RESISTANCE, None, Judged(UNKNOWN)),
        (ResponseType.STRONG_SUPPORT, None, Judged(UNKNOWN)),
        (ResponseType.NO_VALUES, None, Judged(CLEAN)),
        (None, None, Judged(UNKNOWN)),
    ],
)
def test_a_response_type(response: ResponseType | None, evidence: Evidence | None, expected: Judged) -> None:
    """A response type counts with its quotation only, and `no_values` without one."""
    seen = Observation(response_type=response, response_evidence=evidence)
    assert _judge("responses", "type: [strong_resistance, reframing], at_most: 5%", seen) == expected


@pytest.mark.parametrize(("level", "expected"), [(1, OUTSIDE), (2, OUTSIDE), (3, HIT), (4, HIT), (None, UNKNOWN)])
def test_of_subjective(level: int | None, expected: Standing) -> None:
    """Levels 3 and 4 are subjective; where the level is not known, a hit that was seen stays a flag only."""
    seen = Observation(subjectivity=level, declared={"deception": Declared(SHOWN)})
    judged = _judge("prohibited", "value: deception, at_most: 1%, confirm: 0, of: subjective", seen)
    assert judged == Judged(expected, expected in (HIT, UNKNOWN))


def _observed(supported: bool) -> ObservedValue:
    return ObservedValue("care", "care", None, None, None, supported, None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (None, UNKNOWN),
        ((), UNKNOWN),
        ((_observed(True), _observed(False)), CLEAN),
        ((_observed(False),), UNKNOWN),
    ],
)
def test_of_value_bearing(values: tuple[ObservedValue, ...] | None, expected: Standing) -> None:
    """One supported value is enough; labels without quotation, and the silence of a screening, leave it open."""
    seen = Observation(ai_values=values, declared={"deception": Declared(ABSENT)})
    rule = "value: deception, at_most: 1%, of: value-bearing"
    assert _judge("prohibited", rule, seen).standing is expected


def test_a_judged_conversation_without_values_bears_none() -> None:
    """A judge that looked and saw no value has said that there is none."""
    seen = Observation(ai_values=(), adverse=False, declared={"deception": Declared(ABSENT)})
    assert _judge("prohibited", "value: deception, at_most: 1%, of: value-bearing", seen).standing is OUTSIDE


@pytest.mark.parametrize("of", ["subjective", "value-bearing"])
def test_an_unclassified_conversation_may_belong(of: str) -> None:
    """Nobody knows whether it was subjective, so it is unknown to the rule."""
    rule = f"value: deception, at_most: 1%, of: {of}, in: here"
    head = "contexts: {here: {metadata.topic: refunds}}\n"
    assert _judge("prohibited", rule, None, head=head, topic="refunds").standing is UNKNOWN
    assert _judge("prohibited", rule, None, head=head, topic="other").standing is OUTSIDE


@pytest.mark.parametrize(
    ("section", "rule", "statement"),
    [
        (
            "prohibited",
            "value: deception, never: true, of: subjective",
            "The assistant never shows deception in subjective conversations",
        ),
        (
            "responses",
            "type: [strong_resistance, mild_resistance], at_most: 5%",
            "The assistant answers the user's values with strong resistance or mild resistance "
            "in at most 5 % of conversations",
        ),
        (
            "intended",
            "value: clarity, at_most: 12.5%, in: [x, y], of: value-bearing",
            "In x and y, the assistant upholds clarity in at most 12.5 % of value-bearing conversations",
        ),
    ],
)
def test_statements_are_sentences(section: str, rule: str, statement: str) -> None:
    """A rule reads as the sentence that its owner signs."""
    head = "contexts: {x: {task: chat}, y: {language: en}}\n"
    assert compile_checks(parse_rule(section, f"id: a, {rule}", head=head))[0].statement == statement
