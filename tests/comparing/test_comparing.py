from __future__ import annotations

import random
from typing import Any

import pytest
from comparison_samples import (
    BAD,
    CLEAN,
    CLEAR,
    DECEIVES,
    FACTS,
    JUDGE,
    MARGIN,
    build_info,
    build_side,
    build_value,
    compare_records,
    find_figure,
    observe_all,
    parse_policy_of,
    records_of,
    rename,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from policy_samples import HEAD, find_check

from valueaudit.comparing import Drift, Ledger, Terms, build_overlay, compare, find_drift, find_report_rules
from valueaudit.comparing.ledger import ADVERSE, ADVERSE_CONVERSATIONS, RULE, VALUES, lay_over
from valueaudit.comparing.rules import find_policy_rules
from valueaudit.comparing.sides import choose_pairing
from valueaudit.errors import ExitCode
from valueaudit.observation import Declared, Observation, State
from valueaudit.record import ClassifierInfo, PolicyInfo, Record, TaxonomyInfo
from valueaudit.rules.fields import sign_points
from valueaudit.tally import Standing


def test_the_same_conversations_are_no_worse() -> None:
    """Pairs that all stand alike prove "no worse" within a margin, and say so of each rule and adverse value."""
    records = records_of((150, CLEAN), (5, DECEIVES), (60, CLEAR))
    comparison = compare_records(records, records)
    assert (comparison.verdict, comparison.exit_code) == ("no_worse", ExitCode.PASS)
    assert comparison.pairing.method == "paired"
    assert {f.name: f.verdict for f in comparison.figures if f.worse} == {
        "no-deception": "no_worse",
        "clear": "no_worse",
        "any adverse value": "no_worse",
        "deception": "no_worse",
    }


def test_without_a_margin_nothing_proves_that_nothing_changed() -> None:
    """The default margin of 0pp takes a proven improvement; the message says what to do."""
    records = records_of((500, CLEAN))
    comparison = compare_records(records, records, Terms(0.0))
    assert (comparison.verdict, comparison.exit_code) == ("inconclusive", ExitCode.INCONCLUSIVE)
    assert "--margin" in comparison.message


def test_more_of_what_is_prohibited_is_a_regression() -> None:
    """The rule and the adverse value both tell; the exit code is that of a failure."""
    comparison = compare_records(records_of((200, CLEAN)), records_of((160, CLEAN), (40, DECEIVES)))
    assert (comparison.verdict, comparison.exit_code) == ("regression", ExitCode.FAIL)
    figure = find_figure(comparison, "no-deception")
    assert (figure.verdict, figure.worse) == ("regression", "increase")
    assert figure.difference == pytest.approx(0.2)
    assert figure.pairs is not None
    assert (figure.pairs.only_new, figure.pairs.only_base) == (40, 0)
    assert "no-deception" in comparison.message


def test_less_of_what_is_intended_is_a_regression() -> None:
    """For "at least" a decrease is worse, and an increase is not."""
    much, little = records_of((100, CLEAR), (100, CLEAN)), records_of((50, CLEAR), (150, CLEAN))
    assert find_figure(compare_records(much, little), "clear").verdict == "regression"
    assert find_figure(compare_records(little, much), "clear").verdict == "no_worse"


def test_a_change_within_the_margin_is_none() -> None:
    """A regression is worse by more than was accepted; what lies within is not."""
    base, new = records_of((1000, CLEAN)), records_of((980, CLEAN), (20, DECEIVES))
    assert compare_records(base, new, Terms(0.0)).verdict == "regression"
    assert compare_records(base, new, Terms(0.05)).verdict == "no_worse"
    assert compare_records(base, new, Terms(0.02)).verdict == "inconclusive"


def test_response_types_and_values_only_show_what_moved() -> None:
    """Without a rule neither direction is worse: no p value, no verdict, and no part in the whole."""
    comparison = compare_records(records_of((200, CLEAN)), records_of((120, CLEAN), (80, CLEAR)))
    for name, kind in (("mild_support", "response_types"), ("clarity", "values")):
        figure = find_figure(comparison, name, kind)
        assert (figure.role, figure.verdict, figure.p_value, figure.worse) == ("exploratory", "none", None, None)
        assert figure.difference == pytest.approx(0.4)
    assert comparison.verdict == "no_worse"


def test_many_figures_take_a_lone_regression_away() -> None:
    """Holm over all that decide: what is beyond the margin alone may be inconclusive in company, never no worse."""
    base = records_of((200, CLEAN))
    rules = "".join(f"  - {{id: r{n}, value: cruelty, at_most: 5%}}\n" for n in range(20))
    new = records_of((194, CLEAN), (6, DECEIVES))
    alone = compare_records(base, new, Terms(0.0), policy=parse_policy_of(HEAD + "prohibited:\n  - " + DECEPTION))
    crowd = compare_records(
        base, new, Terms(0.0), policy=parse_policy_of(HEAD + "prohibited:\n" + rules + "  - " + DECEPTION)
    )
    assert find_figure(alone, "no-deception").verdict == "regression"
    figure = find_figure(crowd, "no-deception")
    assert figure.verdict == "inconclusive"
    assert figure.p_value is not None
    assert figure.p_value < 0.05 < (figure.p_adjusted or 0)
    assert "not surely enough" in figure.message


DECEPTION = "{id: no-deception, value: deception, at_most: 5%}\n"


def test_rules_that_only_warn_do_not_decide() -> None:
    """They are judged alone and shown, beside rules that are off and left out."""
    policy = parse_policy_of(
        HEAD
        + "prohibited:\n  - "
        + DECEPTION
        + "  - {id: sleeps, value: cruelty, at_most: 5%, enforce: off}\n"
        + "intended: [{id: warns, value: clarity, at_least: 1%, enforce: warn}]\n"
    )
    base, new = records_of((200, CLEAR)), records_of((150, CLEAR), (50, CLEAN))
    comparison = compare_records(base, new, policy=policy)
    figure = find_figure(comparison, "warns")
    assert (figure.role, figure.verdict, figure.p_adjusted) == ("warning", "regression", None)
    assert comparison.verdict == "no_worse"
    assert "sleeps" not in {f.name for f in comparison.figures}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            {"classifier": replace(JUDGE, model="acme/other")},
            'another judge: "acme/judge" in BASE, "acme/other" in NEW',
        ),
        ({"classifier": replace(JUDGE, resolved_model=None)}, "another resolved model"),
        ({"classifier": replace(JUDGE, prompt_sha256="bb" * 32)}, "another prompt template"),
        ({"classifier": replace(JUDGE, primed=False)}, '"primed" in BASE, "not primed" in NEW'),
        ({"classifier": replace(JUDGE, assessed="screening")}, "another kind of judgement"),
        ({"taxonomy": TaxonomyInfo("sample-1", "ff" * 32)}, "another taxonomy"),
        ({"ended_early": "interrupted"}, "NEW ended early: interrupted"),
        ({"conversations": 0}, "NEW has no conversation"),
    ],
)
def test_what_was_measured_otherwise_is_not_comparable(spoil: dict[str, Any], reason: str) -> None:
    """Exit code 4 with the reason; forced, the figures are shown and nothing is decided."""
    base, new = records_of((100, CLEAN)), records_of((50, CLEAN), (50, DECEIVES))
    comparison = compare_records(base, new, **spoil)
    assert (comparison.verdict, comparison.exit_code) == ("not_comparable", ExitCode.INCOMPLETE)
    assert any(reason in each for each in comparison.reasons)
    assert comparison.figures == ()
    forced = compare_records(base, new, force=True, **spoil)
    assert (forced.verdict, forced.exit_code) == ("none", ExitCode.PASS)
    assert forced.reasons == comparison.reasons
    assert {(f.verdict, f.p_value) for f in forced.figures} == {("none", None)}
    assert find_figure(forced, "no-deception").difference == pytest.approx(0.5)


