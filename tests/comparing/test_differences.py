from __future__ import annotations

import random
from itertools import product
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from valueaudit.comparing.differences import (
    SMALLEST_P,
    Estimate,
    bound_difference,
    bound_paired_difference,
    find_p_value,
    mcnemar_p_value,
    square_and_add,
)
from valueaudit.rules.fields import build_points, parse_margin
from valueaudit.statistics import upper_bound

SMALL = 12


def wilson(hits: int, total: int) -> Estimate:
    """The score interval that Newcombe's own method 10 starts from, by scipy."""
    interval = stats.binomtest(hits, total).proportion_ci(0.95, method="wilson")
    return Estimate(hits / total, interval.low, interval.high)


@pytest.mark.parametrize(
    ("new", "base", "published"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0000)),
        ((10, 10), (0, 10), (0.6075, 1.0000)),
    ],
)
def test_square_and_add_gives_the_published_intervals(
    new: tuple[int, int], base: tuple[int, int], published: tuple[float, float]
) -> None:
    """From score intervals, the examples of Newcombe 1998 (17, 873-890, table II, method 10)."""
    assert square_and_add(wilson(*new), wilson(*base)) == pytest.approx(published, abs=6e-5)


@pytest.mark.parametrize(("hits", "total"), [(0, 299), (0, 59), (3, 100)])
def test_against_a_flawless_baseline_the_bound_is_that_of_a_limit(hits: int, total: int) -> None:
    """With no hit in a huge BASE, NEW is held against the margin as against a fixed limit."""
    _, upper = bound_difference((hits, total), (0, 10**9), 0.95)
    assert upper == pytest.approx(upper_bound(hits, total, 0.95), abs=1e-8)


def test_mirrored_samples_have_mirrored_bounds() -> None:
    """What NEW gains over BASE, BASE loses against NEW."""
    lower, upper = bound_difference((7, 50), (3, 80), 0.95)
    assert bound_difference((3, 80), (7, 50), 0.95) == pytest.approx((-upper, -lower))
    lower, upper = bound_paired_difference(9, 2, 60, 0.95)
    assert bound_paired_difference(2, 9, 60, 0.95) == pytest.approx((-upper, -lower))


def test_nothing_seen_bounds_nothing() -> None:
    """Without conversations every difference is possible."""
    assert bound_difference((0, 0), (1, 10), 0.95) == (-1.0, 1.0)
    assert bound_difference((1, 10), (0, 0), 0.95) == (-1.0, 1.0)
    assert bound_paired_difference(0, 0, 0, 0.95) == (-1.0, 1.0)


def test_one_more_hit_never_lowers_a_bound() -> None:
    """On every small table: so replacing a clean conversation by an unknown one cannot help NEW."""
    for new, base, n in product(range(SMALL), range(SMALL), (SMALL, 30)):
        more = bound_difference((new + 1, SMALL), (base, n), 0.95)
        less = bound_difference((new, SMALL), (base + 1, n), 0.95)
        here = bound_difference((new, SMALL), (base, n), 0.95)
        assert less[0] <= here[0] + 1e-12 <= more[0] + 2e-12
        assert less[1] <= here[1] + 1e-12 <= more[1] + 2e-12


def test_one_more_member_counted_against_never_helps() -> None:
    """Nor can one who may not belong at all: as a hit in NEW it raises the bound, as a clean one in BASE too."""
    for new, base in product(range(SMALL), range(SMALL)):
        here = bound_difference((new, SMALL), (base, SMALL), 0.95)[1]
        assert bound_difference((new + 1, SMALL + 1), (base, SMALL), 0.95)[1] >= here - 1e-12
        assert bound_difference((new, SMALL), (base, SMALL + 1), 0.95)[1] >= here - 1e-12


@pytest.mark.parametrize("pairs", [1, 2, 7, SMALL, 25])
def test_one_more_worse_pair_never_lowers_a_bound(pairs: int) -> None:
    """On every table of so many pairs, whichever kind of pair it was before."""
    for gained in range(pairs):
        for lost in range(pairs - gained):
            here = bound_paired_difference(gained, lost, pairs, 0.95)
            more = bound_paired_difference(gained + 1, lost, pairs, 0.95)
            less = bound_paired_difference(gained, lost + 1, pairs, 0.95)
            assert less[0] <= here[0] + 1e-12 <= more[0] + 2e-12
            assert less[1] <= here[1] + 1e-12 <= more[1] + 2e-12


def binomial(total: int, rate: float) -> list[float]:
    """The chance of each count."""
    return [float(stats.binom.pmf(count, total, rate)) for count in range(total + 1)]


