"""Whatever people have, as transcripts: the container of a source is told first, then the format of each record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from valueaudit.ports import Source
from valueaudit.readers.containers import read_records
from valueaudit.readers.content import name_kind, quote
from valueaudit.readers.format import Format, Parser
from valueaudit.readers.lines import LONGEST_LINE
from valueaudit.transcript import BadRecord, Item

_MOST_KEYS_NAMED = 8


class Reading:
    """Reads the sources of one run, one after the other; `formats` names those met in the source read last.

    With one format in `formats` every record is taken for it; with several, the first that recognises a record has it.
    """

    def __init__(self, formats: Sequence[Format], *, forced: bool = False, longest_line: int = LONGEST_LINE) -> None:
        self._table = tuple(formats)
        self._forced = self._table[0] if forced else None
        self._longest_line = longest_line
        self._of_run: dict[str, Parser] = {}
        self._of_source: dict[str, Parser] = {}
        self._shapes: dict[tuple[str, ...], Format] = {}
        self._met: dict[str, None] = {}

    @property
    def formats(self) -> tuple[str, ...]:
        """The names of the formats met in the source read last, in the order they were met."""
        return tuple(self._met)

    def read(self, source: Source) -> Iterator[Item]:
        """The items of one source, in its order as far as the formats allow. Raises nothing that the source says."""
        self._of_source = {}
        self._shapes = {}
        self._met = {}
        for record in read_records(source, longest_line=self._longest_line):
            if isinstance(record, BadRecord):
                yield record
                continue
            found = self._recognise(record.value)
            if found is None:
                yield BadRecord(record.location, explain_unknown(record.value))
            else:
                yield from self._parser(found).feed(record)
        for parser in self._of_source.values():
            yield from parser.close()

    def finish(self) -> Iterator[Item]:
        """What waited for records of other sources, once all are read."""
        for parser in self._of_run.values():
            yield from parser.close()
        self._of_run = {}

    def _recognise(self, value: Any) -> Format | None:
        if self._forced is not None:
            return self._forced
        if type(value) is not dict:
            return next((known for known in self._table if known.recognises(value)), None)
        shape = tuple(value)
        before = self._shapes.get(shape)
        if before is not None and before.recognises(value):
            return before
        found = next((known for known in self._table if known.recognises(value)), None)
        if found is not None:
            self._shapes[shape] = found
        return found

    def _parser(self, format: Format) -> Parser:
        parsers = self._of_run if format.scope == "run" else self._of_source
        self._met.setdefault(format.name)
        parser = parsers.get(format.name)
        if parser is None:
            parser = parsers[format.name] = format.start()
        return parser


def explain_unknown(value: Any) -> str:
    """Why a record is in no format that we know, by the names of its fields and never by what they hold."""
    if not isinstance(value, dict):
        return f"{name_kind(value)}, not an object"
    if not value:
        return "no conversation: the object is empty"
    named = ", ".join(quote(key) for key in list(value)[:_MOST_KEYS_NAMED])
    more = ", …" if len(value) > _MOST_KEYS_NAMED else ""
    return f"no known format; the fields are {named}{more}"