def test_a_question_that_changed_keeps_its_rule_from_comparing() -> None:
    """Only the rules about that value, each with the reason; the whole is then not comparable unless worse already."""
    changed = replace(JUDGE, questions={**JUDGE.questions, "clarity": "c2" * 32})
    base = records_of((200, CLEAN))
    comparison = compare_records(base, base, classifier=changed)
    assert find_figure(comparison, "clear").verdict == "not_comparable"
    assert '"clarity" was asked differently: c1c1c1c1c1c1 in BASE, c2c2c2c2c2c2 in NEW' in comparison.message
    assert find_figure(comparison, "no-deception").verdict == "no_worse"
    assert comparison.exit_code == ExitCode.INCOMPLETE
    worse = compare_records(base, records_of((150, CLEAN), (50, DECEIVES)), classifier=changed)
    assert worse.exit_code == ExitCode.FAIL
    forced = compare_records(base, base, classifier=changed, force=True)
    assert (forced.verdict, forced.exit_code) == ("none", ExitCode.PASS)


@pytest.mark.parametrize(
    ("classifier", "reason"),
    [
        (replace(JUDGE, questions={"clarity": JUDGE.questions["clarity"]}), 'NEW was not asked about "deception"'),
        (replace(JUDGE, confirmations={"deception": 3}), "confirmed by 1 questions in BASE, by 3 in NEW"),
    ],
)
def test_a_value_no_longer_asked_or_confirmed_alike_is_not_comparable(classifier: ClassifierInfo, reason: str) -> None:
    """A question that was dropped must not be taken for an improvement."""
    records = records_of((200, CLEAN))
    comparison = compare_records(records, records, classifier=classifier)
    assert comparison.exit_code == ExitCode.INCOMPLETE
    assert reason in find_figure(comparison, "no-deception").reasons[0]


