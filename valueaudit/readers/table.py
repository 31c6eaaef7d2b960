"""The rows of a table as records: CSV by its header, parquet by its columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from valueaudit.ports import Source
from valueaudit.readers.content import quote
from valueaudit.readers.format import Record
from valueaudit.readers.lines import LONGEST_LINE
from valueaudit.transcript import BadRecord, Location

PARQUET = b"PAR1"

_DELIMITERS = (",", "\t", ";", "|")
_LONGEST_NAME = 80
_ROWS_AT_ONCE = 256
# with what lines of exported chats begin: "[31.01.26, 10:00:00] Ann: Hi, ...", with a mark of direction before
_DATE = re.compile(r"[\u200e\u200f]?\[?\d{1,4}([./-])\d{1,2}\1\d{1,4}\b")


def find_delimiter(head: str) -> str | None:
    """What separates the columns of a table that begins so, None where this is no table with a header.

    A header is at least two names, none twice, none longer than 80 characters, the first no date, and the first row
    has as many fields.
    """
    for delimiter in _DELIMITERS:
        # the end of the head may lie inside of a row
        rows = csv.reader(io.StringIO(head), delimiter=delimiter)
        try:
            header = next(rows, [])
            row = next((row for row in rows if row), [])
        except csv.Error:
            continue
        named = [name.strip() for name in header]
        if named and _DATE.match(named[0]):
            return None
        if len(header) > 1 and all(named) and len(set(named)) == len(named) and max(map(len, named)) <= _LONGEST_NAME:
            cut_off = not head.endswith("\n") and len(row) < len(header)
            if len(row) == len(header) or cut_off:
                return delimiter
    return None


def read_csv(source: Source, delimiter: str, *, longest: int = LONGEST_LINE) -> Iterator[Record | BadRecord]:
    """One record for each row under the header, an object of texts; a location is the line on which the row ends.

    A row with more or fewer fields than the header is a `BadRecord`. Raises nothing.
    """
    csv.field_size_limit(longest)
    # newline="" leaves line ends inside of quotation marks to csv
    text = io.TextIOWrapper(source.stream, encoding="utf-8-sig", newline="")
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            yield BadRecord(Location(source.name, rows.line_num, None), f"not valid CSV: {error}")
            continue
        except UnicodeDecodeError as error:
            reason = f"not UTF-8: byte 0x{error.object[error.start]:02x}; what follows is not read"
            yield BadRecord(Location(source.name, rows.line_num + 1, None), reason)
            break
        except (OSError, EOFError) as error:
            yield BadRecord(Location(source.name, rows.line_num + 1, None), str(error).lower())
            break
        if not row:
            continue
        if header is None:
            header = [name.strip() for name in row]
        else:
            yield _build_row(header, row, Location(source.name, rows.line_num, None))
    # a wrapper that is thrown away would close the stream, which is not ours
    text.detach()


def _build_row(header: list[str], row: list[str], location: Location) -> Record | BadRecord:
    if len(row) != len(header):
        return BadRecord(location, f"a row of {len(row)} fields under a header of {len(header)}")
    return Record(dict(zip(header, row, strict=True)), location)


def read_parquet(source: Source) -> Iterator[Record | BadRecord]:
    """One record for each row; a location is `/` and the number of the row, from 0.

    The file is held in memory as it lies on disk, since its table of contents stands at its end. Needs the extra
    `valueaudit[parquet]`. Raises nothing because of what the file holds.
    """
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(io.BytesIO(source.stream.read())) as table:
            for batch in table.iter_batches(batch_size=_ROWS_AT_ONCE):
                for row in batch.to_pylist():
                    yield normal_row(row, Location(source.name, None, f"/{number}"))
                    number += 1
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        yield BadRecord(Location(source.name, None, f"/{number}"), f"the parquet file cannot be read: {quote(reason)}")


def normal_row(row: dict[str, Any], location: Location) -> Record | BadRecord:
    """The row as JSON knows it: times and decimals as texts, bytes in base64."""
    try:
        return Record(msgspec.to_builtins(row, str_keys=True), location)
    except (TypeError, msgspec.MsgspecError) as error:
        return BadRecord(location, f"a row with a value that JSON does not know: {error}")
