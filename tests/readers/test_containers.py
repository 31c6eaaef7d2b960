from __future__ import annotations

import datetime
import io
import json
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from fakes import FakeSource, records_of, told
from hypothesis import given, settings
from hypothesis import strategies as st

from valueaudit.readers.containers import is_document, read_records
from valueaudit.readers.document import read_document
from valueaudit.readers.format import Record
from valueaudit.readers.table import find_delimiter, normal_row
from valueaudit.transcript import BadRecord, Location

# the same examples on every machine, and no clock: a slow machine is no failure
steady = settings(deadline=None, derandomize=True, max_examples=60)

LOST = "what follows is not read"
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'{"a": 1}\n{"a": 2}\n', False),
        (b'{"a": 1}', False),
        (b'{"a": \n{"a": 2}\n', False),
        (b"hello\n", False),
        (b"", False),
        (b'{\n  "a": 1\n}\n', True),
        (b'\xef\xbb\xbf{\r\n  "a": 1\r\n}', True),
        (b'[{"a": 1}]', True),
        (b'[\n{"a": 1},\n{"a": 2}\n]', True),
        (b'[{"a": 1},\n{"a": 2}]', True),
        (b"[1]\n[2]\n", False),
        (b"\n\n [", True),
        (b"[1, 2]", True),
        (b"[-1.5e3,\n2]", True),
        (b"[12", True),
        (b"[null]", True),
        (b"[01/31/26, 10:00:00] Ann: Hi\n", False),
        (b"[31.01.26, 10:00:00] Ann: Hi\n", False),
        (b"[2026-01-31 10:00] Ann: Hi\n", False),
        (b"[10:00] Ann: Hi\n", False),
        (b"[Ann] Hi\n", False),
    ],
)
def test_a_document_is_told_from_lines(head: bytes, expected: bool) -> None:
    """One JSON document is told from JSON Lines by its start, though a line at the start may be bad."""
    assert is_document(head) is expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'[{"a": 1},\n {"b": 2}]', [("log/0", {"a": 1}), ("log/1", {"b": 2})]),
        (b"[]", []),
        (b'{\n"a": 1}\n{\n"b": 2}', [("log:1", {"a": 1}), ("log:3", {"b": 2})]),
        (b"[1, 2.5]", [("log/0", 1), ("log/1", 2.5)]),
        (b'[{"a":1,"a":2}, 3]', [("log/0", '!duplicate key "a"'), ("log/1", 3)]),
        (b"[NaN, 3]", [("log/0", "!not valid JSON: NaN is no number in JSON"), ("log/1", 3)]),
        (b'["\\ud800", 3]', [("log/0", "!half a surrogate pair, \\ud800, which is no character"), ("log/1", 3)]),
        (b'["\\ud83d\\ude00"]', [("log/0", "\U0001f600")]),
        (b"[1,", [("log/0", 1), ("log:1/1", "!not valid JSON: expecting value; what follows is not read")]),
        (b"[1", [("log/0", 1), ("log:1", "!the array is cut off: its end is missing")]),
        (b"[1] x", [("log/0", 1), ("log:1", "!not valid JSON: something follows the array; it is not read")]),
        (b"[", [("log:1", "!the array is cut off: its end is missing")]),
        (b"[[" + b"9" * 5000 + b"]]", [("log:1/0", "!a number that is out of range; what follows is not read")]),
        (
            b'{\n"a":1}{\n"b":[',
            [("log:1", {"a": 1}), ("log:2", "!not valid JSON: expecting value; what follows is not read")],
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_document_gives_its_elements(content: bytes, expected: list[tuple[str, object]]) -> None:
    """Elements come with their pointers, values with their lines; what is broken is told where it is."""
    assert told(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        "User: Hi, you\n\nBot: Hello\nUser: Well\n",
        "[01/31/26, 10:00:00] Ann: Hi\n[01/31/26, 10:00:05] Bot: Hello\n",
        "\u200e[31.01.26, 10:00:00] Ann: Hi\n\u200e[31.01.26, 10:00:05] Bot: Hello\n",
        "12/31/25, 10:00 - Ann: Hi\n12/31/25, 10:01 - Bot: Hello\n",
        "[Ann] Hi\n[Bot] Hello\n",
        "x" * 500_000,
    ],
)
def test_plain_text_is_one_bad_record(content: str) -> None:
    """What has neither JSON nor a header of columns is told once, not for each line, and is no table of dates."""
    ((where, reason),) = told(content.encode())
    assert where == "log:1"
    assert str(reason).startswith("!plain text, not JSON")


def test_what_follows_plain_text_is_read() -> None:
    """A log may begin far behind other text: from its first object on, each bad line is told."""
    found = told(b"\n" + b"Hello\n" * 100_000 + b"12\n\xff\n" + b'{"a": 1}\nHello\n')
    assert [where for where, _ in found] == ["log:2", "log:100002", "log:100003", "log:100004", "log:100005"]
    assert [value for _, value in found][1::2] == [12, {"a": 1}]
    assert str(found[-1][1]).startswith("!not valid JSON")


def test_a_missing_comma_ends_the_document() -> None:
    """Where the elements cannot be told apart any more, the rest is one bad record."""
    (_, good), (where, bad) = told(b'[{"a": 1}\n{"b": 2}]')
    assert good == {"a": 1}
    assert where == "log:2/1"
    assert isinstance(bad, str)
    assert "a comma or the end of the array is missing" in bad


@pytest.mark.parametrize("depth", [150, 100_000])
def test_depth_is_bounded(depth: int) -> None:
    """Deep nesting is a bad record, whether the decoder gets through it or not."""
    ((_, reason),) = told(b"[" + b"[" * depth + b"]" * depth + b"]")
    assert isinstance(reason, str)
    assert "nested more than 100 levels deep" in reason


