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
FEWEST_CHARACTERS = 2


def verify_quote(messages: tuple[Message, ...], role: Role, claimed: int, quote: str) -> Evidence | None:
    """The place of a quotation in a message of `role`, or None where no such message holds it.

    White space and the kinds of quotation marks are folded, nothing else. The claimed message is searched first, then
    the others, since judges miscount more often than they misquote. A quotation of fewer than two letters or digits
    proves nothing and is refused.
    """
    wanted = _trim(quote)
    if sum(c.isalnum() for c in wanted) < FEWEST_CHARACTERS:
        return None
    for index in _order(claimed, len(messages)):
        if messages[index].role is role:
            span = find_folded(messages[index].text, wanted)
            if span is not None:
                return Evidence(index, span, messages[index].text[span[0] : span[1]])
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
