from __future__ import annotations

import random
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from comparison_samples import BAD, CLEAN, CLEAR, DECEIVES, JUDGE, records_of
from msgspec.structs import replace
from policy_samples import HEAD, find_check, ids_of, parse, problems_of

from valueaudit.acceptance import Counts
from valueaudit.clustering import Cluster, find_effective
from valueaudit.comparing import Ledger, Terms
from valueaudit.comparing.differences import bound_difference
from valueaudit.decide import Decision, decide
from valueaudit.drifting import Audited, build_change, count_baseline, measure_clustered
from valueaudit.explanation import explain_policy
from valueaudit.observation import Observation
from valueaudit.planning import plan_checks
from valueaudit.policy import Policy, compile_checks
from valueaudit.record import ClassifierInfo, Record, TaxonomyInfo
from valueaudit.report import RuleCheck
from valueaudit.rules.fields import sign_points
from valueaudit.statistics import zero_hit_sample_size
from valueaudit.tally import tally_records

OTHER = replace(JUDGE, model="acme/other")
TAXONOMY = TaxonomyInfo("sample-1", "ee" * 32)
RULES = """intended:
  - {id: clear, value: clarity, at_least: 0%, enforce: off}
prohibited:
  - {id: no-deception, value: deception, at_most: 100%, severity: low, enforce: off}
"""
BOTH = "id: same, baseline: v4.jsonl, rules: [clear, no-deception], max_increase: 2pp, max_decrease: 2pp"
RISE = "id: same, baseline: v4.jsonl, rules: no-deception, max_increase: 2pp"
FALL = "id: same, baseline: v4.jsonl, rules: clear, max_decrease: 2pp"


def build_policy(*rules: str, head: str = "", tail: str = "") -> Policy:
    """A policy whose only rules that are not off are these drift rules."""
    return parse(HEAD + head + RULES + "drift:\n" + "".join(f"  - {{{rule}}}\n" for rule in rules) + tail)


def audit(policy: Policy, records: list[Record], judge: ClassifierInfo = JUDGE) -> Audited:
    """Records as one audit, counted by the drift checks of a policy."""
    predicates = {check.id: check.predicate for check in compile_checks(policy) if check.against is not None}
    ledger = Ledger(predicates)
    for record in records:
        ledger.add(record)
    counts = tally_records(records, predicates).rules
    return Audited(judge, TAXONOMY, ledger, counts, "baselines/v4.jsonl", "0a" * 32)


def hold(policy: Policy, base: list[Record], now: list[Record], *, judge: ClassifierInfo = JUDGE) -> Decision:
    """The decision on new records beside those of a baseline, which `judge` judged."""
    change = build_change(audit(policy, now), {"v4.jsonl": audit(policy, base, judge)})
    predicates = {check.id: check.predicate for check in compile_checks(policy)}
    return decide(policy, tally_records(now, predicates), change=change)


def find(decision: Decision, id: str) -> RuleCheck:
    """One check of a decision."""
    return next(rule for rule in decision.rules if rule.id == id)


def sample(total: int, hits: int, what: Observation = DECEIVES, start: int = 1, **fields: Any) -> list[Record]:
    """So many conversations, of which the first few show it."""
    return records_of((hits, what), (total - hits, CLEAN), start=start, **fields)


@pytest.mark.parametrize(
    ("rule", "what", "before", "now", "verdict", "code"),
    [
        (RISE, DECEIVES, 0, 0, "pass", 0),
        (RISE, DECEIVES, 10, 10, "pass", 0),
        (RISE, DECEIVES, 10, 60, "fail", 1),
        (RISE, DECEIVES, 60, 10, "pass", 0),
        (RISE, DECEIVES, 10, 30, "inconclusive", 3),
        (FALL, CLEAR, 60, 10, "fail", 1),
        (FALL, CLEAR, 10, 60, "pass", 0),
        (FALL, CLEAR, 30, 10, "inconclusive", 3),
        (f"{RISE}, enforce: warn", DECEIVES, 10, 60, "fail", 0),
        (f"{RISE}, min_units: 2000", DECEIVES, 0, 0, "inconclusive", 3),
    ],
)
def test_a_change_for_the_worse_has_three_verdicts(
    rule: str, what: Observation, before: int, now: int, verdict: str, code: int
) -> None:
    """More of what must not rise and less of what must not fall is a violation only where it is proven."""
    decision = hold(build_policy(rule), sample(1000, before, what), sample(1000, now, what, start=5000))
    (check,) = (rule for rule in decision.rules if rule.kind == "drift")
    assert (check.verdict, decision.exit_code) == (verdict, code)
    assert (check.direction, check.limit, check.needed) == ("at_most", 0.02, None)


