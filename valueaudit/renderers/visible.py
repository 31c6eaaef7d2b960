"""Foreign text made harmless: a transcript must not hide words from its own audit, nor drive the terminal."""

from __future__ import annotations

import re
import unicodedata

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

# Default_Ignorable_Code_Point of the Unicode Character Database, as far as it is not a format character already:
# joiners, fillers, variation selectors and tags carry bytes that no reader sees.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_PLAIN = re.compile(r"[\x20-\x7e]*")


def visible(text: str, *, ascii_only: bool = False) -> str:
    r"""A text on one line in which nothing is invisible: controls, bidi marks and zero-width characters as escapes.

    An escape reads `\n`, `\x1b`, `\u202e` or `\U000e0041`; with `ascii_only` every other character outside ASCII is
    one too. It is for reading: a backslash stays as it is, so the way back is not unique.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(_show(character, ascii_only) for character in text)


def _show(character: str, ascii_only: bool) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if unicodedata.category(character) in _INVISIBLE_CATEGORIES or _IGNORABLE.match(character):
        return _escape(character)
    if ascii_only and not character.isascii():
        return _escape(character)
    return character


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
