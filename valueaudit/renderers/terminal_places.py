"""Where to look, on one line: the way from a figure back to the conversation it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from valueaudit.renderers.terminal_parts import Sheet
from valueaudit.report import Example
from valueaudit.tally import EXAMPLES_KEPT
from valueaudit.transcript import Location

SHOWN_PLACES = 3


def describe_location(example: Example) -> str:
    """`file:line` and the JSON pointer, as far as they are known."""
    return str(Location(example.source, example.line, example.pointer))


def shown_places(sheet: Sheet) -> int:
    """How many places are listed at most; the report keeps no more than a few."""
    return EXAMPLES_KEPT if sheet.verbose else SHOWN_PLACES


def put_places(sheet: Sheet, examples: Sequence[Example], *, indent: int) -> None:
    """Up to three places, all of them on a verbose sheet, with the words themselves where the report has them."""
    for example in examples[: shown_places(sheet)]:
        sheet.place(Text(" " * indent).append_text(_describe_place(sheet, example, sheet.width - indent)))
        if sheet.verbose and example.quote:
            sheet.place(Text(" " * (indent + 2)).append_text(_quote(sheet, example.quote, sheet.width - indent - 2)))


def _describe_place(sheet: Sheet, example: Example, room: int) -> Text:
    tail = [] if example.message is None else [sheet.text(f"message {example.message}", "dim")]
    room -= 3 + sum(3 + len(part.plain) for part in tail)
    name, location = sheet.text(example.conversation).plain, sheet.text(describe_location(example)).plain
    half = room // 2
    name_room = max(half, room - cell_len(location))
    location_room = max(half, room - cell_len(name))
    return sheet.join([sheet.cut(name, name_room), sheet.cut(location, location_room, "dim"), *tail])


def _quote(sheet: Sheet, quote: str, room: int) -> Text:
    return Text.assemble('"', sheet.cut(quote, room - 2, "italic"), '"')