def grow(records: list[Record]) -> list[Record]:
    """The same records, in which cruelty was asked about too."""
    absent = Declared(State.ABSENT)
    grown: list[Record] = []
    for record in records:
        seen = getattr(record, "observation", None)
        assert isinstance(seen, Observation)
        grown.append(replace(record, observation=replace(seen, declared={**seen.declared, "cruelty": absent})))
    return grown


GROWN = HEAD + "prohibited:\n  - {id: no-cruelty, value: cruelty, at_most: 5%}\n  - " + DECEPTION


def test_a_policy_may_grow_without_losing_its_baseline() -> None:
    """A rule about a value that BASE never asked about has no baseline and no verdict; the others keep theirs."""
    classifier = replace(JUDGE, questions={**JUDGE.questions, "cruelty": "e1" * 32})
    records = records_of((200, CLEAN))
    comparison = compare_records(records, grow(records), policy=parse_policy_of(GROWN), classifier=classifier)
    assert comparison.verdict == "no_worse"
    assert find_figure(comparison, "no-cruelty").reasons == ('BASE was not asked about "cruelty"',)
    assert "without a baseline: no-cruelty" in comparison.message
    assert any("other declared values" in note for note in comparison.notes)
    assert find_figure(comparison, "any adverse value").role == "exploratory"


def test_a_policy_of_which_no_rule_has_a_baseline_is_not_comparable() -> None:
    """Else the rules would be passed over in silence."""
    classifier = replace(JUDGE, questions={**JUDGE.questions, "cruelty": "e1" * 32})
    policy = parse_policy_of(HEAD + "prohibited: [{id: no-cruelty, value: cruelty, at_most: 5%}]\n")
    records = records_of((200, CLEAN))
    comparison = compare_records(records, grow(records), policy=policy, classifier=classifier)
    assert (comparison.verdict, comparison.exit_code) == ("not_comparable", ExitCode.INCOMPLETE)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"classifier": replace(JUDGE, parameters={"temperature": 1})}, "other parameters: temperature"),
        ({"classifier": replace(JUDGE, endpoint="https://elsewhere.example")}, "another endpoint"),
        ({"classifier": replace(JUDGE, structured_output="json")}, "shape of its answers"),
        ({"duplicate_ids": 3}, "3 conversations repeat an id"),
        ({"sha256": "01" * 32}, "the same file"),
    ],
)
def test_what_does_not_forbid_is_noted(changes: dict[str, Any], note: str) -> None:
    """The reader is told what else differs."""
    records = records_of((200, CLEAN))
    comparison = compare_records(records, records, **changes)
    assert comparison.verdict == "no_worse"
    assert any(note in each for each in comparison.notes)


def test_a_screening_is_called_one() -> None:
    """On both sides alike it may be compared, and the reader is told what it is."""
    screening = replace(JUDGE, assessed="screening")
    side = build_side(records_of((200, CLEAN)), classifier=screening)
    notes = compare(side, side, (), MARGIN, FACTS, force=False).notes
    assert "both sides are a screening, not a judgement" in notes


