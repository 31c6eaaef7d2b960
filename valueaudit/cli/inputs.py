"""The input files of a run as one stream of items, and what is known of each once it was read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from valueaudit.files import open_source
from valueaudit.ports import Reader
from valueaudit.record import InputInfo
from valueaudit.transcript import BadRecord, Transcript


class Inputs:
    """Reads files one after the other; iterated once, in a thread of its own."""

    def __init__(self, paths: Sequence[str], format_name: str, reader: Reader, stdin: BinaryIO) -> None:
        self._paths = tuple(paths)
        self._format = format_name
        self._reader = reader
        self._stdin = stdin
        self._infos: list[InputInfo] = []
        self._read_before = 0
        self._opened_bytes = 0

    @property
    def infos(self) -> tuple[InputInfo, ...]:
        """One entry for each file that was begun, in order."""
        return tuple(self._infos)

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
        conversations = bad_records = 0
        with open_source(path, self._stdin) as opened:
            self._infos.append(InputInfo(opened.name, None, self._format, 0, 0))
            try:
                for item in self._reader(opened):
                    if isinstance(item, BadRecord):
                        bad_records += 1
                    else:
                        conversations += 1
                    self._opened_bytes = opened.bytes_read
                    yield item
            finally:
                digest = opened.sha256
                self._infos[-1] = InputInfo(opened.name, digest, self._format, conversations, bad_records)
                self._read_before += opened.bytes_read
                self._opened_bytes = 0