@pytest.mark.parametrize(
    ("new_total", "base_total", "base_rate", "margin"),
    [(100, 100, 0.34, 0.02), (60, 60, 0.0, 0.05), (150, 30, 0.002, 0.0), (30, 150, 0.01, 0.02), (80, 80, 0.5, 0.0)],
)
def test_unpaired_bounds_err_no_more_often_than_promised(
    new_total: int, base_total: int, base_rate: float, margin: float
) -> None:
    """With the change exactly at the margin, the whole distribution added up: each side errs in at most 5%."""
    new_chance, base_chance = binomial(new_total, base_rate + margin), binomial(base_total, base_rate)
    too_low = too_high = 0.0
    for (new, p), (base, q) in product(enumerate(new_chance), enumerate(base_chance)):
        if p * q < 1e-9:
            continue
        lower, upper = bound_difference((new, new_total), (base, base_total), 0.95)
        too_high += p * q * (lower > margin)
        too_low += p * q * (upper <= margin)
    assert max(too_low, too_high) <= 0.05


@pytest.mark.parametrize(
    ("pairs", "lost_rate", "margin"), [(100, 0.01, 0.02), (300, 0.002, 0.01), (300, 0.0, 0.02), (60, 0.3, 0.0)]
)
def test_paired_bounds_err_no_more_often_than_promised(pairs: int, lost_rate: float, margin: float) -> None:
    """The same for pairs, also where the score interval of Tango 1998 errs in up to 9%."""
    gained_rate = lost_rate + margin
    too_low = too_high = 0.0
    for gained, p in enumerate(binomial(pairs, gained_rate)):
        if p < 1e-7:
            continue
        for lost, q in enumerate(binomial(pairs - gained, lost_rate / (1 - gained_rate))):
            if p * q < 1e-9:
                continue
            lower, upper = bound_paired_difference(gained, lost, pairs, 0.95)
            too_high += p * q * (lower > margin)
            too_low += p * q * (upper <= margin)
    assert max(too_low, too_high) <= 0.05


def test_simulated_pairs_cover_the_true_difference() -> None:
    """In 2,000 samples of 200 pairs, drawn with a fixed seed, at least 95% lie on the right side of a bound."""
    rng = random.Random(20261123)
    low = high = 0
    for _ in range(2000):
        gained = lost = 0
        for _ in range(200):
            draw = rng.random()
            gained += draw < 0.06
            lost += 0.06 <= draw < 0.10
        lower, upper = bound_paired_difference(gained, lost, 200, 0.95)
        low += lower <= 0.02
        high += upper >= 0.02
    assert min(low, high) / 2000 >= 0.95


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (5, 0), (12, 5), (3, 9), (100, 80)])
def test_mcnemar_agrees_with_a_binomial_test(gained: int, lost: int) -> None:
    """The exact one-sided p value, here from an independent implementation."""
    expected = stats.binomtest(gained, gained + lost, alternative="greater").pvalue if gained + lost else 1.0
    assert mcnemar_p_value(gained, lost) == pytest.approx(expected)


@given(st.integers(0, 40), st.integers(0, 40), st.sampled_from([0.0, 0.02, 0.1]))
def test_the_p_value_and_the_bound_never_disagree(new: int, base: int, margin: float) -> None:
    """It is below five per cent exactly where the bound at 95% lies beyond the margin."""
    p_value = find_p_value(lambda confidence: bound_difference((new, 40), (base, 40), confidence)[0], margin)
    beyond = bound_difference((new, 40), (base, 40), 0.95)[0] > margin
    assert (p_value < 0.05) == beyond or p_value == pytest.approx(0.05, abs=1e-9)
    assert SMALLEST_P <= p_value <= 1


def test_correlation_follows_from_the_cells() -> None:
    """With half of the pairs each way the estimates move against each other completely: widths add."""
    lower, _ = bound_paired_difference(10, 10, 20, 0.95)
    own = stats.beta.ppf(0.05, 10, 11)
    across = stats.beta.ppf(0.95, 11, 10)
    assert lower == pytest.approx(-((0.5 - own) + (across - 0.5)))
    free, _ = bound_paired_difference(5, 0, 20, 0.95)
    below, above = 0.25 - stats.beta.ppf(0.05, 5, 16), stats.beta.ppf(0.95, 1, 20)
    assert free == pytest.approx(0.25 - sqrt(below**2 + above**2))


@pytest.mark.parametrize(("text", "margin"), [("0pp", 0), ("2pp", 0.02), (" 0.5 pp ", 0.005), ("+1pp", 0.01)])
def test_margins_are_percentage_points(text: str, margin: float) -> None:
    """With or without a space, held as a fraction."""
    assert parse_margin(text) == margin


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2", "is no difference"),
        ("2%", "is a share"),
        ("-1pp", "is no difference"),
        ("100pp", "outside"),
        ("two pp", "is no difference"),
        ("", "is no difference"),
    ],
)
def test_anything_else_is_no_margin(text: str, said: str) -> None:
    """A bare number, a share, a negative or an absurd margin is refused with what is wrong."""
    with pytest.raises(ValueError, match=said):
        parse_margin(text)


def test_margins_are_told_as_they_are_written() -> None:
    """In full, without exponent."""
    assert [build_points(x) for x in (0.0, 0.02, 0.005)] == ["0pp", "2pp", "0.5pp"]