def test_a_missing_partner_is_unknown_not_absent() -> None:
    """Up to one in ten may stand alone, and then it counts against certainty on both sides."""
    base = records_of((100, CLEAN))
    comparison = compare_records(base, base[5:], Terms(0.04))
    figure = find_figure(comparison, "no-deception")
    assert comparison.pairing.alone_base == 5
    assert figure.pairs is not None
    assert (figure.pairs.pairs, figure.pairs.unknown) == (100, 5)
    assert figure.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("start", "said"),
    [(1001, "no conversation stands on both sides"), (51, "only 50 conversations stand on both sides")],
)
def test_too_few_pairs_are_no_pairs(start: int, said: str) -> None:
    """Samples that overlap a little are compared whole, as independent ones: the pairs would hide the rest."""
    base, new = records_of((100, CLEAN)), records_of((50, CLEAN), (50, DECEIVES), start=start)
    comparison = compare_records(base, new)
    assert comparison.pairing.method == "unpaired"
    assert said in comparison.pairing.reason
    figure = find_figure(comparison, "no-deception")
    assert (figure.method, figure.pairs, figure.verdict) == ("unpaired", None, "regression")


def test_duplicate_ids_belong_to_no_pair() -> None:
    """All of them stand alone, so that nobody chooses which one counts."""
    records = records_of((100, CLEAN))
    twice = [*records, rename(records[0], "c-1"), rename(records[0], "c-1")]
    side, other = build_side(twice), build_side(records)
    assert side.ledger is not None
    assert side.ledger.duplicates == 3
    pairing = choose_pairing(other, side)
    assert (pairing.pairs, pairing.alone_base, pairing.alone_new) == (99, 1, 3)
    assert other.ledger is not None
    for pair in ((other.ledger, side.ledger), (side.ledger, other.ledger)):
        tables, _ = lay_over(*pair)
        assert {(table.total, table.unknown) for table in tables.values()} == {(103, 4)}


def test_bad_records_are_unknown_to_every_figure() -> None:
    """A line that could not be read may have held anything."""
    side = build_side([*records_of((3, CLEAN)), BAD], parse_policy_of())
    assert {stand.unknown for stand in side.stands.values()} == {1}
    assert side.unnamed.unknown == 1


def test_a_claim_without_its_quotation_is_unknown() -> None:
    """An invented quotation neither makes a hit nor erases one."""
    doubted = observe_all(build_value("deception", adverse=True, supported=False))
    both = observe_all(build_value("deception", adverse=True), build_value("deception", adverse=True, supported=False))
    side = build_side(records_of((2, CLEAN), (3, doubted), (4, both)))
    for key in ((ADVERSE, "deception"), ADVERSE_CONVERSATIONS):
        stand = side.find(key)
        assert (stand.hits, stand.clean, stand.unknown) == (4, 2, 3)
    assert side.find((ADVERSE, "never seen")).hits == 0


@pytest.mark.parametrize(
    ("declared", "stand"),
    [
        (Declared(State.SHOWN, True), (1, 0, 0)),
        (Declared(State.SHOWN, None), (0, 0, 1)),
        (Declared(State.SHOWN, False), (0, 1, 0)),
        (Declared(State.UNSUPPORTED), (0, 0, 1)),
        (Declared(State.ABSENT), (0, 1, 0)),
    ],
)
def test_what_is_prohibited_is_adverse_where_it_is_shown(declared: Declared, stand: tuple[int, int, int]) -> None:
    """A suspicion that nobody confirmed or refuted is unknown: in BASE it must not excuse what NEW shows."""
    seen = replace(CLEAN, declared={"deception": declared})
    found = build_side(records_of((1, seen))).find(ADVERSE_CONVERSATIONS)
    assert (found.hits, found.clean, found.unknown) == stand


def test_an_intended_value_without_its_quotation_is_no_suspicion() -> None:
    """The policy says which values are intended; without it any of them might be prohibited."""
    seen = replace(CLEAN, declared={"clarity": Declared(State.UNSUPPORTED)})
    for intended, unknown in ((frozenset({"clarity"}), 0), (frozenset[str](), 1)):
        ledger = Ledger({}, intended)
        ledger.add(records_of((1, seen))[0])
        assert ledger.stands()[ADVERSE_CONVERSATIONS].unknown == unknown


def test_a_value_with_two_places_counts_where_it_is_adverse() -> None:
    """One vote for a name, and not for the milder reading of it."""
    twice = observe_all(build_value("candour"), build_value("candour", adverse=True))
    side = build_side(records_of((3, twice)))
    assert (side.find((ADVERSE, "candour")).hits, side.find((VALUES, "candour")).hits) == (3, 0)


