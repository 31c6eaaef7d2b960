"""The records of a source, whatever holds them (lines, one JSON document, rows), told by its first bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from valueaudit.ports import Source
from valueaudit.readers.document import read_document
from valueaudit.readers.faults import NO_JSON
from valueaudit.readers.format import Record
from valueaudit.readers.jsonl import read_jsonl
from valueaudit.readers.lines import LONGEST_LINE
from valueaudit.readers.table import PARQUET, find_delimiter, read_csv, read_parquet
from valueaudit.transcript import BadRecord

_HEAD = 256 * 1024
_BOM = b"\xef\xbb\xbf"
# lines of chats begin with a time in brackets, which is no array: "[01/31/26, 10:00]"
_ARRAY = re.compile(
    rb'\[\s*(?:[\[\]{"]|true|false|null|NaN|-?Infinity|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\s*(?:[,\]]|\Z)|\Z)'
)
_PLAIN_TEXT = "plain text, not JSON; a log has an object for each message or conversation, or a header of columns"


def read_records(source: Source, *, longest_line: int = LONGEST_LINE) -> Iterator[Record | BadRecord]:
    """Each record of `source` in its order; what cannot be read is a `BadRecord`. Raises nothing."""
    head = _peek(source)
    if head.startswith(PARQUET):
        return read_parquet(source)
    if is_document(head):
        return read_document(source, longest=longest_line)
    if not head or _has_json_line(head):
        return read_jsonl(source, longest_line=longest_line)
    delimiter = find_delimiter(head.decode("utf-8-sig", "replace"))
    if delimiter is not None:
        return read_csv(source, delimiter, longest=longest_line)
    return read_text(source, longest_line=longest_line)


def read_text(source: Source, *, longest_line: int = LONGEST_LINE) -> Iterator[Record | BadRecord]:
    """All lines before the first JSON object or array as one `BadRecord`, then what follows as JSON Lines."""
    is_told = is_json = False
    for record in read_jsonl(source, longest_line=longest_line):
        if isinstance(record, Record):
            is_json = is_json or isinstance(record.value, dict | list)
        elif not is_json and record.reason.startswith(NO_JSON):
            if not is_told:
                is_told = True
                yield BadRecord(record.location, _PLAIN_TEXT)
            continue
        yield record


def is_document(head: bytes) -> bool:
    """Whether a file that begins so is one JSON document over several lines, or an array of records.

    JSON Lines otherwise: a line that is whole tells them, so that one bad line at the start does not hide the others.
    """
    head = head.removeprefix(_BOM).lstrip()
    lines = [line for line in head.split(b"\n") if line and not line.isspace()]
    if _ARRAY.match(head):
        return len(lines) < 2 or not (_is_whole(lines[0]) and lines[1].startswith(b"["))
    # the last line may be cut off by the end of what was looked at
    return (
        head.startswith(b"{")
        and len(lines) > 1
        and not any(line.startswith(b"{") and _is_whole(line) for line in lines)
    )


def _has_json_line(head: bytes) -> bool:
    """Whether JSON stands at the start of a line: then the other lines are bad ones, and no table."""
    lines = (line.lstrip(b"\x1e") for line in head.removeprefix(_BOM).split(b"\n"))
    return any(line.startswith(b"{") or _ARRAY.match(line) for line in lines)


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
