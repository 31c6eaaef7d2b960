"""The only room that finds and opens inputs, so that they fail in one way: early and named."""

from __future__ import annotations

import contextlib
import difflib
import errno
import glob
import importlib.util
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from valueaudit.archive import MAGIC as ZIP
from valueaudit.archive import read_members
from valueaudit.errors import InputError, NothingToAuditError
from valueaudit.unpack import Tap, unpack
from valueaudit.writing import is_special, words_of

_TEXT_ENDINGS = tuple(kind + packing for kind in (".jsonl", ".ndjson", ".json") for packing in ("", ".gz", ".zst"))
_MEMBER_ENDINGS = (*_TEXT_ENDINGS, ".csv", ".tsv")
LOG_ENDINGS = (*_MEMBER_ENDINGS, ".parquet", ".zip", ".eval")
STDIN = "-"
PARQUET = b"PAR1"
RECORDS_START = b'{"kind":"header"'
REPORT_START = b'{\n  "schema_version": '
_LONGEST_START = 64

_CHUNK = 256 * 1024
# what macOS packs beside each file, under its name: attributes of the file (RFC 1740)
_APPLE_DOUBLE = b"\0\5\x16\7"

_BINARIES: tuple[tuple[bytes, str, str], ...] = (
    (ZIP, "a zip archive", "unpack it and name the files inside"),
    (PARQUET, "a parquet file", "convert it to JSON Lines first"),
    (b"SQLite format 3\0", "an SQLite database", "export its rows as JSON Lines first"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image", "name a chat log in JSON Lines"),
    (b"%PDF-", "a PDF document", "name a chat log in JSON Lines"),
    (b"\xfd7zXZ\0", "an xz file", "unpack it, or pipe it in: xz -dc FILE | valueaudit scan -"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and name the files inside"),
)
_BOMS = ((b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))

_NUL_PATTERNS: dict[tuple[bool, ...], str] = {
    (True, True, True, False): "UTF-32BE",
    (False, True, True, True): "UTF-32LE",
    (True, False, True, False): "UTF-16BE",
    (False, True, False, True): "UTF-16LE",
}


def find_inputs(paths: Sequence[str], *, allow_empty: bool = False) -> tuple[str, ...]:
    """The files behind files, folders, globs and `-`, each real file once, in the order given (folders sorted).

    Folders are searched through and through for `LOG_ENDINGS`; hidden names and linked folders are left out. Raises
    `InputError` for a path that does not exist or cannot be read, and `NothingToAuditError` for a folder without logs
    or no path at all, unless `allow_empty`.
    """
    found: dict[object, str] = {}
    for path in paths:
        names = tuple(_expand(path))
        if not names and not allow_empty:
            endings = ", ".join(LOG_ENDINGS)
            raise NothingToAuditError(
                f'no chat logs in folder "{path}"',
                help=f"a folder is searched for {endings}; name other files directly",
            )
        for name in names:
            found.setdefault(_identity(name), name)
    if not found and not allow_empty:
        raise NothingToAuditError("no input was given", help="name files, folders or globs, or - for standard input")
    return tuple(found.values())


def _expand(path: str) -> Iterator[str]:
    if path == STDIN:
        yield path
    elif os.path.isdir(path):
        yield from _logs_in(path)
    elif os.path.lexists(path):
        yield path
    elif glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))
        if not matches:
            raise InputError(f'no file matches "{path}"', help=_around(path))
        for match in matches:
            yield from _logs_in(match) if os.path.isdir(match) else (match,)
    else:
        raise InputError(f'no such file or folder "{path}"', help=_nearest(path))


def _logs_in(folder: str) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise _input_error(error.filename or folder, error) from error

    for here, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(here, name)
            is_log = name.lower().endswith(LOG_ENDINGS) and not name.startswith(".")
            # a pipe is read only where it is named: opening one waits for whoever writes into it
            if is_log and not is_special(path) and not _is_ours(path):
                yield path


def _is_ours(path: str) -> bool:
    """Whether a file is what an earlier run left beside its logs: records, or a report."""
    try:
        with open(path, "rb") as file:
            return file.read(_LONGEST_START).startswith((RECORDS_START, REPORT_START))
    except OSError:
        return False


def printable(name: str) -> str:
    """A file name that every document can hold: bytes that are no UTF-8 become replacement characters."""
    return os.fsencode(name).decode("utf-8", "replace")


def _identity(name: str) -> object:
    if name == STDIN:
        return name
    try:
        seen = os.stat(name)
    except OSError as error:
        raise _input_error(name, error) from error
    return seen.st_dev, seen.st_ino


def _around(pattern: str) -> str:
    """What lies where a glob without a match looked."""
    folder = os.path.dirname(re.split(r"[*?[]", pattern, maxsplit=1)[0]) or "."
    if not os.path.isdir(folder):
        return _nearest(folder)
    names = ", ".join(f'"{name}"' for name in _names_in(folder)[:3])
    return f'folder "{folder}" holds {names or "nothing"}'