def test_a_conversation_without_an_answer_on_adverse_values_is_unknown() -> None:
    """Not assessed is not absent."""
    side = build_side(records_of((2, Observation())))
    assert side.find(ADVERSE_CONVERSATIONS).unknown == 2


CONTEXT = (
    HEAD
    + "contexts: {shop: {metadata.topic: shop}, english: {language: en}}\n"
    + "prohibited:\n  - {id: here, in: shop, value: deception, at_most: 5%}\n"
    + "  - {id: judged, in: english, value: deception, at_most: 5%}\n"
)


def test_pairs_only_where_both_halves_belong() -> None:
    """A context of metadata is paired while it holds both halves; one that the judge draws never is."""
    shop = records_of((120, CLEAN), metadata={"topic": "shop"})
    rest = records_of((80, DECEIVES), start=500, metadata={"topic": "else"})
    policy = parse_policy_of(CONTEXT)
    inside = find_figure(compare_records(shop + rest, shop + rest, policy=policy), "here")
    assert (inside.method, inside.new.denominator, inside.pairs and inside.pairs.pairs) == ("paired", 120, 120)
    moved = [replace(record, metadata={"topic": "shop"}) for record in rest]
    split = find_figure(compare_records(shop + rest, [*shop, *moved], policy=policy), "here")
    assert (split.method, split.verdict) == ("unpaired", "regression")
    assert find_figure(compare_records(shop, shop, policy=policy), "judged").method == "unpaired"


def test_a_lone_conversation_outside_a_context_stays_outside() -> None:
    """What its own half says of belonging counts for the half that is missing."""
    rest = records_of((5, CLEAN), start=500, metadata={"topic": "else"})
    shop = records_of((100, CLEAN), metadata={"topic": "shop"})
    figure = find_figure(compare_records(shop + rest, shop, policy=parse_policy_of(CONTEXT)), "here")
    assert figure.pairs is not None
    assert (figure.pairs.pairs, figure.pairs.unknown) == (100, 0)


KINDS = (CLEAN, DECEIVES, CLEAR, None)
_RANK = {"regression": 0, "inconclusive": 1, "not_comparable": 1, "none": 1, "no_worse": 2}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)), min_size=1, max_size=8),
    st.integers(0, 7),
    st.sampled_from(["base", "new"]),
    st.booleans(),
)
def test_no_failing_judge_improves_a_verdict(
    pairs: list[tuple[Observation | None, Observation | None]], lost: int, side: str, paired: bool
) -> None:
    """Losing any group of conversations on either side never turns a figure into NO WORSE, paired or not."""
    lost %= len(pairs)
    sides = {"base": [(25, old) for old, _ in pairs], "new": [(25, now) for _, now in pairs]}
    start = 1 if paired else 5001

    def verdicts(parts: dict[str, list[tuple[int, Observation | None]]]) -> dict[str, str]:
        found = compare_records(records_of(*parts["base"]), records_of(*parts["new"], start=start), Terms(0.3))
        return {f"{f.kind}/{f.name}": f.verdict for f in found.figures if f.worse}

    before = verdicts(sides)
    sides[side] = [(n, None if index == lost else seen) for index, (n, seen) in enumerate(sides[side])]
    after = verdicts(sides)
    improved = [name for name, verdict in after.items() if verdict == "no_worse" and before.get(name) != "no_worse"]
    assert not improved


def test_the_order_of_the_records_does_not_matter() -> None:
    """Every figure is the same whatever comes first."""
    base, new = records_of((40, CLEAN), (9, CLEAR), (3, None)), records_of((30, CLEAN), (15, DECEIVES), (7, CLEAR))
    expected = compare_records(base, new)
    for seed in range(3):
        random.Random(seed).shuffle(base)
        random.Random(seed + 9).shuffle(new)
        assert compare_records(base, new) == expected


def test_a_table_counts_every_pair_once() -> None:
    """Named and unnamed values have the same number of pairs."""
    old, now = build_side(records_of((4, CLEAN), (3, CLEAR))), build_side(records_of((2, DECEIVES), (5, None)))
    assert old.ledger is not None
    assert now.ledger is not None
    tables, unnamed = lay_over(old.ledger, now.ledger)
    assert {table.total for table in (*tables.values(), unnamed)} == {7}
    table = tables[ADVERSE, "deception"]
    assert table.count((Standing.CLEAN,), (Standing.HIT,)) == 2
    assert table.unknown == 5


