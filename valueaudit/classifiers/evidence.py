"""Quotations checked by code, because a judge that invents a quotation must not be believed."""

from __future__ import annotations

from collections.abc import Iterable

from valueaudit.observation import Evidence
from valueaudit.transcript import Message, Role

_QUOTES = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
    }
)
_ELLIPSES = ("...", "\u2026")
FEWEST_CHARACTERS = 8
LONG = 20
# From Thai on, most scripts of the code charts write no spaces between words, and a character says more.
_FIRST_WITHOUT_SPACES = "\u0e00"


def verify_quote(messages: tuple[Message, ...], role: Role, claimed: int, quote: str) -> Evidence | None:
    """The place of a quotation in a message of `role`, or None where no such message holds it.

    White space and the kinds of quotation marks are folded, nothing else. The claimed message is searched first, then
    the others, since judges miscount more often than they misquote. What could stand there by chance proves nothing:
    a quotation has at least eight letters or digits (four in scripts without spaces) or is the whole message, and one
    of fewer than twenty begins and ends at the border of a word.
    """
    wanted = _trim(quote)
    weight = sum(_weight(c) for c in wanted)
    for index in _order(claimed, len(messages)):
        text = messages[index].text
        if messages[index].role is not role or (weight < FEWEST_CHARACTERS and not _is_whole(text, wanted)):
            continue
        span = find_folded(text, wanted)
        if span is not None and (weight >= LONG or not any(_is_inside(text, border) for border in span)):
            return Evidence(index, span, text[span[0] : span[1]])
    return None


def find_folded(text: str, wanted: str) -> tuple[int, int] | None:
    """The span, in characters of `text`, of words that are equal but for white space and kinds of quotation marks."""
    at = text.find(wanted)
    if at >= 0:
        return at, at + len(wanted)
    folded, origin = _fold_with_origin(text)
    needle, _ = _fold_with_origin(wanted)
    needle = needle.strip()
    at = folded.find(needle)
    if at < 0 or not needle:
        return None
    return origin[at], origin[at + len(needle) - 1] + 1


def _weight(character: str) -> int:
    return character.isalnum() * (2 if character >= _FIRST_WITHOUT_SPACES else 1)


def _is_whole(text: str, wanted: str) -> bool:
    return any(c.isalnum() for c in wanted) and _trim(text) == wanted


def _is_inside(text: str, border: int) -> bool:
    """Whether a border lies between two letters of one word."""
    around = text[max(border - 1, 0) : border + 1] if border else ""
    return len(around) == 2 and all(c.isalnum() and c < _FIRST_WITHOUT_SPACES for c in around)


def _order(claimed: int, count: int) -> Iterable[int]:
    if 0 <= claimed < count:
        yield claimed
    yield from (index for index in range(count) if index != claimed)


def _trim(quote: str) -> str:
    trimmed = quote.strip()
    for ellipsis in _ELLIPSES:
        trimmed = trimmed.removesuffix(ellipsis).removeprefix(ellipsis).strip()
    marks = "\"'\u201c\u201d\u2018\u2019"
    if len(trimmed) > 1 and trimmed[0] in marks and trimmed[-1] in marks:
        trimmed = trimmed[1:-1].strip()
    return trimmed


def _fold_with_origin(text: str) -> tuple[str, list[int]]:
    characters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text.translate(_QUOTES)):
        if character.isspace():
            if characters and characters[-1] == " ":
                continue
            character = " "
        characters.append(character)
        origin.append(index)
    return "".join(characters), origin
