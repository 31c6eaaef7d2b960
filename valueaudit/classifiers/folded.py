"""Text folded for matching, with a way back to the original: look-alike spelling cannot hide words from rules."""

from __future__ import annotations

import re
import unicodedata

from msgspec import Struct

from valueaudit.observation import Evidence

HIDDEN = "\x00"
LONGEST_QUOTE = 240
_SPELLED = {"’": "'", "‘": "'", "ʼ": "'", "´": "'", "‐": "-", "‑": "-", "\u00a0": " ", "\u202f": " "}
_SAME_LENGTH = str.maketrans(_SPELLED)
_CONTROLS = bytes([*range(0x09), *range(0x0B, 0x20), 0x7F])
# controls, combining marks, soft hyphen, zero-width and direction marks, mathematical letters, full-width forms
_NEEDS_CARE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u0130\u0300-\u036f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff"
    "\uff01-\uff5e\U0001d400-\U0001d7ff\U000e0000-\U000e007f]"
)
_QUOTES = '"„“”«»'
# Each begins with characters that the text can be searched for first: most texts have few of these, and regular
# expressions that begin so skip to them.
_QUOTED = (
    ("`", re.compile(r"```(?s:.*?)(?:```|\Z)|`[^`\n]{1,300}`")),
    (">", re.compile(r"(?m:^[ \t]{0,3}>[^\n]*)")),
    *((mark, re.compile(rf"{mark}[^{_QUOTES}\n]{{1,400}}[{_QUOTES}]")) for mark in _QUOTES),
    ("'", re.compile(r"'(?<!\w')[^'\n]{1,200}(?:'\w[^'\n]{0,200}){0,3}'(?!\w)")),
)
_SPEECH_LINE = re.compile(r"(?m)^[ \t*_]{0,6}(\w[\w .]{0,24})[*_ ]{0,4}:[^\n]*")
_SENTENCE_END = re.compile(r"[.!?\n]")


class Folded(Struct, frozen=True):
    """A message's text in lower case with plain apostrophes, marks and invisible characters taken out.

    `offsets[i]` is where character i of `text` stands in `original`, with one entry more for the end; None where both
    are of one length, character for character.
    """

    original: str
    text: str
    offsets: tuple[int, ...] | None = None

    def evidence(self, message: int, start: int, end: int) -> Evidence:
        """The quotation that holds a folded span: its sentence in the original, or the span alone if too long."""
        left, right = sentence_bounds(self.text, start, end)
        if right - left > LONGEST_QUOTE:
            left, right = start, min(end, start + LONGEST_QUOTE)
        if self.offsets is not None:
            left, right = self.offsets[left], self.offsets[right]
        quote = self.original[left:right]
        left += len(quote) - len(quote.lstrip())
        quote = quote.strip()
        return Evidence(message, (left, left + len(quote)), quote)


def fold_text(text: str) -> Folded:
    """The text as rules read it."""
    if text.isascii():
        if len(text.encode().translate(None, _CONTROLS)) == len(text):
            return Folded(text, text.lower())
    elif _NEEDS_CARE.search(text) is None:
        lowered = text
        for written, plain in _SPELLED.items():
            lowered = lowered.replace(written, plain)
        lowered = lowered.lower()
        if len(lowered) == len(text):
            return Folded(text, lowered)
    letters: list[str] = []
    offsets: list[int] = []
    for index, character in enumerate(text):
        if letters and unicodedata.combining(character):
            letters[-1] = unicodedata.normalize("NFC", letters[-1] + character)[0]
        elif character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf"):
            plain = unicodedata.normalize("NFKC", character.translate(_SAME_LENGTH)).lower()
            letters.extend(plain)
            offsets.extend([index] * len(plain))
    return Folded(text, "".join(letters), (*offsets, len(text)))


def hide_quotations(text: str) -> str:
    """The text with code, block quotes and quoted words blanked, character for character.

    What is quoted is not said. A text that is one quotation from end to end is left as it is.
    """
    bare = text.strip()

    def blank(match: re.Match[str]) -> str:
        return match[0] if len(match[0]) == len(bare) and match[0][0] in _QUOTES else HIDDEN * len(match[0])

    for mark, pattern in _QUOTED:
        if mark in text:
            text = pattern.sub(blank, text)
    return text


def hide_speakers(text: str) -> str:
    """The text with the lines of a written dialogue (`Name: words`) blanked, if a speaker has at least two of them."""
    if text.count(":") < 2:
        return text
    speakers = [match[1].strip() for match in _SPEECH_LINE.finditer(text)]
    if len(speakers) == len(set(speakers)):
        return text
    return _SPEECH_LINE.sub(lambda match: HIDDEN * len(match[0]), text)


def sentence_bounds(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the sentence around a span begins and ends, its own mark included."""
    find = text.rfind
    left = max(find(".", 0, start), find("!", 0, start), find("?", 0, start), find("\n", 0, start)) + 1
    stop = _SENTENCE_END.search(text, max(end - 1, start))
    return left, len(text) if stop is None else stop.end()
