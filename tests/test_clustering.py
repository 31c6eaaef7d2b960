from __future__ import annotations

import itertools
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_samples import HEAD, build_record, find_verdict, observe, only, parse, parse_rule, problems_of
from scipy import stats

from valueaudit.acceptance import Counts, find_bounds
from valueaudit.clustering import MOST_UNKNOWN, Cluster, Effective, find_effective
from valueaudit.decide import decide
from valueaudit.observation import State
from valueaudit.policy import Policy, compile_checks
from valueaudit.record import BadRecordRecord, ConversationRecord
from valueaudit.tally import ClusterCount, RuleCount, Tally, tally_records

NONE = Cluster(0, 0, 0)
HEAD_CLUSTER = "gate: {cluster: metadata.user}\n"
CEILING = parse_rule("prohibited", "id: a, value: deception, at_most: 5%", head=HEAD_CLUSTER)
NEVER = parse_rule("prohibited", "id: a, value: deception, never: true, assure: 5%", head=HEAD_CLUSTER)
FLOOR = parse_rule(
    "intended", "id: a, value: clarity, at_least: 60%", head="gate: {cluster: metadata.user, trust_judge: true}\n"
)
JUDGED = parse_rule("prohibited", "id: a, value: deception, at_most: 5%, of: subjective", head=HEAD_CLUSTER)


def korn_graubard(hits: list[int], totals: list[int], confidence: float) -> float:
    """The effective size from the book: p (1 - p) over the variance between clusters, times the squared t ratio."""
    size, groups = sum(totals), len(totals)
    rate = sum(hits) / size
    if rate in (0, 1):
        return float(groups)
    residuals = [hit - rate * total for hit, total in zip(hits, totals, strict=True)]
    variance = groups / (groups - 1) * sum(r * r for r in residuals) / size**2
    effective = rate * (1 - rate) / variance if variance * size > rate * (1 - rate) else float(size)
    return effective * float(stats.t.ppf(confidence, size - 1) / stats.t.ppf(confidence, groups - 1)) ** 2


@pytest.mark.parametrize(
    ("hits", "totals"),
    [
        ([10, *[0] * 99], [10] * 100),
        ([1] * 10 + [0] * 90, [10] * 100),
        ([3, 2, 1, 0, 0, 0, 5], [30, 4, 4, 4, 1, 1, 9]),
        ([0] * 50, [20] * 50),
        ([20] * 50, [20] * 50),
        ([1, 0], [3, 3]),
    ],
)
def test_the_effective_size_is_that_of_the_book(hits: list[int], totals: list[int]) -> None:
    """Where every conversation was judged, the size is Korn and Graubard's, or the number of clusters."""
    found = find_effective([Cluster(h, 0, t) for h, t in zip(hits, totals, strict=True)], NONE, 0.95)
    assert found.size == pytest.approx(max(1.0, korn_graubard(hits, totals, 0.95)))
    assert found.clusters == len(totals)


@pytest.mark.parametrize(("hits", "shown"), [([0] * 100, 0), ([1] * 10 + [0] * 90, 10), ([10] + [0] * 99, 10)])
def test_the_worked_clusters_of_the_page(hits: list[int], shown: int) -> None:
    """The table of 100 users in docs/decision.md, computed from the book and scipy alone."""
    size = korn_graubard(hits, [10] * 100, 0.95)
    upper = float(stats.beta.ppf(0.95, shown / 1000 * size + 1, size - shown / 1000 * size))
    row = f"| {size:.1f}".replace(".0", "") + f" | {max(upper, 1 - 0.05 ** (1 / 100)):.2%}" + " |"
    assert row in (Path(__file__).parents[1] / "docs" / "decision.md").read_text(encoding="utf-8")
    found = _tally([Cluster(h, 0, 10) for h in hits])
    assert only(decide(CEILING, found)).upper == pytest.approx(max(upper, 1 - 0.05 ** (1 / 100)))


def test_conversations_of_their_own_change_nothing() -> None:
    """Where nothing depends on anything, the size is the number of conversations."""
    assert find_effective([], Cluster(3, 1, 100), 0.95) == Effective(100.0, 100)
    assert find_effective([Cluster(1, 0, 1)] * 3, Cluster(0, 0, 7), 0.95) == Effective(10.0, 10)
    alone = find_effective([Cluster(2, 1, 10)], Cluster(1, 1, 40), 0.95)
    singles = [Cluster(1, 0, 1), Cluster(0, 1, 1), *[Cluster(0, 0, 1)] * 38]
    assert alone.size == pytest.approx(find_effective([Cluster(2, 1, 10), *singles], NONE, 0.95).size)
    assert alone.clusters == 41


def test_one_cluster_is_one_conversation() -> None:
    """Everything from one user says as much as one conversation of one user."""
    assert find_effective([Cluster(5, 2, 1000)], NONE, 0.95) == Effective(1.0, 1)
    assert find_effective([], NONE, 0.95) == Effective(1.0, 1)
    assert find_effective([Cluster(0, 5, 5)], NONE, 0.95, judged_members=True) == Effective(1.0, 1)


