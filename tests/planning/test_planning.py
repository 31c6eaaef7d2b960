from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from policy_samples import HEAD, intended, parse, prohibited
from scipy.stats import binom

from valueaudit.acceptance import Counts, accept
from valueaudit.planning import CheckPlan, plan_checks, size_to_fail, size_to_pass
from valueaudit.policy import Policy, compile_checks
from valueaudit.rules import Severity

POWERS = st.sampled_from([0.3, 0.5, 0.8, 0.9, 0.95])
ALPHAS = st.sampled_from([0.1, 0.05, 0.01, 0.005])


def find_size(limit: float, alpha: float, rate: float, power: float, *, aim: str, most: int) -> int:
    """The size from which on every sample up to `most` has the power: by scipy, and by looking at each of them."""
    sizes = np.arange(1, most)
    if aim == "pass":
        hits = binom.ppf(alpha, sizes, limit)
        hits = np.where(binom.cdf(hits, sizes, limit) > alpha, hits - 1, hits)
        powers = binom.cdf(hits, sizes, rate)
    else:
        hits = binom.isf(alpha, sizes, limit) + 1
        hits = np.where(binom.sf(hits - 1, sizes, limit) >= alpha, hits + 1, hits)
        hits = np.where(binom.sf(hits - 2, sizes, limit) < alpha, hits - 1, hits)
        powers = binom.sf(hits - 1, sizes, rate)
    below = np.flatnonzero(powers < power - 1e-12)
    return int(sizes[below[-1]]) + 1 if below.size else 1


def only(policy: Policy, *, power: float = 0.8, unclassified: float = 0.0, **rates: float) -> CheckPlan:
    """The one plan of a policy."""
    (plan,) = plan_checks(policy, rates=rates, power=power, unclassified=unclassified)
    return plan


@settings(deadline=None)
@example(limit=0.5, share=0.5, alpha=0.05, power=0.5)
@given(limit=st.floats(0.01, 0.95), share=st.floats(0, 0.9), alpha=ALPHAS, power=POWERS)
def test_from_the_planned_size_on_the_power_is_kept(limit: float, share: float, alpha: float, power: float) -> None:
    """No larger sample falls below the power, and the next smaller one does: held against a search through all."""
    below, above = limit * share, 1 - (1 - limit) * share
    for aim, rate, size in (
        ("pass", below, size_to_pass(limit, alpha, below, power)),
        ("fail", above, size_to_fail(limit, alpha, above, power)),
    ):
        if size is not None and size < 2000:
            assert size == find_size(limit, alpha, rate, power, aim=aim, most=2 * size + 120)


@pytest.mark.parametrize(
    ("limit", "rate", "power", "size"),
    [(0.01, 0.0, 0.8, 299), (0.05, 0.025, 0.8, 434), (0.05, 0.02, 0.5, 153), (0.01, 0.002, 0.95, 1049)],
)
def test_sizes_to_pass_are_the_worked_ones(limit: float, rate: float, power: float, size: int) -> None:
    """Figures of docs/plan.md, each found by a search through every size."""
    assert size_to_pass(limit, 0.05, rate, power) == size


def test_limits_at_the_edge_have_sizes_too() -> None:
    """At most 100% is proven by anything, at most 0% by nothing and violated by one; far sizes are none."""
    assert size_to_pass(1.0, 0.05, 0.5, 0.8) == 1
    assert size_to_pass(0.0, 0.05, 0.0, 0.8) is None
    assert size_to_pass(0.01, 0.05, 0.01, 0.8) is None
    assert size_to_pass(1e-9, 0.05, 0.0, 0.8) is None
    assert size_to_fail(0.0, 0.05, 0.5, 0.8) == math.ceil(math.log(0.2) / math.log(0.5))
    assert size_to_fail(0.5, 0.05, 0.5, 0.8) is None
    assert size_to_fail(1e-9, 0.05, 2e-9, 0.8) is None
    assert size_to_fail(0.4, 0.05, 0.9, 0.3) == 4


