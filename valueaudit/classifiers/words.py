"""Texts taken apart into words, by string methods where a text is plain, since a scan spends much of its time there."""

from __future__ import annotations

import re
import string

from msgspec import Struct

_WORD_CHARACTERS = string.ascii_letters + string.digits + "_'"
_ENDS = ".!?\x00"
_LETTERS = re.compile(r"[^\W\d_]+")
_NEITHER = re.compile(r"[^\w\s'.!?\x00]")
# The pattern begins with a literal, so that it is tried at apostrophes only.
_LOOSE_APOSTROPHE = re.compile(r"'(?:(?!\w)|(?<!\w'))")
_TO_LETTERS = {code: chr(code).lower() if chr(code) in string.ascii_letters else " " for code in range(128)}
_TO_SENTENCES = {
    code: "\n" if chr(code) in _ENDS else chr(code) if chr(code) in _WORD_CHARACTERS else " " for code in range(128)
}
# Marks of typeset text, neither letters nor apostrophes inside words: without them most texts are ASCII.
_MARKS = "\u2014\u2013\u201c\u201d\u2022\u2026\u00a0"


class Sentence(Struct, frozen=True):
    """A piece of a folded text that no phrase crosses: its span and its words, in order."""

    start: int
    end: int
    words: list[str]


def split_letters(text: str) -> list[str]:
    """The runs of letters in a text, in lower case."""
    return text.translate(_TO_LETTERS).split() if text.isascii() else _LETTERS.findall(text.lower())


def split_sentences(text: str) -> list[Sentence]:
    """The sentences of a folded text and their words; those without any are left out.

    A word is letters, digits and underscores, with single apostrophes between them. Full stop, exclamation mark,
    question mark and what was hidden end a sentence.
    """
    plain = blank_marks(text)
    if plain.isascii():
        plain = plain.translate(_TO_SENTENCES)
    else:
        plain = _NEITHER.sub(" ", plain).replace("\n", " ")
        for mark in _ENDS:
            plain = plain.replace(mark, "\n")
    if "'" in plain:
        plain = _LOOSE_APOSTROPHE.sub(" ", plain)
    sentences: list[Sentence] = []
    start = 0
    for piece in plain.split("\n"):
        end = start + len(piece)
        if words := piece.split():
            sentences.append(Sentence(start, end, words))
        start = end + 1
    return sentences


def blank_marks(text: str) -> str:
    """The text with a space for each mark of typeset text that is not ASCII and in no word, apostrophes aside."""
    if not text.isascii():
        for mark in _MARKS:
            text = text.replace(mark, " ")
    return text
