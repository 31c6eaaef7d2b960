from __future__ import annotations

import pytest
from policy_samples import HEAD, parse

from valueaudit.acceptance import Counts
from valueaudit.clustering import Effective
from valueaudit.comparing.differences import bound_difference, estimate_rate
from valueaudit.planning import CheckPlan, plan_checks
from valueaudit.planning.changes import size_to_stay, size_to_worsen
from valueaudit.policy import Policy
from valueaudit.statistics import probability_at_least, probability_at_most

RISE = "prohibited: [{id: lies, value: deception, at_most: 100%, enforce: off}]\n"
FALL = "intended: [{id: lies, value: clarity, at_least: 0%, enforce: off}]\n"


def build_policy(rules: str = RISE, margin: str = "max_increase: 2pp", head: str = "") -> Policy:
    """A policy whose only enforced rule is of a change."""
    return parse(f"{HEAD}{head}{rules}drift: [{{id: same, baseline: v4.jsonl, rules: lies, {margin}}}]\n")


FALLING = build_policy(FALL, "max_decrease: 2pp")


def count(hits: int, total: int, unknown: int = 0, effective: Effective | None = None) -> Counts:
    """What a baseline counted."""
    return Counts(hits, hits + unknown, total, total, total - unknown, 0, effective)


def only(
    policy: Policy, base: Counts | str, *, unclassified: float = 0.0, power: float = 0.8, **rate: float
) -> CheckPlan:
    """The one plan of a policy."""
    (plan,) = plan_checks(policy, rates=rate, power=power, unclassified=unclassified, baselines={"same": base})
    return plan


def find_power(size: int, base: tuple[int, int], margin: float, confidence: float, rate: float, *, aim: str) -> float:
    """The chance of a verdict at one size, by looking at each number of hits."""
    bounds = [bound_difference((hits, size), base, confidence) for hits in range(size + 1)]
    if aim == "pass":
        few = sum(upper <= margin for _, upper in bounds)
        return probability_at_most(few - 1, size, rate) if few else 0.0
    many = sum(lower > margin for lower, _ in bounds)
    return probability_at_least(size + 1 - many, size, rate) if many else 0.0


@pytest.mark.parametrize(
    ("base", "margin", "confidence", "rate", "power", "aim"),
    [
        ((0, 300), 0.05, 0.95, 0.0, 0.8, "pass"),
        ((3, 300), 0.05, 0.95, 0.01, 0.8, "pass"),
        ((30, 100), 0.2, 0.95, 0.3, 0.5, "pass"),
        ((90, 100), 0.15, 0.9, 0.9, 0.95, "pass"),
        ((50, 50), 0.2, 0.95, 1.0, 0.8, "pass"),
        ((30, 30), 0.0, 0.95, 0.5, 0.8, "pass"),
        ((10, 20), 0.9, 0.95, 0.5, 0.8, "pass"),
        ((0, 300), 0.05, 0.95, 0.15, 0.8, "fail"),
        ((30, 100), 0.1, 0.99, 0.7, 0.8, "fail"),
        ((10, 500), 0.02, 0.95, 0.1, 0.5, "fail"),
        ((0, 40), 0.0, 0.95, 0.4, 0.3, "fail"),
    ],
)
def test_from_the_planned_size_on_the_power_is_kept(
    base: tuple[int, int], margin: float, confidence: float, rate: float, power: float, aim: str
) -> None:
    """By the very bounds that decide: no larger sample falls below the power, and the next smaller one does."""
    size = (size_to_stay if aim == "pass" else size_to_worsen)(
        estimate_rate(*base, confidence), margin, confidence, rate, power
    )
    assert size is not None
    powers = {n: find_power(n, base, margin, confidence, rate, aim=aim) for n in range(max(size - 1, 1), size + 60)}
    assert size == 1 or powers.pop(size - 1) < power
    assert min(powers.values()) >= power - 1e-12


@pytest.mark.parametrize(
    ("policy", "base", "rate", "aim", "needed"),
    [
        (build_policy(), count(0, 1000), None, "pass", 149),
        (build_policy(), count(10, 1000), None, "pass", 402),
        (build_policy(), count(10, 1000), 0.06, "fail", 356),
        (FALLING, count(1000, 1000), None, "pass", 149),
        (FALLING, count(990, 1000), None, "pass", 402),
        (FALLING, count(990, 1000), 0.94, "fail", 356),
        (FALLING, count(10, 1000), None, "pass", 1),
    ],
)
def test_a_change_is_planned_for_the_rate_of_its_baseline(
    policy: Policy, base: Counts, rate: float | None, aim: str, needed: int
) -> None:
    """Or for a rate that is named, and then for the verdict it deserves; floors mirror ceilings."""
    plan = only(policy, base, **({} if rate is None else {"same": rate}))
    assert (plan.rate, plan.aim, plan.needed) == (base.low / base.total if rate is None else rate, aim, needed)


