"""The count of keys as they are written, against a plain count in each line."""

from __future__ import annotations

import io
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from valueaudit.readers.keys import count_key_ends

pieces = st.sampled_from([b'"', b":", b'":', b" :", b"\t:", b"x", b"\\", b"\r", b"\n", b'{"a": 1}\n'])


@settings(derandomize=True, deadline=None)
@given(st.lists(pieces, max_size=40).map(lambda parts: b"".join([*parts, b"\n"])))
def test_key_ends_are_counted_by_line(block: bytes) -> None:
    """Each line has as many as it has colons at its start or behind a quotation mark or white space."""
    lines = io.BytesIO(block).readlines()
    assert count_key_ends(block, lines) == [len(re.findall(rb'(?:^|(?<=["\x00-\x20])):', line)) for line in lines]


def test_last_line_without_newline() -> None:
    """The last line of a file counts whether it ends or not."""
    assert count_key_ends(b'{"a":1}\n{"b" :1,"c":":"}', [b'{"a":1}\n', b'{"b" :1,"c":":"}']) == [1, 3]
