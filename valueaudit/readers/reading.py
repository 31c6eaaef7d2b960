"""Whatever people have, as transcripts: the container of a source is told first, then the format of each record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from valueaudit.ports import Source
from valueaudit.readers.containers import read_records
from valueaudit.readers.content import name_kind, quote
from valueaudit.readers.format import Format, Parser, Record
from valueaudit.readers.lines import LONGEST_LINE
from valueaudit.readers.wrapped import Known, unwrap
from valueaudit.transcript import BadRecord, Item, LeftOut

_MOST_KEYS_NAMED = 8
_MOST_KEYS_BELOW = 4
_MOST_DOUBTFUL = 10_000
_MOST_LOOKED_AT = 50
_MOST_SHAPES = 1000


class Unknown(NamedTuple):
    """A record that could not be read, and why; `format` is the name of the one that took it for its own."""

    record: Record
    reason: str
    format: str | None = None


class Reading:
    """Reads the sources of one run, one after the other; `formats` names those met in the source read last.
    `first_unknown` is the first record of that source that no format recognised, or that the one which did refused.

    With one format in `formats` that is `forced`, every record is taken for it, or for an object around such records;
    else the first that recognises a record has it.
    """

    def __init__(self, formats: Sequence[Format], *, forced: bool = False, longest_line: int = LONGEST_LINE) -> None:
        self._table = tuple(formats)
        self._forced = self._table[0] if forced else None
        self._longest_line = longest_line
        self._of_run: dict[str, Parser] = {}
        self._of_source: dict[str, Parser] = {}
        self._shapes: dict[tuple[str, ...], Format] = {}
        self.first_unknown: Unknown | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        """The names of the formats met in the source read last, in the order they were met."""
        return tuple(self._of_source)

    def read(self, source: Source, *, is_log: bool = True) -> Iterator[Item]:
        """The items of one source, in its order as far as the formats allow. Raises nothing that the source says.

        A record in no known format is a bad one, unless nobody said that the source is a log (`is_log`), and none of
        its records is in a known format: then it is something else, and all of it is left out.
        """
        self._of_source = {}
        self._shapes = {}
        self.first_unknown = None
        doubtful: list[BadRecord] = []
        for record in read_records(source, longest_line=self._longest_line):
            if isinstance(record, BadRecord):
                yield record
                continue
            found = self._recognise(record.value)
            known = ((found, record),) if found is not None else self._look_into(record)
            if not known:
                unknown = BadRecord(record.location, explain_unknown(record.value))
                self.first_unknown = self.first_unknown or Unknown(record, unknown.reason)
                if is_log or self._of_source or len(doubtful) == _MOST_DOUBTFUL:
                    yield unknown
                else:
                    doubtful.append(unknown)
                continue
            if doubtful:
                yield from doubtful
                doubtful = []
            for format, each in known:
                for item in self._parser(format).feed(each):
                    if self.first_unknown is None and type(item) is BadRecord:
                        self.first_unknown = Unknown(each, item.reason, format.name)
                    yield item
        yield from (LeftOut(each.location, "no record of this file is in a known format") for each in doubtful)
        for name, parser in self._of_source.items():
            if name not in self._of_run:
                yield from parser.close()

    def find_unknown(self, source: Source) -> Unknown | None:
        """The first record of a source where its first 50 are all in no format, or not read by that one; else None.

        A record that is broken may be one of a conversation. The source is read no further than needed.
        """
        first: Unknown | None = None
        for record in islice(read_records(source, longest_line=self._longest_line), _MOST_LOOKED_AT):
            unknown = None if isinstance(record, BadRecord) else self._look_at(record)
            if unknown is None:
                return None
            first = first or unknown
        return first

    def _look_at(self, record: Record) -> Unknown | None:
        if self._forced is not None:
            return None
        found = self._recognise(record.value)
        if found is None:
            return None if unwrap(record, self._recognise) else Unknown(record, explain_unknown(record.value))
        items = list(found.start().feed(record))
        refused = [item for item in items if isinstance(item, BadRecord)]
        return Unknown(record, refused[0].reason, found.name) if refused and refused == items else None

    def finish(self) -> Iterator[Item]:
        """What waited for records of other sources, once all are read."""
        for parser in self._of_run.values():
            yield from parser.close()
        self._of_run = {}

    def _look_into(self, record: Record) -> Sequence[Known]:
        """What is read in a record that is not recognised: the conversations in it, else itself as what is forced."""
        known = unwrap(record, self._recognise)
        return [(self._forced, record)] if self._forced is not None and not known else known

    def _recognise(self, value: Any) -> Format | None:
        if self._forced is not None:
            return self._forced if self._forced.recognises(value) else None
        if type(value) is not dict:
            return next((known for known in self._table if known.recognises(value)), None)
        shape = tuple(value)
        before = self._shapes.get(shape)
        if before is not None and before.recognises(value):
            return before
        found = next((known for known in self._table if known.recognises(value)), None)
        if found is not None:
            if len(self._shapes) == _MOST_SHAPES:
                self._shapes.clear()
            self._shapes[shape] = found
        return found

    def _parser(self, format: Format) -> Parser:
        parser = self._of_source.get(format.name)
        if parser is None:
            parser = self._of_run.get(format.name) or format.start()
            self._of_source[format.name] = parser
            if format.scope == "run":
                self._of_run[format.name] = parser
        return parser


def explain_unknown(value: Any) -> str:
    """Why a record is in no format that we know, by the names of its fields and never by what they hold."""
    if not isinstance(value, dict):
        return f"{name_kind(value)}, not an object"
    if not value:
        return "no conversation: the object is empty"
    named = _name_keys(value, _MOST_KEYS_NAMED, below=True)
    return f"no known format; the fields are {named}"


def _name_keys(value: dict[str, Any], most: int, *, below: bool = False) -> str:
    named = [quote(key) + (_name_below(value[key]) if below else "") for key in islice(value, most)]
    return ", ".join([*named, "…"] if len(value) > most else named)


def _name_below(value: object) -> str:
    """The fields one level down, where messages may lie."""
    if type(value) is dict and value:
        return f" (an object with {_name_keys(value, _MOST_KEYS_BELOW)})"
    if type(value) is list and value and type(value[0]) is dict and value[0]:
        return f" (a list of objects with {_name_keys(value[0], _MOST_KEYS_BELOW)})"
    return ""
