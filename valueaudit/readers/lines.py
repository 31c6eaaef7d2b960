"""Lines of a source with their numbers, in bounded memory, so that one endless line cannot end the audit."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import repeat
from typing import BinaryIO

from valueaudit.readers.keys import UNKNOWN, count_key_ends

LONGEST_LINE = 256 * 1024 * 1024

_BLOCK = 256 * 1024
_LARGE = 4 * _BLOCK
# a byte order mark and the RFC 7464 separator, one of which jsonlines skips at the start of any line
_BOM = b"\xef\xbb\xbf"
_MARKS = (_BOM, b"\x1e")


class Lines:
    """The non-blank lines of a stream as text with one character for each byte, and what is known of the last one.

    `number` counts from 1, blank lines too. `current` is the line in bytes, without a mark at its start. `key_ends` is
    what `count_key_ends` says of it, `is_too_long` whether it has more than `longest` bytes; of those it gives none.

    Raises `OSError` where the stream cannot be read further.
    """

    def __init__(self, stream: BinaryIO, longest: int = LONGEST_LINE) -> None:
        # what is there without waiting for more, so that a pipe is audited as it comes
        self._read = getattr(stream, "read1", stream.read)
        self._longest = longest
        self.number = 0
        self.current = b""
        self.key_ends = UNKNOWN
        self.is_too_long = False

    def __iter__(self) -> Iterator[str]:
        for block in self._blocks():
            lines = io.BytesIO(block).readlines()
            key_ends = count_key_ends(block, lines) if len(block) <= _LARGE else repeat(UNKNOWN)
            for line, self.key_ends in zip(lines, key_ends, strict=False):
                self.number += 1
                if self.number == 1:
                    line = line.removeprefix(_BOM)
                if not line or line.isspace():
                    continue
                if line.startswith(_MARKS):
                    line = line[len(_BOM) if line.startswith(_BOM) else 1 :]
                self.is_too_long = len(line) > self._longest and len(line.rstrip(b"\n")) > self._longest
                self.current = b"" if self.is_too_long else line
                # jsonlines would decode bytes, and the JSON decoder does it again: this is a mere copy
                yield self.current.decode("latin-1")

    def _blocks(self) -> Iterator[bytes]:
        """Whole lines, several together; of one that is too long, enough to tell."""
        rest: list[bytes] = []
        kept = 0
        while chunk := self._pull():
            cut = chunk.rfind(b"\n") + 1
            if cut:
                block = b"".join((*rest, chunk[:cut]))
                rest = [chunk[cut:]]
                kept = len(chunk) - cut
                yield block
            elif kept <= self._longest:
                rest.append(chunk)
                kept += len(chunk)
        if last := b"".join(rest):
            yield last

    def _pull(self) -> bytes:
        try:
            chunk: bytes = self._read(_BLOCK)
        except EOFError as error:
            # what the standard library's decompressors raise; jsonlines would take it for the end of the file
            raise OSError("the file ends in the middle of its compressed data") from error
        return chunk
