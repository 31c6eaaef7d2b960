"""The input files of a run as one stream of items, and what is known of each as far as it was read."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from valueaudit.files import open_source
from valueaudit.ports import Reader
from valueaudit.record import InputInfo
from valueaudit.transcript import BadRecord, Transcript


class _Begun(NamedTuple):
    """How far one file was read. Replaced, never changed, since another thread looks at it."""

    name: str
    conversations: int = 0
    bad_records: int = 0
    sha256: str | None = None


class Inputs:
    """Reads files one after the other; iterated once, in a thread of its own."""

    def __init__(self, paths: Sequence[str], format_name: str, reader: Reader, stdin: BinaryIO) -> None:
        self._paths = tuple(paths)
        self._format = format_name
        self._reader = reader
        self._stdin = stdin
        self._begun: list[_Begun] = []
        self._read_before = 0
        self._opened_bytes = 0

    @property
    def infos(self) -> tuple[InputInfo, ...]:
        """One entry for each file that was begun, in order, as far as it was read."""
        return tuple(
            InputInfo(each.name, each.sha256, self._format, each.conversations, each.bad_records)
            for each in self._begun
        )

    @property
    def bytes_read(self) -> int:
        """Bytes consumed so far, as they lie on disk."""
        return self._read_before + self._opened_bytes

    @property
    def bytes_total(self) -> int | None:
        """Bytes of all files, None where one of them has no size."""
        try:
            return sum(os.stat(path).st_size for path in self._paths)
        except OSError:
            return None

    def __iter__(self) -> Iterator[Transcript | BadRecord]:
        for path in self._paths:
            yield from self._read(path)

    def _read(self, path: str) -> Iterator[Transcript | BadRecord]:
        with open_source(path, self._stdin) as opened:
            seen = _Begun(opened.name)
            self._begun.append(seen)
            for item in self._reader(opened):
                if isinstance(item, BadRecord):
                    seen = seen._replace(bad_records=seen.bad_records + 1)
                else:
                    seen = seen._replace(conversations=seen.conversations + 1)
                self._begun[-1] = seen
                self._opened_bytes = opened.bytes_read
                yield item
            self._begun[-1] = seen._replace(sha256=opened.sha256)
            self._read_before += opened.bytes_read
            self._opened_bytes = 0


def open_stdin() -> BinaryIO:
    """Standard input without Python's buffer around it; nothing to read where it is closed.

    Python takes the lock of that buffer when it ends, and aborts where a thread still waits in it for a silent pipe.
    """
    try:
        return os.fdopen(os.dup(0), "rb", buffering=0)
    except OSError:
        return io.BytesIO()
