from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueaudit.rules.fields import build_percentage, build_rounded, parse_percentage


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("0%", 0), ("100 %", 1), ("0.5%", 0.005), ("0.5 %", 0.005), (" 1.1%", 0.011), ("+7%", 0.07), ("0.001%", 0.00001)],
)
def test_percentages_are_read_exactly(text: str, fraction: float) -> None:
    """The nearest fraction, without the error of a division."""
    assert parse_percentage(text) == fraction


@pytest.mark.parametrize("text", ["2", ".5", "1e-3", "2pp", "2 pp", "%", "-0.1%", "100.01%", "1%%", "٥%", "0,5%", ""])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    """A bare number, a difference, a share outside 0 to 100 and words are all refused."""
    with pytest.raises(ValueError, match=r"per cent|pp|outside|no percentage"):
        parse_percentage(text)


@given(st.integers(0, 100_000))
def test_a_percentage_is_told_as_it_was_stated(thousandths: int) -> None:
    """Building and reading a percentage gives the same fraction."""
    fraction = parse_percentage(f"{thousandths / 1000}%")
    assert parse_percentage(build_percentage(fraction)) == fraction


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0, "0%"),
        (1, "100%"),
        (0.5, "50%"),
        (1 / 3, "33.3%"),
        (0.0125, "1.25%"),
        (0.00004567, "0.00457%"),
        (0.9996, "99.96%"),
        (0.99999, "99.999%"),
        (1e-15, "below 0.000001%"),
        (1 - 1e-12, "above 99.999999%"),
    ],
)
def test_measured_shares_are_never_rounded_to_nothing_or_all(fraction: float, text: str) -> None:
    """Three digits are enough to read, and what is not zero is not shown as zero."""
    assert build_rounded(fraction) == text
