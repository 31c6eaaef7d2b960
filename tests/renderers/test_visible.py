from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueaudit.renderers.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [bold]text[/] \\", "plain [bold]text[/] \\"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("\u202edcba\u2066\u2069", r"\u202edcba\u2066\u2069"),
        ("a\u200bb\u200d\ufeff\u2060", r"a\u200bb\u200d\ufeff\u2060"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("a\ufe0f\u3164\U000e0041", r"a\ufe0f\u3164\U000e0041"),
        ("\ud800", r"\ud800"),
        ("日本語 é 😀", "日本語 é 😀"),
    ],
)
def test_visible_escapes_what_cannot_be_seen_and_nothing_else(text: str, shown: str) -> None:
    """Controls, bidi marks, zero-width and filler characters become escapes; letters of any script stay."""
    assert visible(text) == shown


def test_visible_in_ascii_escapes_every_other_character() -> None:
    """An encoding without Unicode still gets every character, by its number."""
    assert visible("é日😀\x1b", ascii_only=True) == r"\xe9\u65e5\U0001f600\x1b"


@given(st.text(st.characters(exclude_categories=())))
def test_visible_leaves_no_control_or_format_character(text: str) -> None:
    """Whatever goes in, what comes out has no control, format, surrogate or separator character, and is stable."""
    shown = visible(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert visible(shown) == shown
    assert visible(text, ascii_only=True).isascii()