@pytest.mark.parametrize(
    ("policy", "base", "rate", "said"),
    [
        (build_policy(), count(10, 200), None, "its own uncertainty is 2.26pp; a baseline of about 1,400 with"),
        (build_policy(), count(10, 200), 0.1, "its own uncertainty is 3.33pp; a baseline of about 870 with"),
        (FALLING, count(190, 200), None, "its own uncertainty is 2.26pp; a baseline of about 1,400 with"),
        (build_policy(margin="max_increase: 0.00001pp"), count(50, 100), None, "no baseline of ten million would do"),
        (build_policy(margin="max_increase: 0pp"), count(50, 100), None, "the margin it lies on"),
        (build_policy(), count(0, 0), None, "no conversation that was judged"),
        (build_policy(), count(0, 100, unknown=100), None, "no conversation that was judged"),
        (build_policy(), count(400, 1000, unknown=50), None, "too many conversations are not judged"),
        (build_policy(), "it was lost", None, "it was lost"),
    ],
)
def test_what_no_sample_decides_says_why(policy: Policy, base: Counts | str, rate: float | None, said: str) -> None:
    """The uncertainty of a baseline is named, and with it a size that would do; or what else stands against it."""
    plan = only(policy, base, **({} if rate is None else {"same": rate}))
    assert plan.needed is None
    assert said in plan.reason


def test_a_baseline_of_the_size_that_would_do_does() -> None:
    """With the same rate and as many conversations now the verdict comes with the power; with a tenth less not."""
    for policy, hits, rate in ((build_policy(), 70, 0.05), (FALLING, 1330, 0.95)):
        needed = only(policy, count(hits, 1400), same=rate).needed
        assert needed is not None
        assert needed <= 1400
    assert (only(build_policy(), count(63, 1260)).needed or 0) > 1260


@pytest.mark.parametrize(("rate", "aim"), [(0.01, "pass"), (0.06, "fail")])
def test_too_many_that_nobody_judges_are_named(rate: float, aim: str) -> None:
    """Where they alone bridge the margin, no baseline would do."""
    plan = only(build_policy(), count(10, 1000), unclassified=0.6, same=rate)
    assert (plan.aim, plan.needed, plan.reason) == (aim, None, "too many conversations are not judged")


def test_unknown_conversations_of_a_baseline_make_samples_larger() -> None:
    """They count against certainty, and say nothing about the rate."""
    plan = only(build_policy(), count(10, 1010, unknown=10))
    assert plan.rate == 0.01
    assert (plan.needed or 0) > (only(build_policy(), count(10, 1000)).needed or 0)


def test_a_size_beyond_ten_million_is_none() -> None:
    """Where the baseline is just large enough, but no sample is."""
    base = count(10, 1000)
    margin = 0.01 - estimate_rate(10, 1000, 0.95).lower + 1e-9
    plan = only(build_policy(margin=f"max_increase: {margin * 100:.12f}pp"), base)
    assert (plan.needed, plan.reason) == (None, "more than ten million conversations")


def test_dependent_conversations_make_a_weaker_baseline() -> None:
    """With a cluster field a baseline has the bounds of what it is worth, as in the verdict."""
    policy = build_policy(head="gate: {cluster: metadata.user}\n")
    plan = only(policy, count(10, 1000, effective=Effective(100.0, 50)))
    assert (plan.needed or 0) > 402


def test_a_change_is_of_the_rate_of_its_rule() -> None:
    """A rate named for the rule that is compared is that of the change; one of the change goes before it."""
    assert only(build_policy(), count(10, 1000), lies=0.005).rate == 0.005
    assert only(build_policy(), count(10, 1000), lies=0.005, same=0.002).rate == 0.002


def test_min_units_is_the_least_that_passes() -> None:
    """Of the new conversations; a violation needs no minimum."""
    policy = build_policy(margin="max_increase: 2pp, min_units: 500")
    assert only(policy, count(0, 1000)).needed == 500
    assert (only(policy, count(0, 1000), same=0.2).needed or 0) < 500