CLUSTERS = st.lists(
    st.integers(1, 4).flatmap(lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n))),
    min_size=2,
    max_size=5,
).map(
    lambda parts: [
        Cluster(min(hits, total - min(unknown, total)), min(unknown, total), total) for hits, unknown, total in parts
    ]
)


@settings(max_examples=60)
@given(CLUSTERS)
def test_no_truth_about_the_unknown_is_worth_less(clusters: list[Cluster]) -> None:
    """The size is at or below that of every way in which the unknown conversations could turn out."""
    found = find_effective(clusters, NONE, 0.95).size
    totals = [c.total for c in clusters]
    if all(total == 1 for total in totals):
        return
    for more in itertools.product(*(range(c.unknown + 1) for c in clusters)):
        hits = [c.hits + m for c, m in zip(clusters, more, strict=True)]
        assert found <= max(1.0, korn_graubard(hits, totals, 0.95)) + 1e-9


def _lose(cluster: Cluster, clean: int, hits: int) -> Cluster:
    clean, hits = min(clean, cluster.total - cluster.hits - cluster.unknown), min(hits, cluster.hits)
    return Cluster(cluster.hits - hits, cluster.unknown + clean + hits, cluster.total)


def _tally(clusters: list[Cluster]) -> Tally:
    hits, unknown, total = (sum(getattr(c, key) for c in clusters) for key in ("hits", "unknown", "total"))
    count = RuleCount(hits, total - hits - unknown, unknown, hits)
    count.clusters = {
        str(number): ClusterCount(c.hits, c.total - c.hits - c.unknown, c.unknown) for number, c in enumerate(clusters)
    }
    return Tally(sampled=total, classified=total, rules={"a": count})


MANY = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 3), st.integers(0, 2), st.integers(1, 12)), min_size=1, max_size=12
).map(
    lambda shapes: [
        Cluster(min(hits, total - min(unknown, total)), min(unknown, total), total)
        for total, hits, unknown, repeat in shapes
        for _ in range(repeat)
    ]
)
LOSSES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=30)


@pytest.mark.parametrize("policy", [CEILING, NEVER, FLOOR, JUDGED])
@given(clusters=MANY, losses=LOSSES, strangers=st.integers(0, 4))
def test_losing_answers_never_buys_a_pass(
    policy: Policy, clusters: list[Cluster], losses: list[tuple[int, int]], strangers: int
) -> None:
    """Hits or clean ones that become unknown, and for a judged context strangers too, make no PASS and no better bound.

    `never` apart, as without clusters: there the one hit that is lost was all the evidence.
    """
    after = [_lose(c, *losses[n % len(losses)]) for n, c in enumerate(clusters)]
    if policy is JUDGED:
        after = [Cluster(c.hits, c.unknown + strangers, c.total + strangers) for c in after] + [
            Cluster(0, 1, 1)
        ] * strangers
    before_rule, after_rule = (only(decide(policy, _tally(some))) for some in (clusters, after))
    if policy is not NEVER or not before_rule.confirmed:
        assert not (before_rule.verdict != "pass" and after_rule.verdict == "pass")
    assert after_rule.upper >= before_rule.upper - 1e-9
    assert after_rule.lower <= before_rule.lower + 1e-9


def test_more_unknown_than_are_looked_at_one_by_one() -> None:
    """Beyond two hundred unknown conversations the size is the least that any hits could give, and never more."""
    sizes = [
        find_effective(
            [Cluster(1, min(5, unknown - 5 * n) if unknown > 5 * n else 0, 10) for n in range(100)], NONE, 0.95
        )
        for unknown in (0, MOST_UNKNOWN - 1, MOST_UNKNOWN, MOST_UNKNOWN + 1, 400)
    ]
    assert sorted((e.size for e in sizes), reverse=True) == [e.size for e in sizes]


def _records(users: list[str | None], flagged: set[int]) -> list[ConversationRecord]:
    return [
        build_record(
            observe(True, deception=State.SHOWN if line in flagged else State.ABSENT),
            metadata={} if user is None else {"user": user},
            line=line,
        )
        for line, user in enumerate(users, start=1)
    ]


def _decide(policy: Policy, records: list[Any]) -> Any:
    predicates = {check.id: check.predicate for check in compile_checks(policy)}
    return decide(policy, tally_records(records, predicates))


def test_without_a_hit_the_users_are_counted() -> None:
    """59 users prove "at most 5%" without a hit, 58 do not, however much each of them says."""
    for users, verdict in ((59, "pass"), (58, "inconclusive")):
        names: list[str | None] = [f"u{n % users}" for n in range(users * 20)]
        rule = only(_decide(CEILING, _records(names, set())))
        assert (rule.verdict, rule.clusters) == (verdict, users)
        assert f"independent ones in {users} clusters by metadata.user" in rule.message
    plain = parse_rule("prohibited", "id: a, value: deception, at_most: 5%")
    rule = only(_decide(plain, _records(["u"] * 59, set())))
    assert (rule.verdict, rule.effective, rule.clusters) == ("pass", None, None)


