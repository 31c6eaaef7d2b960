"""Lines of a source with their numbers, in bounded memory, so that one endless line cannot end the audit."""

from __future__ import annotations

from typing import BinaryIO, Self

LONGEST_LINE = 256 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_CHUNK = 1024 * 1024


class LineTooLong(Exception):
    """A line of more than `limit` bytes; it was skipped, and the next one can be read."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class Lines:
    """The non-blank lines of a stream; `number` (from 1, blank ones count) and `current` tell of the last one.

    Raises `LineTooLong` for one line, after which it goes on, and `OSError` where the stream cannot be read further.
    """

    def __init__(self, stream: BinaryIO, longest: int = LONGEST_LINE) -> None:
        self._stream = stream
        self._longest = longest
        self.number = 0
        self.current = b""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        while True:
            self.number += 1
            try:
                line = self._stream.readline(self._longest + 1)
            except EOFError as error:
                # what the standard library's decompressors raise; jsonlines would take it for the end of the file
                raise OSError("the file ends in the middle of its compressed data") from error
            if len(line) > self._longest and not line.endswith(b"\n"):
                self._skip_rest()
                raise LineTooLong(self._longest)
            if self.number == 1 and line.startswith(_BOM):
                line = line[len(_BOM) :]
                if not line:
                    raise StopIteration
            if not line:
                raise StopIteration
            if not line.isspace():
                self.current = line
                return line

    def _skip_rest(self) -> None:
        self.current = b""
        while (piece := self._stream.readline(_CHUNK)) and not piece.endswith(b"\n"):
            pass