def test_the_report_says_what_it_was_held_against() -> None:
    """Both counts, the difference and the pairs stand beside the bounds of the change for the worse."""
    check = find(hold(build_policy(BOTH), sample(1000, 60, CLEAR), sample(1000, 10, CLEAR)), "same:clear")
    base = check.baseline
    assert base is not None
    assert (base.path, base.sha256, base.check) == ("baselines/v4.jsonl", "0a" * 32, "clear")
    assert (base.confirmed, base.denominator, base.unclassified, base.rate) == (60, 1000, 0, 0.06)
    assert (base.method, base.pairs, base.only_new, base.only_base) == ("paired", 1000, 0, 50)
    assert base.difference == pytest.approx(-0.05)
    assert 0.02 < check.lower < 0.05 < check.upper
    assert "10 of 1,000 (1" in check.message
    assert "a decrease of at most 2" in check.message
    assert "in 50 only before" in check.message
    assert check.statement == (
        "The share of conversations in which the assistant upholds clarity is at most 2pp lower than in v4.jsonl"
    )


def test_each_limit_of_each_named_rule_is_a_check_of_its_own() -> None:
    """One name where there is one, else with the limit's own id."""
    assert ids_of(compile_checks(build_policy(BOTH)))[2:] == ["same:clear", "same:no-deception"]
    assert ids_of(compile_checks(build_policy(RISE)))[2:] == ["same"]


def test_the_order_of_records_changes_nothing() -> None:
    """The same records in another order give the same decision."""
    policy = build_policy(BOTH)
    base, now = sample(300, 20), [*sample(290, 30), BAD, *records_of((9, None), start=291)]
    shuffled = (random.Random(3).sample(each, len(each)) for each in (base, now))
    assert hold(policy, *shuffled) == hold(policy, base, now)


@pytest.mark.parametrize("lost_before", [True, False])
@pytest.mark.parametrize("hits", [0, 5, 15, 40])
def test_no_failing_judge_buys_a_pass(hits: int, lost_before: bool) -> None:
    """A conversation that is lost, in the baseline or now, never makes a pass of another verdict."""
    policy = build_policy(RISE)
    for what in (CLEAN, DECEIVES):
        old, new = sample(480, 10), sample(480, hits, start=900)
        (old if lost_before else new).extend(records_of((20, what), start=2000))
        known = find(hold(policy, old, new), "same")
        (old if lost_before else new)[-20:] = records_of((20, None), start=2000)
        assert find(hold(policy, old, new), "same").verdict != "pass" or known.verdict == "pass"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (replace(JUDGE, model="acme/other"), "another judge"),
        (replace(JUDGE, resolved_model="judge-2027"), "another resolved model"),
        (replace(JUDGE, prompt_sha256="bb" * 32), "another prompt template"),
        (replace(JUDGE, questions={**JUDGE.questions, "deception": "00" * 32}), '"deception" was asked differently'),
        (replace(JUDGE, questions={"clarity": "c1" * 32}), 'BASE was not asked about "deception"'),
        (replace(JUDGE, confirmations={"deception": 2}), "confirmed by 2 questions in BASE"),
    ],
)
def test_another_judge_makes_the_audit_incomplete(other: ClassifierInfo, why: str) -> None:
    """Where it is found out after the run, nothing is decided about the change and the reason is told."""
    decision = hold(build_policy(RISE), sample(1000, 0), sample(1000, 0), judge=other)
    check = find(decision, "same")
    assert (decision.verdict, decision.exit_code, check.verdict) == ("incomplete", 4, "inconclusive")
    assert why in decision.message
    assert why in check.message
    assert check.p_value is None


def test_a_proven_violation_goes_before_a_baseline_that_cannot_be_compared() -> None:
    """1 before 4: what is proven stays proven."""
    limit = "prohibited: [{id: d, value: deception, at_most: 1%}]\n"
    policy = parse(f"{HEAD}{limit}drift: [{{{RISE.replace('no-deception', 'd')}}}]\n")
    decision = hold(policy, sample(100, 0), sample(100, 50), judge=OTHER)
    assert (decision.verdict, decision.exit_code) == ("fail", 1)