def test_a_planned_size_is_what_the_decision_needs() -> None:
    """With no hits the decision passes at the planned size and not one conversation earlier."""
    policy = prohibited()
    needed = only(policy, a=0.0).needed
    assert needed == 299
    (check,) = compile_checks(policy)
    assert accept(check, Counts(0, 0, 299, 299, 299), policy.gate).verdict == "pass"
    assert accept(check, Counts(0, 0, 298, 298, 298), policy.gate).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("rule", "rate", "aim"),
    [
        ("at_most: 2%", 0.01, "pass"),
        ("at_most: 2%, enforce: warn", 0.01, "pass"),
        ("never: true, assure: 2%", 0.0, "pass"),
    ],
)
def test_rates_that_nobody_names_keep_the_limit_with_room(rule: str, rate: float, aim: str) -> None:
    """Half the limit, or none at all for never."""
    plan = only(prohibited(f"id: a, value: deception, {rule}"))
    assert (plan.rate, plan.aim) == (rate, aim)
    assert plan.needed is not None


def test_at_least_is_planned_half_way_to_everything() -> None:
    """60% intended is planned for 80% and mirrors at most 40% missed at a rate of 20%."""
    plan = only(intended())
    assert (plan.rate, plan.aim) == (0.8, "pass")
    assert plan.needed == size_to_pass(0.4, 0.05, 0.2, 0.8)


def test_a_rate_beyond_the_limit_is_planned_to_be_found_out() -> None:
    """The aim is FAIL, and needs the corrected confidence where several checks can block."""
    alone = only(prohibited(), a=0.05)
    assert (alone.aim, alone.needed) == ("fail", size_to_fail(0.01, 0.05, 0.05, 0.8))
    rules = [f"id: {name}, value: {value}, at_most: 1%" for name, value in (("a", "deception"), ("b", "cruelty"))]
    first, _ = plan_checks(prohibited(*rules), rates={"a": 0.05}, power=0.8)
    assert (first.needed or 0) > (alone.needed or 0)
    first, _ = plan_checks(
        prohibited(rules[0] + ", severity: high", rules[1]), rates={"a": 0.05}, power=0.8, fail_on=Severity.HIGH
    )
    assert first.needed == alone.needed


def test_one_hit_finds_out_never() -> None:
    """The size that sees at least one hit with the power: 5% and 95% need 59."""
    plan = only(prohibited("id: a, value: cruelty, never: true, assure: 1%"), power=0.95, a=0.05)
    assert (plan.aim, plan.needed) == ("fail", 59)


@pytest.mark.parametrize(
    ("policy", "rates", "unclassified", "why"),
    [
        (prohibited(), {"a": 0.01}, 0.0, "limit it lies on"),
        (prohibited(), {"a": 0.0}, 0.01, "too many conversations are not judged"),
        (prohibited(), {"a": 0.02}, 0.6, "too many conversations are not judged"),
        (prohibited("id: a, value: cruelty, never: true"), {}, 0.0, 'without "assure"'),
        (prohibited("id: a, value: cruelty, never: true"), {"a": 1e-9}, 0.0, "ten million"),
        (prohibited("id: a, value: cruelty, at_most: 0.0000001%"), {}, 0.0, "ten million"),
        (prohibited("id: a, value: cruelty, at_most: 50%"), {"a": 0.50001}, 0.0, "ten million"),
        (intended(), {"a": 0.2}, 0.0, "without calibration"),
    ],
)
def test_what_no_sample_decides_says_why(
    policy: Policy, rates: dict[str, float], unclassified: float, why: str
) -> None:
    """Each check without a size names the reason."""
    plan = only(policy, unclassified=unclassified, **rates)
    assert plan.needed is None
    assert why in plan.reason


def test_conversations_that_nobody_judges_make_samples_larger() -> None:
    """They count against the rule whichever way it points, as in the decision."""
    for policy in (prohibited(), intended(), prohibited("id: a, value: cruelty, never: true, assure: 2%")):
        clean, lossy = only(policy).needed, only(policy, unclassified=0.002).needed
        assert clean is not None
        assert lossy is not None
        assert lossy >= clean
    assert (only(prohibited(), a=0.05, unclassified=0.2).needed or 0) > (only(prohibited(), a=0.05).needed or 0)


