"""The records of a source, whatever holds them (lines, one JSON document, rows), told by its first bytes."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from valueaudit.ports import Source
from valueaudit.readers.document import read_document
from valueaudit.readers.format import Record
from valueaudit.readers.jsonl import read_jsonl
from valueaudit.readers.lines import LONGEST_LINE
from valueaudit.readers.table import PARQUET, find_delimiter, read_csv, read_parquet
from valueaudit.transcript import BadRecord

_HEAD = 256 * 1024
_BOM = b"\xef\xbb\xbf"


def read_records(source: Source, *, longest_line: int = LONGEST_LINE) -> Iterator[Record | BadRecord]:
    """Each record of `source` in its order; what cannot be read is a `BadRecord`. Raises nothing."""
    head = _peek(source)
    if head.startswith(PARQUET):
        return read_parquet(source)
    if is_document(head):
        return read_document(source, longest=longest_line)
    delimiter = None if _has_json_line(head) else find_delimiter(head.decode("utf-8-sig", "replace"))
    if delimiter is not None:
        return read_csv(source, delimiter, longest=longest_line)
    return read_jsonl(source, longest_line=longest_line)


def is_document(head: bytes) -> bool:
    """Whether a file that begins so is one JSON document over several lines, or an array of records.

    JSON Lines otherwise: a line that is whole tells them, so that one bad line at the start does not hide the others.
    """
    head = head.removeprefix(_BOM).lstrip()
    lines = [line for line in head.split(b"\n") if line and not line.isspace()]
    if not head.startswith((b"{", b"[")):
        return False
    if head.startswith(b"["):
        return len(lines) < 2 or not (_is_whole(lines[0]) and lines[1].startswith(b"["))
    # the last line may be cut off by the end of what was looked at
    return len(lines) > 1 and not any(line.startswith(b"{") and _is_whole(line) for line in lines)


def _has_json_line(head: bytes) -> bool:
    """Whether JSON stands at the start of a line: then the other lines are bad ones, and no table."""
    return any(line.startswith((b"{", b"[")) for line in head.removeprefix(_BOM).split(b"\n"))


def _peek(source: Source) -> bytes:
    peek = getattr(source.stream, "peek", None)
    if peek is None:
        return b""
    try:
        head: bytes = peek(_HEAD)
    except (OSError, EOFError):
        # damage from the first byte on is told where the lines are read
        return b""
    return head


def _is_whole(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True
