"""A saved run read back, so that nothing that was cut off, mixed up or written by a newer program is decided on.

The records pass through one by one; what is known of the run as a whole is there once they have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import msgspec
from msgspec import Struct

from valueaudit.errors import InputError
from valueaudit.observation import Declared, State
from valueaudit.record import (
    SCHEMA_VERSION,
    BadRecordRecord,
    ClassifierInfo,
    ConversationRecord,
    Cost,
    FooterRecord,
    HeaderRecord,
    InputInfo,
    Record,
    RecordLine,
    parse_lines,
)
from valueaudit.tally import Predicate

_WRITE_AGAIN = "write one with valueaudit scan --records FILE"
_RUN_AGAIN = "run the scan again: the same command goes on where it stopped and pays for nothing twice"


class _Start(Struct, frozen=True):
    """As much of a first line as tells which program wrote it, whatever else a newer one has put there."""

    kind: str
    schema_version: str = ""


class SavedRun:
    """The records of one run in the lines of its records file; iterated once. `name` is only for telling.

    Every error is an `InputError`: of another or a newer program, cut off, two runs in one file, or lines that the
    footer does not count.
    """

    def __init__(self, name: str, lines: Iterable[bytes]) -> None:
        self._name = name
        self._lines = self._number(lines)
        self._footer: FooterRecord | None = None
        self._ids: set[int] = set()
        self._duplicate_ids = 0
        self._conversations: Counter[str] = Counter()
        self._bad_records: Counter[str] = Counter()
        self._classified = 0
        self.header = self._read_header()

    @property
    def classifier(self) -> ClassifierInfo:
        """Who judged, complete once the footer was read."""
        return self._footer.classifier if self._footer else self.header.classifier

    @property
    def cost(self) -> Cost:
        """What the judge was asked in the saved run, as far as it is known."""
        return self._footer.cost if self._footer else Cost()

    @property
    def ended_early(self) -> str | None:
        """Why the run did not look at everything, None where it did. A run without a footer did not end."""
        return self._footer.ended_early if self._footer else "its records have no footer, so the run did not end"

    @property
    def finished(self) -> str | None:
        """When the run ended, None where it did not."""
        return self._footer.finished if self._footer else None

    @property
    def duplicate_ids(self) -> int:
        """Conversations whose id had been seen before."""
        return self._duplicate_ids

    @property
    def inputs(self) -> tuple[InputInfo, ...]:
        """The inputs as they were read; without a footer as far as the records tell."""
        if self._footer is not None:
            return self._footer.inputs
        return tuple(
            InputInfo(path, None, "unknown", self._conversations[path], self._bad_records[path])
            for path in self.header.inputs
        )

    def __iter__(self) -> Iterator[Record]:
        for number, content in self._lines:
            if not content.strip():
                continue
            line = self._decode(number, content)
            if self._footer is not None:
                raise self._refuse(number, "goes on after its footer", help="one file holds the records of one run")
            if isinstance(line, HeaderRecord):
                raise self._refuse(number, "has a second header", help="one file holds the records of one run")
            if isinstance(line, FooterRecord):
                self._footer = line
                continue
            self._note(line)
            yield line
        self._compare_with_footer()

    def _number(self, lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        try:
            yield from enumerate(lines, start=1)
        except OSError as error:
            what = (error.strerror or str(error)).lower()
            raise InputError(f'"{self._name}" cannot be read further: {what}', help=_WRITE_AGAIN) from error

    def _read_header(self) -> HeaderRecord:
        number, content = next(((n, line) for n, line in self._lines if line.strip()), (1, b""))
        if not content:
            raise InputError(f'"{self._name}" is empty, it holds no records', help=_WRITE_AGAIN)
        try:
            start = msgspec.json.decode(content, type=_Start)
        except (msgspec.DecodeError, RecursionError) as error:
            raise InputError(f'"{self._name}" is no records file of valueaudit', help=_WRITE_AGAIN) from error
        if start.kind != "header":
            raise InputError(
                f'"{self._name}" does not begin with the header of a records file, but with "{start.kind}"',
                help=_WRITE_AGAIN,
            )
        refuse_newer(self._name, start.schema_version)
        return cast(HeaderRecord, self._decode(number, content))

    def _decode(self, number: int, content: bytes) -> RecordLine:
        try:
            return next(parse_lines((content,)))
        except (msgspec.ValidationError, RecursionError) as error:
            raise self._refuse(number, f"is no record: {error}", help=_WRITE_AGAIN) from error
        except msgspec.DecodeError as error:
            if content.endswith(b"\n"):
                raise self._refuse(number, f"is damaged: {error}", help=_WRITE_AGAIN) from error
            raise self._refuse(number, "is cut off, the file was not written to its end", help=_RUN_AGAIN) from error

    def _note(self, record: Record) -> None:
        if isinstance(record, BadRecordRecord):
            self._bad_records[record.source] += 1
            return
        self._conversations[record.source] += 1
        self._classified += record.observation is not None
        before = len(self._ids)
        self._ids.add(hash(record.id))
        self._duplicate_ids += len(self._ids) == before

    def _compare_with_footer(self) -> None:
        if self._footer is None:
            return
        coverage = self._footer.coverage
        for what, counted, held in (
            ("conversations", coverage.sampled, self._conversations.total()),
            ("classified conversations", coverage.classified, self._classified),
            ("bad records", coverage.bad_records, self._bad_records.total()),
        ):
            if counted != held:
                raise InputError(
                    f'"{self._name}" holds {held:,} {what}, and its footer counts {counted:,}: it was changed since',
                    help="take the file as the scan wrote it",
                )

    def _refuse(self, number: int, what: str, *, help: str) -> InputError:
        return InputError(f'"{self._name}", line {number:,}: {what}', help=help)


def refuse_newer(name: str, version: str) -> None:
    """Raises `InputError` for a document of a schema that this program does not know, or of none."""
    try:
        found = tuple(int(part) for part in version.split("."))
    except ValueError:
        raise InputError(f'"{name}" has the schema version "{version}", which is none', help=_WRITE_AGAIN) from None
    if found > tuple(int(part) for part in SCHEMA_VERSION.split(".")):
        raise InputError(
            f'"{name}" has the schema version {version}, this program knows up to {SCHEMA_VERSION}',
            help="use the valueaudit that wrote it, or a newer one",
        )


def find_unasked(asked: ClassifierInfo, wanted: Mapping[str, str]) -> tuple[str, ...]:
    """The declared values of `wanted` (value to sha256 of its question) that were not asked in exactly these words."""
    return tuple(sorted(value for value, digest in wanted.items() if asked.questions.get(value) != digest))


def find_less_confirmed(asked: ClassifierInfo, wanted: Mapping[str, int]) -> tuple[str, ...]:
    """The prohibited values that had fewer confirming questions than `wanted` demands."""
    return tuple(sorted(value for value, count in wanted.items() if asked.confirmations.get(value, 1) < count))


def restrict_predicates(
    predicates: Mapping[str, Predicate], *, unasked: Iterable[str], less_confirmed: Iterable[str]
) -> Mapping[str, Predicate]:
    """The predicates as they stand to records that were made by other questions.

    A value that was not asked, or in other words, is not assessed. A hit that fewer questions confirmed or refuted
    than are asked for is flagged, and neither confirmed nor refuted. What the profile counts stays as it was seen.
    """
    see = _Sight(frozenset(unasked), frozenset(less_confirmed))
    if not see.unasked and not see.less_confirmed:
        return predicates
    return {name: _behind(see, predicate) for name, predicate in predicates.items()}


@dataclass(slots=True)
class _Sight:
    """Records as the questions of another policy would have them; the last one is kept, since all checks ask for it."""

    unasked: frozenset[str]
    less_confirmed: frozenset[str]
    _last: tuple[ConversationRecord, ConversationRecord] | None = None

    def __call__(self, record: ConversationRecord) -> ConversationRecord:
        if self._last is None or self._last[0] is not record:
            self._last = record, self._look(record)
        return self._last[1]

    def _look(self, record: ConversationRecord) -> ConversationRecord:
        if record.observation is None:
            return record
        declared = {
            value: self._open(value, seen)
            for value, seen in record.observation.declared.items()
            if value not in self.unasked
        }
        replace = msgspec.structs.replace
        return replace(record, observation=replace(record.observation, declared=declared))

    def _open(self, value: str, seen: Declared) -> Declared:
        is_open = value in self.less_confirmed and seen.state is State.SHOWN
        return Declared(seen.state, None, seen.evidence) if is_open else seen


def _behind(see: _Sight, predicate: Predicate) -> Predicate:
    return lambda record: predicate(see(record))
