from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueaudit.renderers.figures import format_count, format_interval, format_limit, format_money, format_rate


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (None, "n/a"),
        (0.0, "0%"),
        (0.000001, "<0.001%"),
        (0.00019, "0.019%"),
        (0.00155, "0.15%"),
        (0.0286, "2.9%"),
        (0.314, "31.4%"),
        (0.9997, "99.97%"),
        (0.99999, ">99.99%"),
        (1.0, "100%"),
        (-0.02, "-2.0%"),
        (-1.0, "-100%"),
    ],
)
def test_rate_keeps_its_first_figures(rate: float | None, shown: str) -> None:
    """Rare values keep two figures, and only an exact 0 or 1 is written as such."""
    assert format_rate(rate) == shown


@given(st.floats(min_value=0, max_value=1))
def test_rate_claims_none_or_all_only_where_it_is_so(rate: float) -> None:
    """No rounding turns a rate into "none" or "all"."""
    assert (format_rate(rate) == "0%") == (rate == 0)
    assert (format_rate(rate) in ("100%", "100.0%", "100.00%")) == (rate * 100 == 100)


def test_interval_has_one_sign_and_as_many_figures_as_asked() -> None:
    """Both ends share the per cent sign; bounds next to a limit can have one figure more."""
    assert format_interval((0.0217, 0.3141)) == "2.2–31.4%"
    assert format_interval((0.0217, 0.3141), dash="-", more=1) == "2.17-31.41%"


@pytest.mark.parametrize(("limit", "shown"), [(0.001, "0.1%"), (0.6, "60%"), (0.07, "7%"), (0.0, "0%"), (1.0, "100%")])
def test_limit_reads_as_in_the_policy(limit: float, shown: str) -> None:
    """A limit has no more digits than its author gave it."""
    assert format_limit(limit) == shown


@pytest.mark.parametrize(
    ("usd", "shown"), [(None, "price unknown"), (0.0, "$0.00"), (0.0004, "under $0.01"), (1234.5, "$1,234.50")]
)
def test_money_never_rounds_to_nothing(usd: float | None, shown: str) -> None:
    """An unknown price is not free, and a small one is not nothing."""
    assert format_money(usd) == shown


def test_count_has_thousands_apart() -> None:
    """Large counts stay readable."""
    assert format_count(1_234_567) == "1,234,567"