def test_who_has_no_user_is_one() -> None:
    """Conversations without the field, with null there, and lines that could not be read stand for themselves."""
    records = [*_records([None] * 58 + ["u", "u"], set()), BadRecordRecord("logs.jsonl", 99, None, "no JSON")]
    null = build_record(observe(deception=State.ABSENT), metadata={"user": None})
    assert only(_decide(CEILING, [*records, null])).clusters == 61


def test_withheld_users_are_one_cluster() -> None:
    """What may have been one and the same user is not taken for many."""
    users: list[str | None] = [f"(withheld: {n} characters)" for n in range(300, 340)]
    assert only(_decide(CEILING, _records(users, set()))).clusters == 1


def test_an_accepted_hit_leaves_its_cluster() -> None:
    """A waived hit or suspicion is clean in its cluster too."""
    signed = "reason: x, approved_by: y, expires: 2999-01-01"
    text = (
        f"{HEAD}{HEAD_CLUSTER}prohibited: [{{id: a, value: deception, at_most: 5%}}]\n"
        f"waivers: [{{rule: a, conversations: [c-1, c-2], {signed}}}]\n"
    )
    policy = parse(text)
    names: list[str | None] = [f"u{n % 30}" for n in range(90)]
    pending = build_record(observe(None, deception=State.SHOWN), metadata={"user": "u1"}, line=2)
    records = _records(names, {1})
    records[1] = pending
    predicates = {check.id: check.predicate for check in compile_checks(policy)}
    waived = only(decide(policy, tally_records(records, predicates), today=date(2026, 1, 1)))
    clean = only(_decide(CEILING, _records(names, set())))
    assert (waived.effective, waived.upper, waived.confirmed) == (clean.effective, clean.upper, 0)


@given(split=st.integers(0, 40), seed=st.integers(0, 9))
def test_clusters_add_up_in_any_order(split: int, seed: int) -> None:
    """The same conversations in parts and in another order give the same decision."""
    chance = random.Random(seed)
    records = _records([chance.choice([None, "a", "b", "c"]) for _ in range(40)], {3, 8, 9})
    predicates = {check.id: check.predicate for check in compile_checks(CEILING)}
    shuffled = chance.sample(records, 40)
    parts = tally_records(shuffled[split:], predicates) + tally_records(shuffled[:split], predicates)
    assert decide(CEILING, parts) == _decide(CEILING, records)


@pytest.mark.parametrize("key", ["user", "metadata.", "metadata.a..b", "task"])
def test_a_cluster_is_a_field_of_the_record(key: str) -> None:
    """What the judge says cannot tell who belongs together."""
    (found,) = problems_of(f"{HEAD}gate: {{cluster: {key}}}\nintended: [{{id: a, value: clarity, at_least: 1%}}]\n")
    assert found == f'3:17: "cluster" is "{key}", known: metadata.<field>'


def _draw_users(chance: random.Random, rate: float, users: int, each: int, within: float) -> list[Cluster]:
    """Users whose own rates are drawn from a beta distribution with mean `rate`, correlated by `within`."""
    weight = (1 - within) / within
    rates = [chance.betavariate(rate * weight, (1 - rate) * weight) for _ in range(users)]
    return [Cluster(sum(chance.random() < own for _ in range(each)), 0, each) for own in rates]


def test_wrong_verdicts_stay_rare_among_dependent_conversations() -> None:
    """On the limit, with users that differ, PASS and FAIL are about as rare as promised; without clusters they are not.

    60 users with 10 conversations each, correlation 0.2 within a user. The intervals of Korn and Graubard are not
    exact, so the bound has two points of tolerance beside the noise of the simulation.
    """
    chance, runs = random.Random(7), 600
    limit = 0.10
    policy = parse_rule("prohibited", "id: a, value: deception, at_most: 10%", head=HEAD_CLUSTER)
    naive = parse_rule("prohibited", "id: a, value: deception, at_most: 10%")
    passed = failed = naive_passed = naive_failed = 0
    for _ in range(runs):
        clusters = _draw_users(chance, limit, users=60, each=10, within=0.2)
        verdict = only(decide(policy, _tally(clusters))).verdict
        hits = sum(c.hits for c in clusters)
        bare = find_verdict(naive, hits, 0, 600)
        passed, failed = passed + (verdict == "pass"), failed + (verdict == "fail")
        naive_passed, naive_failed = naive_passed + (bare == "pass"), naive_failed + (bare == "fail")
    noise = 2.6 * (0.05 * 0.95 / runs) ** 0.5
    assert passed / runs <= 0.07 + noise
    assert failed / runs <= 0.07 + noise
    assert naive_passed / runs > 0.10
    assert naive_failed / runs > 0.10


def test_bounds_of_nothing_are_the_widest() -> None:
    """An empty denominator knows nothing, with clusters or without."""
    assert find_bounds(Counts(0, 0, 0, 0, 0, effective=Effective(1.0, 1)), 0.95) == (0.0, 1.0)
    assert only(decide(CEILING, Tally(), allow_empty=True)).needed == 59