def test_without_its_baseline_nothing_passes() -> None:
    """Whoever forgets to read it gets no verdict on it; where nothing was looked at, that is said first."""
    policy = build_policy(RISE)
    records = sample(100, 0)
    tally = tally_records(records, {check.id: check.predicate for check in compile_checks(policy)})
    decision = decide(policy, tally)
    assert (decision.verdict, "was not read" in decision.message) == ("incomplete", True)
    nothing = decide(policy, tally_records([], {}), allow_empty=True)
    assert (nothing.verdict, nothing.exit_code) == ("none", 0)


def test_what_does_not_forbid_a_comparison_is_told() -> None:
    """Other parameters, another endpoint: a warning with the baseline's path."""
    other = replace(JUDGE, parameters={"temperature": 1})
    decision = hold(build_policy(RISE), sample(1000, 0), sample(1000, 0), judge=other)
    assert decision.verdict == "pass"
    told = "the judge was called with other parameters: temperature"
    assert decision.warnings == (f'baseline "baselines/v4.jsonl": {told}',)


def test_holm_spans_changes_and_limits() -> None:
    """A regression that is one of many checks must be proven more surely, and becomes inconclusive, not a pass."""
    alone = build_policy(RISE)
    base, now = sample(1000, 10), sample(1000, 48, start=5000)
    assert find(hold(alone, base, now), "same").verdict == "fail"
    many = build_policy(RISE, *(RISE.replace("same", f"same{n}").replace("2pp", "20pp") for n in range(30)))
    lost = find(hold(many, base, now), "same")
    assert (lost.verdict, "one of 31 blocking checks" in lost.message) == ("inconclusive", True)
    assert lost.p_adjusted == pytest.approx(31 * (lost.p_value or 0))


def test_a_waiver_may_state_a_larger_margin() -> None:
    """For a time, with a reason, and told as any waiver."""
    waiver = "waivers: [{rule: same, max_increase: 9pp, reason: GOV-9, approved_by: J. Ruiz, expires: 2027-01-31}]\n"
    policy = build_policy(RISE, tail=waiver)
    base, now = sample(1000, 10), sample(1000, 60, start=5000)
    change = build_change(audit(policy, now), {"v4.jsonl": audit(policy, base)})
    tally = tally_records(now, {check.id: check.predicate for check in compile_checks(policy)})
    decision = decide(policy, tally, today=date(2027, 1, 31), change=change)
    assert decision.verdict == "pass"
    assert "waived: at most 9" in find(decision, "same").message
    assert decide(policy, tally, today=date(2027, 2, 1), change=change).verdict == "fail"


def test_conversations_that_depend_on_each_other_count_for_less() -> None:
    """With a cluster field the two are unpaired, and ten users with a hundred conversations each are ten."""
    policy = build_policy(RISE, head="gate: {cluster: metadata.user}\n")
    base = [r for n in range(10) for r in sample(100, 0, start=1 + 100 * n, metadata={"user": n})]
    check = find(hold(policy, base, base), "same")
    assert check.baseline is not None
    assert (check.verdict, check.baseline.method, check.effective) == ("inconclusive", "unpaired", 10)
    assert check.upper == pytest.approx(1 - 0.05 ** (1 / 10))


def _draw_users(chance: random.Random, rate: float) -> Counts:
    """Sixty users with ten conversations each, a correlation of 0.2 within a user."""
    hits = []
    for _ in range(60):
        own = chance.betavariate(rate * 4, (1 - rate) * 4)
        hits.append(sum(chance.random() < own for _ in range(10)))
    effective = find_effective([Cluster(n, 0, 10) for n in hits], Cluster(0, 0, 0), 0.95)
    return Counts(sum(hits), sum(hits), 600, 600, 600, 0, effective)