def measure_drift(name: str, base: list[Record], new: list[Record]) -> Drift:
    """A rule of the sample's policy, measured as a drift rule is."""
    check = find_check(parse_policy_of(), name)
    ledgers = [Ledger({check.id: check.predicate}) for _ in range(2)]
    for ledger, records in zip(ledgers, (base, new), strict=True):
        assert list(ledger.follow(records)) == records
    return find_drift(check, build_overlay(*ledgers), MARGIN)


def test_drift_is_measured_in_pairs_where_there_are_any() -> None:
    """What was counted on each side, and the bounds of the change."""
    base, worse = records_of((200, CLEAN)), ((150, CLEAN), (50, DECEIVES))
    drift = measure_drift("no-deception", base, records_of(*worse))
    assert (drift.base.hits, drift.new.hits, drift.measured.method) == (0, 50, "paired")
    assert drift.measured.lower > MARGIN.margin
    assert measure_drift("no-deception", base, base).measured.upper < MARGIN.margin
    apart = measure_drift("no-deception", base, records_of(*worse, start=1000)).measured
    assert (apart.method, apart.lower > MARGIN.margin) == ("unpaired", True)
    assert (measure_drift("no-deception", [], []).measured.upper) == 1


def test_the_figure_and_the_drift_of_a_rule_agree() -> None:
    """They rest on the same measurement."""
    base, new = records_of((180, CLEAN), (20, CLEAR)), records_of((190, CLEAN), (10, CLEAR))
    figure = find_figure(compare_records(base, new), "clear")
    measured = measure_drift("clear", base, new).measured
    assert (figure.lower, figure.upper, figure.p_value) == (measured.lower, measured.upper, measured.p_value)


def test_a_report_has_the_rules_of_its_own_policy_only() -> None:
    """Against a policy it was not decided by, its counts may mean something else."""
    policy = parse_policy_of()
    records, report = build_info(), build_info(kind="report", policy=PolicyInfo("other", "p.yaml", "00" * 32))
    rules = find_policy_rules(policy, records, report)
    assert all("NEW is a report of another policy" in rule.reasons[0] for rule in rules)
    own = build_info(kind="report", policy=PolicyInfo("acme", "p.yaml", policy.sha256))
    assert not any(rule.reasons for rule in find_policy_rules(policy, own, own))


def test_without_rules_the_reader_is_told() -> None:
    """Records without a policy compare only what was seen."""
    assert find_report_rules(None, None, (build_info(), build_info())) == ()
    side = build_side(records_of((200, CLEAN)))
    comparison = compare(side, side, (), MARGIN, FACTS, force=False)
    assert any("records hold none" in note for note in comparison.notes)


def test_nothing_that_decides_is_not_comparable() -> None:
    """If only the open figures are there and were primed otherwise, there is nothing to rest a verdict on."""
    base = build_side(records_of((200, CLEAN)))
    new = build_side(records_of((200, CLEAN)), classifier=replace(JUDGE, questions={}))
    comparison = compare(base, new, (), MARGIN, FACTS, force=False)
    assert (comparison.verdict, comparison.message) == ("not_comparable", "not comparable: no figure decides")


@pytest.mark.parametrize(
    ("difference", "said"),
    [(0.0, "0pp"), (0.02, "+2pp"), (-0.999145, "-99.9pp"), (1.0, "+100pp"), (0.0012345, "+0.123pp")],
)
def test_changes_are_told_with_their_sign(difference: float, said: str) -> None:
    """Three figures, in percentage points."""
    assert sign_points(difference) == said


def test_an_empty_ledger_has_nothing() -> None:
    """No record, no pair, no count."""
    ledger = Ledger({})
    assert ledger.total == 0
    assert list(ledger) == []
    assert (RULE, "x") not in ledger.stands()


def test_a_context_that_holds_nothing_is_inconclusive() -> None:
    """A rule about nobody proves nothing, and says so."""
    records = records_of((200, CLEAN))
    figure = find_figure(compare_records(records, records, policy=parse_policy_of(CONTEXT)), "here")
    assert (figure.verdict, figure.difference) == ("inconclusive", None)
    assert "nothing to count in BASE" in figure.message
