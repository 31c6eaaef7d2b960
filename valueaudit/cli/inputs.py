"""The input files of a run as one stream of items, and what is known of each as far as it was read."""

from __future__ import annotations

import io
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import BinaryIO

from msgspec import Struct
from msgspec.structs import asdict

from valueaudit.cli.unknown import refuse_unknown
from valueaudit.errors import UsageError
from valueaudit.files import STDIN, Opened, check_inputs, find_inputs, open_logs, printable
from valueaudit.readers.mapping import parse_mapping
from valueaudit.readers.reading import Reading, Unknown
from valueaudit.readers.suggesting import suggest_mapping
from valueaudit.record import InputInfo
from valueaudit.registry import FORMATS, find_format
from valueaudit.transcript import BadRecord, Item, LeftOut, Transcript
from valueaudit.writing import is_special

AUTO = "auto"


class Inputs:
    """Reads files one after the other; iterated once, in a thread of its own.

    `named` are those of `paths` that the user called logs, by name; others were found in a folder.
    """

    def __init__(
        self, paths: Sequence[str], reading: Reading, stdin: BinaryIO, *, named: Collection[str] | None = None
    ) -> None:
        self.paths = tuple(paths)
        self._reading = reading
        self._stdin = stdin
        self._named = frozenset(self.paths if named is None else named)
        self._begun: dict[str, _Count] = {}
        self._seen: set[int] = set()
        # by whether its file has bad records: else it is one that nobody named as a log
        self._unknown: dict[bool, Unknown] = {}
        # the bytes of the files that were read, and the file that is being read: replaced together
        self._position: tuple[int, Opened | None] = (0, None)

    @property
    def infos(self) -> tuple[InputInfo, ...]:
        """One entry for each file that was begun, in order, as far as it was read."""
        return tuple([InputInfo(**asdict(count)) for count in tuple(self._begun.values())])

    @property
    def first_unknown(self) -> Unknown | None:
        """The first record so far that could not be read of a file that gave no conversation.

        A file that was named as a log goes before one that was found to be something else.
        """
        silent = (self._unknown.get(is_bad) for is_bad in (True, False))
        return next((one for one in silent if one and not self._begun[one.record.location.source].is_read), None)

    @property
    def bytes_read(self) -> int:
        """Bytes consumed so far, as they lie on disk."""
        before, opened = self._position
        return before if opened is None else before + opened.bytes_read

    @property
    def bytes_total(self) -> int | None:
        """Bytes of all files, None where one of them has no size."""
        try:
            return sum(os.stat(path).st_size for path in self.paths)
        except OSError:
            return None

    def __iter__(self) -> Iterator[Transcript | BadRecord]:
        for path in self.paths:
            yield from self._read(path)
        yield from self._count(self._reading.finish())

    def _read(self, path: str) -> Iterator[Transcript | BadRecord]:
        state = _state_of(path)
        for opened in open_logs(path, self._stdin):
            before = self.bytes_read
            self._position = (before, opened)
            # two names may look alike once each can be shown: their counts add
            count = self._begun.setdefault(opened.name, _Count(opened.name))
            is_log = path in self._named and opened.name == printable(path)
            yield from self._count(self._reading.read(opened, is_log=is_log))
            count.format = "+".join(self._reading.formats)
            count.sha256 = opened.sha256
            count.changed = _state_of(path) != state
            if self._reading.first_unknown is not None and not count.is_read:
                self._unknown.setdefault(bool(count.bad_records), self._reading.first_unknown)
            self._position = (before + opened.bytes_read, None)

    def _count(self, items: Iterable[Item]) -> Iterator[Transcript | BadRecord]:
        """The items that are audited: each is counted for the file it lies in, a second copy only counted."""
        for item in items:
            count = self._begun[item.location.source]
            match item:
                case Transcript():
                    if self._is_new(item):
                        count.add(item)
                        yield item
                    else:
                        count.duplicates += 1
                case BadRecord():
                    count.bad_records += 1
                    yield item
                case LeftOut():
                    count.left_out += 1

    def _is_new(self, transcript: Transcript) -> bool:
        # the id counts: two users who got the same answer to the same question had two conversations
        before = len(self._seen)
        said = tuple([(message.role, message.text) for message in transcript.messages])
        self._seen.add(hash((transcript.id, said)))
        return len(self._seen) > before


class _Count(Struct):
    """The fields of an `InputInfo` while they still grow: one is made when it is asked for, not for each record."""

    path: str
    sha256: str | None = None
    format: str = ""
    conversations: int = 0
    bad_records: int = 0
    messages: int = 0
    attachments: int = 0
    branches: int = 0
    left_out: int = 0
    duplicates: int = 0
    changed: bool = False

    @property
    def is_read(self) -> bool:
        return bool(self.conversations or self.duplicates)

    def add(self, transcript: Transcript) -> None:
        self.conversations += 1
        self.messages += len(transcript.messages)
        for message in transcript.messages:
            self.attachments += len(message.attachments)
        self.branches += transcript.branches


def _state_of(path: str) -> tuple[int, int, int] | None:
    """What differs once a file was written to or replaced; None for what is no regular file."""
    if path == STDIN or is_special(path):
        return None
    try:
        seen = os.stat(path)
    except OSError:
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns


def plan_inputs(
    wanted: Sequence[str], format_name: str = AUTO, mapping: str | None = None, *, allow_empty: bool = False
) -> Inputs:
    """The files behind what the user named, each looked into before the first is read.

    Raises `UsageError` for an unknown format or a wrong mapping, and `InputError` for a file that cannot be opened, or
    that was named and whose records are in no known format.
    """
    reading = build_reading(format_name, mapping)
    paths = find_inputs(wanted, allow_empty=allow_empty)
    check_inputs(paths)
    named = frozenset(wanted)
    for path in paths:
        if path in named and path != STDIN and not is_special(path):
            _refuse_unknown(path, reading)
    return Inputs(paths, reading, open_stdin() if STDIN in paths else io.BytesIO(), named=named)


def build_reading(format_name: str = AUTO, mapping: str | None = None) -> Reading:
    """What reads the inputs: every format, the one that is named, or one by a mapping. Raises `UsageError`."""
    if mapping is not None:
        if format_name != AUTO:
            raise UsageError("--map and --input-format contradict each other", help="leave one of them out")
        return Reading((parse_mapping(mapping),), forced=True)
    if format_name == AUTO:
        return Reading(FORMATS)
    named = find_format(format_name)
    if named is None:
        known = ", ".join((AUTO, *(format.name for format in FORMATS)))
        raise UsageError(f'"{format_name}" is no input format', help=f"known are {known}")
    return Reading((named,), forced=True)


def _refuse_unknown(path: str, reading: Reading) -> None:
    unknown: Unknown | None = None
    for opened in open_logs(path, io.BytesIO()):
        found = reading.find_unknown(opened)
        if found is None:
            return
        unknown = unknown or found
    # a format that took its record says itself what is wrong with it, unless the record has another shape
    if unknown is not None and (unknown.format is None or suggest_mapping(unknown.record.value) is not None):
        raise refuse_unknown(unknown)


def open_stdin() -> BinaryIO:
    """Standard input without Python's buffer around it; nothing to read where it is closed.

    Python takes the lock of that buffer when it ends, and aborts where a thread still waits in it for a silent pipe.
    """
    try:
        return os.fdopen(os.dup(0), "rb", buffering=0)
    except OSError:
        return io.BytesIO()