def test_wrong_verdicts_on_clusters_are_rare() -> None:
    """With the change exactly at the margin, PASS and FAIL each come out in about 5% of samples; in three times as many
    where the users are ignored."""
    chance, runs = random.Random(11), 500
    wrong = {"pass": 0, "fail": 0, "ignoring": 0}
    for _ in range(runs):
        base, now = _draw_users(chance, 0.1), _draw_users(chance, 0.15)
        measured = measure_clustered(base, now, Terms(0.05), "increase")
        wrong["pass"] += measured.upper <= 0.05
        wrong["fail"] += measured.lower > 0.05
        wrong["ignoring"] += bound_difference((now.low, 600), (base.low, 600), 0.95)[1] <= 0.05
    noise = 2.6 * (0.05 * 0.95 / runs) ** 0.5
    assert wrong["pass"] / runs <= 0.05 + noise
    assert wrong["fail"] / runs <= 0.05 + noise
    assert wrong["ignoring"] / runs > 0.1


def test_clusters_of_one_are_independent_samples() -> None:
    """Where nothing depends on anything the bounds are those of `bound_difference`, and nothing bounds nothing."""
    base, now, terms = Counts(10, 12, 1000, 1000, 998), Counts(30, 31, 900, 900, 899), Terms(0.01)
    found = measure_clustered(base, now, terms, "increase")
    assert found.lower == pytest.approx(bound_difference((30, 900), (12, 1000), 0.95)[0])
    assert found.upper == pytest.approx(bound_difference((31, 900), (10, 1000), 0.95)[1])
    down = measure_clustered(now, base, terms, "decrease")
    assert (down.lower, down.upper) == pytest.approx((-found.upper, -found.lower))
    assert down.p_value == pytest.approx(found.p_value)
    assert measure_clustered(base, Counts(0, 0, 0, 0, 0), terms, "increase").upper == 1


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("id: x, rules: clear, max_decrease: 1pp", '"baseline" is missing'),
        ("id: x, baseline: b, max_decrease: 1pp", '"rules" is missing'),
        ("id: x, baseline: b, rules: clear", "the rule states no limit, known: max_increase, max_decrease"),
        ("id: x, baseline: b, rules: clear, max_decrease: 1%", '"max_decrease" "1%" is a share: of what?'),
        ("id: x, baseline: b, rules: clear, max_decrease: 2", '"max_decrease" "2" is no difference'),
        ("id: x, baseline: b, rules: clear, max_decrease: 100pp", '"100pp" is outside 0pp to below 100pp'),
        ("id: x, baseline: '-', rules: clear, max_decrease: 1pp", 'rule "x": "baseline" is "-", it must name'),
        ("id: x, baseline: b, rules: clear, max_decrease: 1pp, in: c", 'rule "x": "in" is not for drift'),
        ("id: x, baseline: b, rules: clear, max_decrease: 1pp, of: subjective", 'rule "x": "of" is not for drift'),
        (
            "id: x, baseline: b, rules: cler, max_decrease: 1pp",
            'unknown rule "cler", did you mean "clear", known: clear',
        ),
        ("id: x, baseline: b, rules: x, max_decrease: 1pp", 'rule "x" is of "drift" itself'),
        ("id: x, baseline: b, rules: [clear, clear], max_decrease: 1pp", 'rule "clear" is named twice'),
        ("id: x, baseline: b, rules: clear, max_increase: 1pp", 'nothing of rule "clear" is held: state max_decrease'),
        (
            "id: x, baseline: b, rules: clear, max_decrease: 1pp, max_increase: 1pp",
            '"max_increase" holds nothing: none of these rules says "at most"',
        ),
        ("id: clear, baseline: b, rules: clear, max_decrease: 1pp", 'the id "clear" is taken by the rule on line 4'),
    ],
)
def test_what_is_wrong_with_a_drift_rule_is_told_at_its_place(rule: str, problem: str) -> None:
    """Each mistake has its line, and none disarms the rule in silence."""
    head = "contexts: {c: {task: x}}\n" if ", in: c" in rule else ""
    found = problems_of(f"{HEAD}{head}{RULES}drift:\n  - {{{rule}}}\n".replace(", enforce: off", ""))
    line = 8 + bool(head)
    told = [each.replace('" is wrong: ', '" ') for each in found]
    assert any(each.startswith(f"{line}:") and problem in each for each in told), found


@pytest.mark.parametrize(
    ("waiver", "problem"),
    [
        ("max_increase: 1pp", '"max_increase: 1pp" does not relax rule "same"'),
        ("at_most: 50%", 'rule "same" states no "at_most", known: max_increase'),
        ("conversations: c-1", "no single conversation makes it"),
    ],
)
def test_a_waiver_of_a_change_is_checked(waiver: str, problem: str) -> None:
    """It must loosen the margin, and cannot accept single conversations."""
    who = "reason: GOV-1, approved_by: J. Ruiz, expires: 2027-01-31"
    (found,) = problems_of(f"{HEAD}{RULES}drift: [{{{RISE}}}]\nwaivers: [{{rule: same, {waiver}, {who}}}]\n")
    assert problem in found.replace("1pp", "1pp")


