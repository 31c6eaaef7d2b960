"""The records of JSON Lines, with their lines: a bad line is one bad record, and the next one is read."""

from __future__ import annotations

from collections.abc import Iterator

import jsonlines
import msgspec

from valueaudit.ports import Source
from valueaudit.readers.content import Unreadable
from valueaudit.readers.faults import explain_fault, refuse_hidden
from valueaudit.readers.format import Record
from valueaudit.readers.lines import LONGEST_LINE, Lines
from valueaudit.transcript import BadRecord, Location

_MIB = 1024 * 1024


def read_jsonl(source: Source, *, longest_line: int = LONGEST_LINE) -> Iterator[Record | BadRecord]:
    """One `Record` or `BadRecord` for each non-blank line of `source`, in its order.

    Where the stream itself breaks off, one last `BadRecord` says so. Lines of more than `longest_line` bytes are
    skipped and named. Raises nothing, whatever the lines hold.
    """
    lines = Lines(source.stream, longest_line)
    decode = msgspec.json.Decoder().decode
    # the bytes themselves: what jsonlines hands on is text, which would have to be encoded first
    read = jsonlines.Reader(lines, loads=lambda _: decode(lines.current)).read
    name = source.name
    outcome: Record | BadRecord
    while True:
        try:
            value = read(allow_none=True)
            refuse_hidden(value, lines.current, lines.key_ends)
            outcome = Record(value, Location(name, lines.number, None))
        except EOFError:
            return
        except OSError as error:
            yield BadRecord(Location(name, lines.number + 1, None), (error.strerror or str(error)).lower())
            return
        except Unreadable as error:
            outcome = BadRecord(Location(name, lines.number, None), error.reason)
        except (jsonlines.InvalidLineError, RecursionError) as error:
            too_long = f"the line is longer than {longest_line / _MIB:g} MiB" if lines.is_too_long else None
            outcome = BadRecord(Location(name, lines.number, None), too_long or explain_fault(error, lines.current))
        yield outcome