def test_bytes_that_are_no_text_end_the_document() -> None:
    """A byte that is no UTF-8 is told with its value."""
    assert told(b'["ab", "\xff"]')[-1][1] == "!not UTF-8: byte 0xff"


def test_a_value_may_be_longer_than_a_piece_of_the_stream() -> None:
    """A text of megabytes, and a number on the border of two pieces, are read whole."""
    long = "x" * 2_500_000
    document = json.dumps([long, 12345678, {"a": long}]).encode()
    assert [record.value for record in records_of(document) if isinstance(record, Record)] == [
        long,
        12345678,
        {"a": long},
    ]


def test_a_value_that_is_too_long_is_not_held() -> None:
    """What does not end within the longest length is given up instead of read into memory."""
    source = FakeSource(b'["' + b"x" * 5_000_000)
    (bad,) = read_document(source, longest=2_000_000)
    assert isinstance(bad, BadRecord)
    assert "longer than 1.90735 Mi characters" in bad.reason


class BreakingStream(io.RawIOBase):
    """A stream that breaks after its first bytes."""

    def __init__(self, content: bytes, error: Exception) -> None:
        self._content = content
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._content:
            raise self._error
        size = min(len(buffer), len(self._content))
        buffer[:size] = self._content[:size]
        self._content = self._content[size:]
        return size


@pytest.mark.parametrize("content", [b'[{"a":1}, ', b"a,b\n1,2\n", b'{"a":1}\n'], ids=["document", "table", "lines"])
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), EOFError("cut")], ids=repr)
def test_a_stream_that_breaks_is_told(content: bytes, error: Exception) -> None:
    """What was read before the stream broke is kept, and one last bad record says what happened."""
    source = FakeSource(b"")
    source.stream = io.BufferedReader(BreakingStream(content, error))
    *_, last = read_records(source)
    assert isinstance(last, BadRecord)


@steady
@given(st.lists(values, max_size=4))
def test_a_document_is_what_its_decoder_says(elements: list[object]) -> None:
    """Any array of JSON values gives these values, one record each, wherever the lines break."""
    for indent in (None, 1):
        found = records_of(json.dumps(elements, indent=indent).encode())
        assert [record.value for record in found if isinstance(record, Record)] == elements


@steady
@given(st.binary(max_size=60), st.sampled_from([b"", b"[", b"{", b"a,b\n", b"PAR1"]))
def test_no_bytes_raise(content: bytes, start: bytes) -> None:
    """Whatever bytes a source holds, its records can be listed."""
    for record in records_of(start + content):
        assert str(record.location).startswith("log")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("a,b\n1,2\n", ","),
        ("a\tb\n1\t2\n", "\t"),
        ("a;b\n1;2", ";"),
        ("a|b\n1|2", "|"),
        ('a,b\n"1, 2",3\n', ","),
        ("a,b\n1", ","),
        ("a,b\n1\n", None),
        ("a,a\n1,2\n", None),
        ("a,\n1,2\n", None),
        ("hello\n", None),
        ("x" * 100 + ",b\n1,2\n", None),
        ("", None),
    ],
)
def test_a_table_is_told_by_its_header(head: str, expected: str | None) -> None:
    """Two or more names and a row of as many fields make a table; anything else is none."""
    assert find_delimiter(head) == expected


def test_rows_are_records() -> None:
    """Each row under the header is an object; blank rows do not count, and line ends inside of quotation marks stay."""
    table = '\ufeffuser , answer\r\n"hi, ""you""",hello\r\n\r\n"two\nlines",x\r\n'.encode()
    assert told(table) == [
        ("log:2", {"user": 'hi, "you"', "answer": "hello"}),
        ("log:5", {"user": "two\nlines", "answer": "x"}),
    ]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (b"1,2,3\n5,6\n", "!a row of 3 fields under a header of 2"),
        (b'"1" x,2\n5,6\n', "!not valid CSV: ',' expected after '\"'"),
        (b"1,\xff\n5,6\n", "!not UTF-8: byte 0xff; what follows is not read"),
        (b'1,"open\n', "!not valid CSV: unexpected end of data"),
    ],
)
def test_bad_rows_are_bad_records(rows: bytes, reason: str) -> None:
    """A row that does not fit is told with its line, and the rows around it are read where they can be."""
    found = told(b"a,b\n0,0\n" + rows)
    assert reason in [value for _, value in found]


def test_a_bad_line_does_not_make_a_table() -> None:
    """Where JSON stands at the start of a line, lines with commas are bad lines of JSON."""
    (_, bad), (_, good) = told(b'oh, no\n{"a": 1}\n')
    assert good == {"a": 1}
    assert str(bad).startswith("!not valid JSON")


def test_parquet_rows_are_records() -> None:
    """Rows of a parquet file come as JSON knows them, each with its number."""
    rows = [{"text": "hi", "at": datetime.datetime(2026, 1, 2), "turns": [{"role": "user"}]}, {"text": "b"}]
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    assert told(file.getvalue()) == [
        ("log/0", {"text": "hi", "at": "2026-01-02T00:00:00", "turns": [{"role": "user"}]}),
        ("log/1", {"text": "b", "at": None, "turns": None}),
    ]
    ((_, reason),) = told(file.getvalue()[:-9])
    assert str(reason).startswith("!the parquet file cannot be read")


def test_a_row_that_json_does_not_know_is_bad() -> None:
    """A value that has no place in JSON makes a bad record of its row."""
    assert isinstance(normal_row({"a": object()}, Location("log")), BadRecord)