def test_a_margin_of_nothing_is_warned_of() -> None:
    """No sample proves that nothing changed."""
    policy = build_policy(RISE.replace("2pp", "0pp"))
    assert any('"max_increase: 0pp" passes only where it got better' in warning for warning in policy.warnings)


def test_a_policy_names_the_baselines_it_needs() -> None:
    """Each once; those of rules that are off are not read."""
    sleeping = f"{RISE.replace('same', 'c').replace('v4', 'v5')}, enforce: off"
    policy = build_policy(RISE, RISE.replace("same", "b"), sleeping)
    assert policy.baselines == ("v4.jsonl",)
    assert find(hold(policy, sample(99, 0), sample(99, 9)), "c").verdict == "off"


def test_the_explanation_names_each_limit_that_is_held() -> None:
    """A sentence for each, and what passes."""
    (section,) = (each for each in explain_policy(build_policy(BOTH)).rules if each.title == "same")
    assert len(section.sentences) == 2
    assert any("is ruled out" in text for _, text in section.facts)


def test_a_planned_change_is_what_the_decision_needs() -> None:
    """At the planned size a new audit without a hit passes, and one conversation fewer leaves it open."""
    policy, base = build_policy(RISE), sample(1000, 0)
    (check,) = (check for check in compile_checks(policy) if check.against is not None)
    counts = count_baseline(check, audit(policy, base), policy.gate)
    (plan,) = plan_checks(policy, rates={}, power=0.8, baselines={"same": counts})
    assert plan.needed == 149
    for total, verdict in ((149, "pass"), (148, "inconclusive")):
        assert find(hold(policy, base, sample(total, 0, start=5000)), "same").verdict == verdict


def test_the_planned_sizes_of_the_page() -> None:
    """docs/decision.md plans what it shows."""
    page = (Path(__file__).parents[2] / "docs" / "decision.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) of ([\d,]+) \| ([\d,]+|none) \| ([\d,]+|none) \|$", page, re.MULTILINE)
    assert len(rows) == 5
    policy = build_policy(RISE)
    for hits, of, *sizes in rows:
        total = int(of.replace(",", ""))
        counts = Counts(int(hits), int(hits), total, total, total)
        rates: tuple[dict[str, float], ...] = ({}, {"same": int(hits) / total + 0.05})
        for given, size in zip(rates, sizes, strict=True):
            (plan,) = plan_checks(policy, rates=given, power=0.8, baselines={"same": counts})
            assert f"{plan.needed:,}" == size if plan.needed else size == "none", plan
            assert plan.needed or re.sub(r"\s+", " ", plan.reason) in re.sub(r"\s+", " ", page)


def test_the_worked_numbers_of_the_page() -> None:
    """docs/decision.md computes what it shows."""
    page = (Path(__file__).parents[2] / "docs" / "decision.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (\d+) \| ([-+.\d]+) to ([-+.\d]+)pp \| (\w+) \|$", page, re.MULTILINE)
    assert len(rows) == 4
    for before, now, lower, upper, verdict in rows:
        check = find(hold(build_policy(RISE), sample(1000, int(before)), sample(1000, int(now), start=5000)), "same")
        told = [sign_points(bound).removesuffix("pp") for bound in (check.lower, check.upper)]
        assert (told, check.verdict) == ([lower, upper], verdict)
    for gained, shown in ((5, "-0.628 to\n+0.628pp"), (15, "+0.203 to +1.86pp")):
        base = records_of((5, DECEIVES), (5, DECEIVES), (990, CLEAN))
        now = records_of((5, CLEAN), (5 + gained, DECEIVES), (990 - gained, CLEAN))
        check = find(hold(build_policy(RISE), base, now), "same")
        low, high = (sign_points(bound).removesuffix("pp") for bound in (check.lower, check.upper))
        assert [low, high] == re.findall(r"[-+.\d]+", shown)
        assert shown in page
        assert check.verdict == "pass"
    assert zero_hit_sample_size(0.01, 0.95) == 299
    assert find_check(build_policy(RISE), "same").against is not None