def _names_in(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _nearest(path: str) -> str:
    """What to try in place of a path that does not exist: the nearest name in the nearest folder that does."""
    wanted = Path(path)
    while not os.path.isdir(wanted.parent):
        wanted = wanted.parent
    close = difflib.get_close_matches(wanted.name, _names_in(str(wanted.parent)), n=1, cutoff=0.5)
    if close:
        return f'did you mean "{wanted.parent / close[0]}"?'
    return f'folder "{wanted.parent}" holds nothing of a similar name; check the spelling and the working folder'


def _input_error(name: str, error: OSError) -> InputError:
    remedies = {
        errno.ENOENT: "check the spelling and the working folder",
        errno.EACCES: "ask for permission to read it, or copy it to a place of yours",
        errno.EISDIR: "name the folder as an input: it is searched for chat logs",
    }
    help = remedies.get(error.errno or 0, "check that the file can be read, for instance by copying it")
    return InputError(f'cannot read "{name}": {words_of(error)}', help=help)


class Opened:
    """One opened input, a `Source`: its decompressed bytes in `stream`, and what was read of the file itself.

    Closes what it was given to close. `packing` is how many bytes of the file on disk one of `read` stands for.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[int], bytes],
        *,
        close: Callable[[], None] | None = None,
        packing: float = 1.0,
    ) -> None:
        self.name = printable(name)
        self._close = close
        self._packing = packing
        self._tap = Tap(read)
        self.stream = unpack(self._tap)

    @property
    def bytes_read(self) -> int:
        """Bytes of the file read so far, before decompression."""
        return round(self._tap.count * self._packing)

    @property
    def sha256(self) -> str | None:
        """The digest of the bytes before decompression in hex, None until they were read to the end."""
        return self._tap.sha256

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._close is not None:
            self._close()


def open_source(path: str, stdin: BinaryIO) -> Opened:
    """The input at `path` (`-` is `stdin`), unpacked by what its bytes say, not its name.

    Raises `InputError` where it cannot be opened, or holds something else than text in UTF-8.
    """
    with contextlib.ExitStack() as on_failure:
        opened = on_failure.enter_context(_open(path, stdin))
        _refuse_binary(opened)
        on_failure.pop_all()
    return opened


def open_logs(path: str, stdin: BinaryIO) -> Iterator[Opened]:
    """The sources at `path`, each open until the next one is asked for: the members of a zip archive, else the file.

    Raises `InputError` like `open_source`, but for a parquet file where the extra that reads it is installed.
    """
    magic = b"" if path == STDIN or is_special(path) else _magic_of(path)
    if magic == ZIP:
        yield from _open_members(path)
        return
    if magic == PARQUET and importlib.util.find_spec("pyarrow") is None:
        remedy = "install what reads it: pip install 'valueaudit[parquet]'"
        raise InputError(f'"{printable(path)}" is a parquet file', help=remedy)
    with _open(path, stdin) if magic == PARQUET else open_source(path, stdin) as opened:
        yield opened


def check_inputs(paths: Sequence[str]) -> None:
    """Raises the `InputError` that `open_logs` would, for every regular file, before the first one is read."""
    for path in paths:
        if path != STDIN and not is_special(path):
            for _ in open_logs(path, io.BytesIO()):
                pass


def _open(path: str, stdin: BinaryIO) -> Opened:
    try:
        if path == STDIN:
            # read1 does not wait for a whole block, so a pipe is audited as it comes
            return Opened(path, getattr(stdin, "read1", stdin.read))
        raw = open(path, "rb", buffering=0)  # noqa: SIM115 (what is opened closes it)
        return Opened(path, raw.read, close=raw.close)
    except OSError as error:
        raise _input_error(path, error) from error


def _open_members(path: str) -> Iterator[Opened]:
    """What lies in an archive and is named like a log, hidden or not; no archives in it, nor tables to be sought in."""
    found = False
    at = path
    try:
        with open(path, "rb") as file:
            for member in read_members(file):
                if member.name.lower().endswith(_MEMBER_ENDINGS):
                    at = f"{path}/{member.name}"
                    packing = member.packed_size / member.size if member.size else 1.0
                    opened = Opened(at, member.read, packing=packing)
                    if _starts_with(opened, _APPLE_DOUBLE):
                        continue
                    found = True
                    _refuse_binary(opened)
                    yield opened
    except OSError as error:
        raise _input_error(at, error) from error
    if not found:
        endings = ", ".join(_MEMBER_ENDINGS)
        raise InputError(f'no chat logs in the archive "{printable(path)}"', help=f"it is searched for {endings}")


def _magic_of(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(len(ZIP))
    except OSError as error:
        raise _input_error(path, error) from error


def _starts_with(opened: Opened, magic: bytes) -> bool:
    try:
        return opened.stream.peek(len(magic)).startswith(magic)
    except OSError:
        return False


def _refuse_binary(opened: Opened) -> None:
    try:
        head = opened.stream.peek(_CHUNK)
    except OSError:
        # damage from the first byte on is the reader's to tell, as a bad record
        return
    for magic, name, remedy in _BINARIES:
        if head.startswith(magic):
            raise InputError(f'"{opened.name}" is {name}, not text', help=remedy)
    encoding = _wide_encoding(head)
    if encoding:
        raise InputError(
            f'"{opened.name}" is text in {encoding}, not in UTF-8',
            help=f"convert it first: iconv -f {encoding} -t UTF-8 FILE > NEW",
        )
    if head[257:262] == b"ustar":
        raise InputError(f'"{opened.name}" is a tar archive, not text', help="unpack it and name the files inside")
    if b"\0" in head:
        raise InputError(f'"{opened.name}" is a binary file, not text', help="name a chat log in JSON Lines")


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32 by byte order mark, else by where the NUL bytes stand (RFC 4627, section 3)."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    return _NUL_PATTERNS.get(tuple(byte == 0 for byte in head[:4]))
