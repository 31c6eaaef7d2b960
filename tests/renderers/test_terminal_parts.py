from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from valueaudit.renderers.terminal_parts import ASCII_GLYPHS, Glyphs, Sheet, build_bar, choose_scale, cut_middle


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("short", 5, "short"),
        ("abcdefghij", 5, "ab…ij"),
        ("abcdefghij", 6, "abc…ij"),
        ("日本語日本語", 6, "日…語"),
        ("abcdef", 2, "ab"),
        ("abcdef", 0, ""),
    ],
)
def test_cut_keeps_both_ends(text: str, width: int, cut: str) -> None:
    """The beginning and the end of a name stay, as far as there is room for both."""
    assert cut_middle(text, width, "…") == cut


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))), st.integers(0, 30))
def test_cut_never_exceeds_its_width(text: str, width: int) -> None:
    """Whatever the script, the cells are kept."""
    assert cell_len(cut_middle(text, width, "…")) <= width


@pytest.mark.parametrize(
    ("rate", "bar"), [(0.0, ""), (0.0001, "▏"), (0.25, "█▎"), (0.5, "██▌"), (1.0, "█████"), (1.2, "█████")]
)
def test_bar_grows_in_eighths(rate: float, bar: str) -> None:
    """A rate above zero always shows, and no bar leaves its column."""
    assert build_bar(rate, 1.0, 5, Glyphs()) == bar


def test_bar_in_ascii_has_whole_cells() -> None:
    """Without block characters a bar is made of whole signs."""
    assert build_bar(0.5, 1.0, 10, ASCII_GLYPHS) == "#####"


@pytest.mark.parametrize(("rates", "scale"), [((), 0.01), ((0.004,), 0.01), ((0.3, 0.06), 0.5), ((1.0,), 1.0)])
def test_scale_is_round_and_holds_the_longest_bar(rates: tuple[float, ...], scale: float) -> None:
    """The axis ends at a number one can read."""
    assert choose_scale(rates) == scale


def test_wrapped_facts_lose_only_our_own_separator() -> None:
    """A dot between two facts goes where the line breaks; a dot of somebody else's text stays."""
    sheet = Sheet(40)
    sheet.put(sheet.join(["a" * 38, "b · " + "c" * 37 + " · d"]))
    assert sheet.render() == f"  {'a' * 38}\n  b ·\n  {'c' * 37}\n  · d\n"


def test_empty_paragraph_is_an_empty_line() -> None:
    """Nothing to say takes one line, not an error."""
    sheet = Sheet(40)
    sheet.put(sheet.text(""))
    assert sheet.render() == "\n"


def test_message_in_ascii_keeps_its_signs() -> None:
    """Signs that our own messages use have a plain spelling; other characters have their number."""
    sheet = Sheet(80, ascii_only=True)
    sheet.put(sheet.text("≤ 5 – “é” …"))
    assert sheet.render() == '  <= 5 - "\\xe9" ...\n'
