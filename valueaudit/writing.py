"""Outputs on disk: whole or not at all, and never over a file that is somebody else's."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from valueaudit.errors import OutputError, StorageError

_CHUNK = 256 * 1024
_HEAD_OF_OUTPUT = 4096


def words_of(error: OSError) -> str:
    """What the operating system says of an error, in lower case."""
    return (error.strerror or str(error)).lower()


def is_special(path: str) -> bool:
    """Whether `path` is a device or a pipe: written in place, because a rename would replace it by a file."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def check_writable(path: str, *, is_ours: Callable[[bytes], bool]) -> None:
    """Raises `OutputError` where `path` could not be written at the end of the run, or holds a file that is not ours.

    `is_ours` is asked about the first 4 KiB of a file that is there already; an empty one is free to take.
    """
    folder = os.path.dirname(_target(path)) or "."
    if os.path.isdir(path):
        raise OutputError(f'cannot write "{path}": it is a folder', help="name a file inside it")
    if not os.path.isdir(folder):
        raise OutputError(f'cannot write "{path}": there is no folder "{folder}"', help=f"mkdir -p {folder}")
    if is_special(path):
        return
    try:
        if os.path.exists(path):
            with open(path, "r+b") as file:
                head = file.read(_HEAD_OF_OUTPUT)
            if head and not is_ours(head):
                raise OutputError(
                    f'will not overwrite "{path}": it was not written by valueaudit',
                    help="name another file, or move this one away",
                )
        temporary = _temporary_name(_target(path))
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        os.unlink(temporary)
    except OSError as error:
        raise OutputError(f'cannot write "{path}": {words_of(error)}', help=_remedy(error)) from error


def _target(path: str) -> str:
    """The file behind a link, so that the link stays one and the rename does not leave the disk."""
    return os.path.realpath(path) if os.path.islink(path) else path


def _temporary_name(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.{secrets.token_hex(4)}.tmp")


def _remedy(error: OSError) -> str:
    remedies = {
        errno.ENOSPC: "free some space there, or name a path on another disk",
        errno.EDQUOT: "your quota is used up; free some space, or name a path on another disk",
        errno.EFBIG: "the disk takes no file of this size; name a path on another disk",
        errno.EROFS: "it is a read-only disk; name another path",
        errno.EACCES: "ask for permission to write there, or name another path",
        errno.EPERM: "ask for permission to write there, or name another path",
    }
    return remedies.get(error.errno or 0, "check the path and the disk, or name another path")


def _storage_error(path: str, error: OSError) -> StorageError:
    return StorageError(f'cannot write "{path}": {words_of(error)}', help=_remedy(error))


def write_whole(path: str, content: bytes) -> None:
    """Writes `content` to `path` whole or not at all.

    Raises `StorageError`, and then a file that was there before is untouched.
    """
    try:
        if is_special(path):
            with open(path, "wb") as device:
                device.write(content)
        else:
            _replace(_target(path), content)
    except OSError as error:
        raise _storage_error(path, error) from error


def write_new(path: str, content: bytes) -> None:
    """Writes `content` to a file that was not there before. Raises `OutputError` where one was, or it cannot be."""
    try:
        file = open(path, "xb")  # noqa: SIM115 - closed below, and removed where it could not be written whole
    except FileExistsError as error:
        raise OutputError(f'will not overwrite "{path}"', help="name another file, or move this one away") from error
    except OSError as error:
        raise OutputError(f'cannot write "{path}": {words_of(error)}', help=_remedy(error)) from error
    try:
        with file:
            file.write(content)
    except BaseException as error:
        Path(path).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _storage_error(path, error) from error
        raise


def _replace(target: str, content: bytes) -> None:
    temporary = _temporary_name(target)
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def append_whole(path: str, content: bytes) -> None:
    """Adds `content` to the end of a file, which need not be there yet, whole or not at all. Raises `StorageError`."""
    try:
        with open(path, "ab", buffering=0) as file:
            before, rest = file.tell(), memoryview(content)
            try:
                while rest:
                    rest = rest[file.write(rest) :]
            except BaseException:
                file.truncate(before)
                raise
    except OSError as error:
        raise _storage_error(path, error) from error


class RecordsFile:
    """A file that grows line by line under a temporary name of its own and becomes `path` on `commit`, or vanishes.

    Every `OSError` of writing is raised as a `StorageError`; leaving raises none.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._special = is_special(path)
        self._target = path if self._special else _target(path)
        self.part = path if self._special else _temporary_name(self._target)
        try:
            mode = "wb" if self._special else "xb"
            self._file = open(self.part, mode, buffering=_CHUNK)  # noqa: SIM115 - closed by commit or __exit__
        except OSError as error:
            raise _storage_error(self.path, error) from error

    def write(self, line: bytes) -> None:
        """Adds one line, which brings its own line feed."""
        try:
            self._file.write(line)
        except OSError as error:
            raise _storage_error(self.path, error) from error

    def commit(self) -> None:
        """Makes what was written the file at `path`."""
        try:
            self._file.flush()
            if not self._special:
                os.fsync(self._file.fileno())
            self._file.close()
            if not self._special:
                os.replace(self.part, self._target)
        except OSError as error:
            raise _storage_error(self.path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        if not self._special:
            Path(self.part).unlink(missing_ok=True)
