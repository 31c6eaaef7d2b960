"""What a transcript format is to the rest: how a record of it is told, and what makes transcripts of records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from msgspec import Struct

from valueaudit.readers.content import Unreadable
from valueaudit.transcript import BadRecord, Item, Location


class Record(NamedTuple):
    """One JSON value of a source: a line, an element of an array, a row; no object in it names a key twice."""

    value: Any
    location: Location


class Parser(Protocol):
    """Makes transcripts of the records of one format. Raises nothing, whatever a record holds."""

    def feed(self, record: Record) -> Iterable[Item]:
        """What can be told at this record; a record that belongs to a conversation still open gives nothing yet."""
        ...

    def close(self) -> Iterable[Item]:
        """Everything that was still open, at the end of the scope."""
        ...


class Format(Struct, frozen=True, kw_only=True):
    """One format. `recognises` looks at one record, is fast, and never raises.

    `scope` is how far one conversation may reach: the parser is made anew for each source, or once for the whole run.
    `example` is a small file of the format, as text.
    """

    name: str
    title: str
    recognises: Callable[[Any], bool]
    start: Callable[[], Parser]
    example: str
    scope: Literal["source", "run"] = "source"


class EachRecord:
    """The parser of a format in which every record stands alone.

    `parse` gives the items of one record as a sequence, or raises `Unreadable`.
    """

    def __init__(self, parse: Callable[[Any, Location], Sequence[Item]]) -> None:
        self._parse = parse

    def feed(self, record: Record) -> Sequence[Item]:
        """The items of this record, one `BadRecord` where it cannot be read."""
        try:
            return self._parse(record.value, record.location)
        except Unreadable as error:
            return (BadRecord(record.location, error.reason),)

    def close(self) -> Sequence[Item]:
        """Nothing: no record waits for another."""
        return ()


def alone(parse: Callable[[Any, Location], Sequence[Item]]) -> Callable[[], Parser]:
    """The `start` of a format in which every record stands alone."""
    return lambda: EachRecord(parse)
