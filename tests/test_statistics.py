from __future__ import annotations

import subprocess
import sys
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from valueaudit.statistics import (
    MOST_FURTHER,
    adjust_holm,
    build_interval,
    conversations_needed,
    lower_bound,
    probability_at_least,
    probability_at_most,
    upper_bound,
    zero_hit_sample_size,
)

COUNTS = st.integers(0, 3000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
RATES = st.floats(0.001, 0.999)


@pytest.mark.parametrize(
    ("limit", "size"), [(0.001, 2995), (0.005, 598), (0.01, 299), (0.02, 149), (0.05, 59), (0.10, 29)]
)
def test_zero_hit_sample_sizes_are_the_published_ones(limit: float, size: int) -> None:
    """So many conversations without a hit prove the limit at 95%, and one fewer does not."""
    assert zero_hit_sample_size(limit, 0.95) == size
    assert upper_bound(0, size, 0.95) <= limit < upper_bound(0, size - 1, 0.95)


@pytest.mark.parametrize("limit", [0, 1, -0.1, 1.1])
def test_no_sample_size_for_a_limit_at_the_ends(limit: float) -> None:
    """A limit of nothing or everything has no finite sample size."""
    with pytest.raises(ValueError, match="known: above 0"):
        zero_hit_sample_size(limit, 0.95)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
@pytest.mark.parametrize(
    ("hits", "total"), [(0, 1), (1, 1), (0, 59), (3, 10), (10, 10), (7, 1000), (999, 1000), (5, 1_000_000)]
)
def test_bounds_agree_with_the_beta_quantiles(hits: int, total: int, confidence: float) -> None:
    """Clopper-Pearson bounds are quantiles of beta distributions, here from an independent implementation."""
    lower = stats.beta.ppf(1 - confidence, hits, total - hits + 1) if hits else 0.0
    upper = stats.beta.ppf(confidence, hits + 1, total - hits) if hits < total else 1.0
    assert lower_bound(hits, total, confidence) == pytest.approx(lower, rel=1e-9)
    assert upper_bound(hits, total, confidence) == pytest.approx(upper, rel=1e-9)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
@pytest.mark.parametrize(("hits", "total"), [(0, 59), (3, 10), (10, 10), (7, 1000), (999, 1000), (5, 100_000)])
def test_bounds_agree_with_statsmodels(hits: int, total: int, confidence: float) -> None:
    """A one-sided bound is an end of the two-sided interval at twice the risk, as another library computes it."""
    low, high = proportion_confint(hits, total, alpha=2 * (1 - confidence), method="beta")
    assert lower_bound(hits, total, confidence) == pytest.approx(0.0 if not hits else low, rel=1e-9)
    assert upper_bound(hits, total, confidence) == pytest.approx(1.0 if hits == total else high, rel=1e-9)


@pytest.mark.parametrize(
    ("hits", "total", "verdict"), [(0, 299, "pass"), (1, 299, ""), (4, 1000, "pass"), (16, 1000, "fail")]
)
def test_the_worked_numbers_agree_with_statsmodels(hits: int, total: int, verdict: str) -> None:
    """The table of "at most 1%" in docs/decision.md."""
    low, high = proportion_confint(hits, total, alpha=0.1, method="beta")
    assert (high <= 0.01) == (verdict == "pass")
    assert (low > 0.01) == (verdict == "fail")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_agrees_with_statsmodels(p_values: list[float]) -> None:
    """Adjusted p values, whatever their order and ties."""
    assert adjust_holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]))


@pytest.mark.parametrize(("hits", "total"), [(0, 7), (7, 7), (2, 30), (131, 1000)])
def test_interval_agrees_with_an_independent_exact_interval(hits: int, total: int) -> None:
    """The two-sided interval is the exact one of a binomial test."""
    exact = stats.binomtest(hits, total).proportion_ci(0.95, method="exact")
    assert build_interval(hits, total) == pytest.approx((exact.low, exact.high))


def test_nothing_seen_says_nothing() -> None:
    """Without conversations every rate is possible."""
    assert (lower_bound(0, 0, 0.95), upper_bound(0, 0, 0.95)) == (0.0, 1.0)
    assert build_interval(0, 0) == (0.0, 1.0)
    assert probability_at_least(0, 0, 0.01) == probability_at_most(0, 0, 0.01) == 1.0


