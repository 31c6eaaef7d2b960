"""The members of zip archives as streams, so that an export is read as it was downloaded."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from valueaudit.unpack import MOST_EXPANSION, expands_without_end

MAGIC = b"PK\x03\x04"
ENCRYPTED = 0x1
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


class Member:
    """One file in an archive: its name there, its sizes in bytes, and `read`, which tells damage as an `OSError`."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
        self.name = name
        self.size = info.file_size
        self.packed_size = info.compress_size
        self._archive = archive
        self._info = info
        self._stream: BinaryIO | None = None

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, none at the end."""
        try:
            if self._stream is None:
                self._stream = self._open()
            return self._stream.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise OSError(f"the archive is damaged here: {error}") from error

    def _open(self) -> BinaryIO:
        if self._info.flag_bits & ENCRYPTED:
            raise OSError("it is encrypted; unpack it with its password")
        if expands_without_end(self.packed_size, self.size):
            raise OSError(f"it expands more than {MOST_EXPANSION}-fold, so it is not read")
        if self._info.compress_type not in _READABLE:
            raise OSError(f"it is packed by method {self._info.compress_type}, which is not known; unpack it first")
        return self._archive.open(self._info)  # type: ignore[return-value]  # ZipExtFile reads like one

    def close(self) -> None:
        """Ends the reading."""
        if self._stream is not None:
            self._stream.close()


def read_members(file: BinaryIO) -> Iterator[Member]:
    """The files of the archive in its own order, whatever their names: nothing is unpacked to a place that they say.

    Raises `OSError` where it is no archive that can be listed.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise OSError(f"the archive cannot be read: {error}") from error
    with archive:
        times: Counter[str] = Counter()
        for info in archive.infolist():
            if not info.is_dir():
                times[info.filename] += 1
                member = Member(archive, info, _number(info.filename, times[info.filename]))
                try:
                    yield member
                finally:
                    member.close()


def _number(name: str, time: int) -> str:
    """The name of a member, told from that of an earlier one with the same name."""
    return name if time == 1 else f"({time}) {name}"