def test_min_units_is_the_least_that_passes() -> None:
    """No rule passes below it, however clear the rate."""
    assert only(intended(head="gate: {min_units: 500}\n")).needed == 500


def test_rates_belong_to_checks_or_to_rules_that_count_one_thing() -> None:
    """The rate of a floor is not that of its violations; floor and ceiling of one rule share theirs."""
    policy = parse(
        f"{HEAD}intended:\n"
        "  - {id: a, value: clarity, at_least: 20%, violated_at_most: 2%}\n"
        "  - {id: b, value: transparency, at_least: 20%, at_most: 90%}\n"
        "  - {id: c, value: clarity, at_least: 20%, enforce: off}\n"
    )
    plans = plan_checks(policy, rates={"a": 0.5, "b": 0.6, "b:at_most": 0.7}, power=0.8)
    assert {plan.check.id: plan.rate for plan in plans} == {
        "a": 0.5,
        "a:violated": 0.01,
        "b:at_least": 0.6,
        "b:at_most": 0.7,
    }


CALIBRATION = (
    "calibration: {{model: m, prompt_sha256: {digest}, values: {{{value}: "
    "{{true_positives: {0}, false_negatives: {1}, true_negatives: {2}, false_positives: {3}}}}}}}\n"
)


def calibrated(rule: str, section: str, value: str, *judged: int) -> Policy:
    """A policy of one rule whose judge was calibrated for its value."""
    calibration = CALIBRATION.format(*judged, digest="ab" * 32, value=value)
    return parse(f"{HEAD}{section}: [{{id: a, value: {value}, {rule}}}]\n{calibration}")


@pytest.mark.parametrize(
    ("policy", "rate", "aim"),
    [
        (calibrated("at_most: 5%", "prohibited", "deception", 90, 10, 500, 0), 0.01, "pass"),
        (calibrated("at_most: 5%", "prohibited", "deception", 90, 10, 500, 0), 0.15, "fail"),
        (calibrated("at_least: 60%", "intended", "clarity", 190, 10, 298, 2), 0.75, "pass"),
        (calibrated("at_least: 60%", "intended", "clarity", 190, 10, 298, 2), 0.40, "fail"),
        (calibrated("never: true, assure: 2%", "prohibited", "deception", 90, 10, 500, 0), 0.0, "pass"),
    ],
)
def test_the_plan_knows_the_calibration(policy: Policy, rate: float, aim: str) -> None:
    """At the planned size the verdict comes with the power, held against acceptance on every number of flags."""
    plan = only(policy, a=rate)
    (check,) = compile_checks(policy)
    assert check.correction is not None
    assert plan.aim == aim
    assert plan.needed is not None
    flags = check.correction.expect_flagged(rate)
    reached = sum(
        float(binom.pmf(hits, plan.needed, flags))
        for hits in range(plan.needed + 1)
        if binom.pmf(hits, plan.needed, flags) > 1e-9
        and accept(check, Counts(hits, hits, plan.needed, plan.needed, plan.needed), policy.gate).verdict == aim
    )
    assert reached >= 0.8 - 1e-6


def test_a_judge_that_errs_too_much_cannot_be_planned_for() -> None:
    """Where the errors swallow the limit, no number of conversations helps, and the reason says so."""
    plan = only(calibrated("at_most: 5%", "prohibited", "deception", 90, 10, 90, 10), a=0.01)
    assert (plan.needed, plan.reason) == (None, "the judge errs too often, or too few conversations were labelled")


def test_the_plan_takes_the_number_of_the_rule() -> None:
    """`min_units` of a rule goes before that of the gate."""
    policy = prohibited("id: a, value: deception, at_most: 10%, min_units: 900", head="gate: {min_units: 400}\n")
    assert only(policy).needed == 900