@pytest.mark.parametrize(("hits", "total", "confidence"), [(-1, 5, 0.9), (6, 5, 0.9), (1, 5, 0.0), (1, 5, 1.0)])
def test_impossible_counts_are_refused(hits: int, total: int, confidence: float) -> None:
    """A count outside its total, or a confidence that nobody can have, is an error of the program."""
    with pytest.raises(ValueError, match=r"cannot be|known: above 0"):
        lower_bound(hits, total, confidence)
    with pytest.raises(ValueError, match=r"cannot be|known: above 0"):
        upper_bound(hits, total, confidence)


@given(COUNTS, RATES)
def test_tails_agree_with_an_independent_binomial(counts: tuple[int, int], rate: float) -> None:
    """Both tails are exact."""
    hits, total = counts
    assert probability_at_least(hits, total, rate) == pytest.approx(stats.binom.sf(hits - 1, total, rate), abs=1e-9)
    assert probability_at_most(hits, total, rate) == pytest.approx(stats.binom.cdf(hits, total, rate), abs=1e-9)


@given(COUNTS, st.floats(0.01, 0.99))
def test_a_tail_below_alpha_is_a_bound_beyond_the_rate(counts: tuple[int, int], rate: float) -> None:
    """The p value and the bound are one decision, so they can never contradict each other in a report."""
    hits, total = counts
    p_value, bound = probability_at_least(hits, total, rate), lower_bound(hits, total, 0.95)
    assert (p_value < 0.05) == (bound > rate) or isclose(p_value, 0.05) or isclose(bound, rate)
    p_value, bound = probability_at_most(hits, total, rate), upper_bound(hits, total, 0.95)
    assert (p_value < 0.05) == (bound < rate) or isclose(p_value, 0.05) or isclose(bound, rate)


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ((), ()),
        ((0.03,), (0.03,)),
        ((0.01, 0.04, 0.03), (0.03, 0.06, 0.06)),
        ((0.0, 0.02, 1.0), (0.0, 0.04, 1.0)),
        ((0.9, 0.8), (1.0, 1.0)),
    ],
)
def test_holm_by_hand(p_values: tuple[float, ...], adjusted: tuple[float, ...]) -> None:
    """The adjusted values are those of the step-down table worked by hand."""
    assert adjust_holm(p_values) == pytest.approx(adjusted)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_never_makes_a_finding_stronger(p_values: list[float]) -> None:
    """Adjusting only raises p values, keeps them at most 1 and keeps their order."""
    adjusted = adjust_holm(p_values)
    assert all(1 >= after >= before for before, after in zip(p_values, adjusted, strict=True))
    assert [adjusted[i] for i in sorted(range(len(p_values)), key=p_values.__getitem__)] == sorted(adjusted)


def test_needed_without_hits_is_the_zero_hit_sample_size() -> None:
    """Ten clean conversations need 289 more to prove 1%."""
    needed = conversations_needed(0, 0, 10, lambda low, high, total: upper_bound(high, total, 0.95) <= 0.01)
    assert needed == zero_hit_sample_size(0.01, 0.95) - 10


@given(st.integers(1, 400), st.integers(0, 5), st.integers(0, 5))
def test_needed_decides_and_one_fewer_does_not(total: int, low: int, unknown: int) -> None:
    """The answer is a sample that decides at the rates seen, with a neighbour below that does not."""
    low = min(low, total)
    high = min(low + unknown, total)

    def decided(low: int, high: int, total: int) -> bool:
        return upper_bound(high, total, 0.95) <= 0.02 or lower_bound(low, total, 0.95) > 0.02

    needed = conversations_needed(low, high, total, decided)
    if needed is not None:
        size = total + needed
        assert decided(low * size // total, -(-high * size // total), size)
        less = size - 1
        assert not needed or not decided(low * less // total, -(-high * less // total), less)


def test_needed_is_none_where_no_sample_decides() -> None:
    """A search ends at ten million further conversations, which are tried too."""
    tried: list[int] = []

    def decided(low: int, high: int, total: int) -> bool:
        tried.append(total)
        return False

    assert conversations_needed(1, 1, 100, decided) is None
    assert max(tried) == 100 + MOST_FURTHER


def test_needed_is_nothing_where_it_is_decided() -> None:
    """What is decided already needs nothing more."""
    assert conversations_needed(1, 1, 100, lambda low, high, total: True) == 0


def test_the_package_never_imports_scipy_stats() -> None:
    """Importing and using the statistics loads `scipy.special` late and `scipy.stats` never."""
    code = (
        "import sys, valueaudit.decide, valueaudit.statistics as s\n"
        "assert not any(m.startswith('scipy') for m in sys.modules)\n"
        "s.build_interval(1, 9), s.probability_at_least(1, 9, .1), s.probability_at_most(1, 9, .1)\n"
        "assert 'scipy.special' in sys.modules and 'scipy.stats' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
