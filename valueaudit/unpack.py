"""Decompression that tells damage instead of hiding it: the libraries' own streams end a cut zstd file in silence."""

from __future__ import annotations

import hashlib
import io
import zlib
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

import zstandard

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE_ZSTD = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))
_LONGEST_MAGIC = 4
_PLAIN_CHUNK = 256 * 1024
# a zstd block of 4 bytes may hold 128 KiB, so what is inflated at once stays below 256 MiB
_PACKED_CHUNK = 8 * 1024
# text that packs so well is no log; deflate ends at 1,032 bytes out of one, zstd packs a thousand times as much
MOST_EXPANSION = 500
ALWAYS_ALLOWED = 1024 * 1024 * 1024
_CUT_SHORT = "the file ends in the middle of its compressed data"


class _Inflater(Protocol):
    """What zlib and zstandard decompressors have in common: one gzip member or one zstd frame each."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class Tap:
    """The raw bytes of an input, counted and hashed as they pass."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._hash = hashlib.sha256()
        self._at_end = False
        self.count = 0

    def pull(self, size: int) -> bytes:
        """Up to `size` bytes, none at the end."""
        chunk = self._read(size)
        self._hash.update(chunk)
        self.count += len(chunk)
        self._at_end = not chunk
        return chunk

    @property
    def sha256(self) -> str | None:
        """The digest of everything in hex, None before the end."""
        return self._hash.hexdigest() if self._at_end else None


def unpack(tap: Tap) -> io.BufferedReader:
    """The bytes of `tap` as a buffered stream; gzip and zstd, told by their first bytes, are decompressed.

    All members and frames are read. What could be inflated is handed out first; then damage is told as an `OSError`
    whose text says it in words.
    """
    head = b""
    while len(head) < _LONGEST_MAGIC and (piece := tap.pull(_PACKED_CHUNK)):
        head += piece
    raw: io.RawIOBase
    if head.startswith(_GZIP):
        raw = _Inflated(tap, head, lambda: zlib.decompressobj(wbits=31))
    elif head.startswith((_ZSTD, *_SKIPPABLE_ZSTD)):
        raw = _Inflated(tap, head, lambda: zstandard.ZstdDecompressor().decompressobj())
    else:
        raw = _Plain(tap, head)
    return io.BufferedReader(raw, _PLAIN_CHUNK)


def expands_without_end(packed: int, unpacked: int) -> bool:
    """Whether so few bytes stand for so many that only a trap does it."""
    return unpacked > ALWAYS_ALLOWED and unpacked > MOST_EXPANSION * packed


class _Ready(io.RawIOBase):
    """A raw stream over blocks of any size: what does not fit into the caller's buffer waits for the next call."""

    def __init__(self, tap: Tap, head: bytes) -> None:
        self._tap = tap
        self._head = head
        self._waiting = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._waiting:
            self._waiting = memoryview(self._next_block())
        size = min(len(buffer), len(self._waiting))
        buffer[:size] = self._waiting[:size]
        self._waiting = self._waiting[size:]
        return size

    def _pull(self, size: int) -> bytes:
        block, self._head = self._head or self._tap.pull(size), b""
        return block

    @abstractmethod
    def _next_block(self) -> bytes:
        """The next bytes, none at the end."""


class _Plain(_Ready):
    def _next_block(self) -> bytes:
        return self._pull(_PLAIN_CHUNK)


class _Inflated(_Ready):
    def __init__(self, tap: Tap, head: bytes, start: Callable[[], _Inflater]) -> None:
        super().__init__(tap, head)
        self._start = start
        self._inflater = start()
        self._damage: str | None = None
        self._unpacked = 0

    def _next_block(self) -> bytes:
        while self._damage is None:
            raw = self._pull(_PACKED_CHUNK)
            if not raw and self._inflater.eof:
                return b""
            if not raw:
                self._damage = _CUT_SHORT
            elif block := self._inflate(raw):
                self._unpacked += len(block)
                if expands_without_end(self._tap.count, self._unpacked):
                    self._damage = f"it expands more than {MOST_EXPANSION}-fold, so the rest is not read"
                return block
        raise OSError(self._damage)

    def _inflate(self, raw: bytes) -> bytes:
        blocks: list[bytes] = []
        while raw:
            if self._inflater.eof:
                # tapes and block devices fill up with zeros after the last member
                raw = raw.lstrip(b"\0")
                if not raw:
                    break
                self._inflater = self._start()
            try:
                blocks.append(self._inflater.decompress(raw))
            except (zlib.error, zstandard.ZstdError) as error:
                self._damage = f"the compressed data cannot be read further: {error}"
                break
            raw = self._inflater.unused_data if self._inflater.eof else b""
        return b"".join(blocks)
