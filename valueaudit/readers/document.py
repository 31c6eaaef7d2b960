"""The records of one JSON document, one after the other, so that an export of gigabytes needs no memory of its size."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from valueaudit.ports import Source
from valueaudit.readers.content import Unreadable, quote
from valueaudit.readers.format import Record
from valueaudit.readers.keys import DEEPEST, count_keys
from valueaudit.readers.lines import LONGEST_LINE
from valueaudit.transcript import BadRecord, Location

_CHUNK = 1024 * 1024
_MIB = 1024 * 1024
_SPACE = " \t\r\n"
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_LOST = "what follows is not read"


class _Buffer:
    """The text of a stream from `position` on; what lies before is forgotten with the next `extend`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._at_end = False
        self.text = ""
        self.position = 0
        self.lines_before = 1

    def extend(self) -> bool:
        """Adds at least as much text as there is, False at the end. Raises `OSError` and `UnicodeDecodeError`."""
        kept = len(self.text) - self.position
        self.lines_before += self.text.count("\n", 0, self.position)
        pieces = [self.text[self.position :]]
        self.position = 0
        wanted = max(_CHUNK, kept)
        while wanted > 0 and not self._at_end:
            try:
                chunk = self._stream.read(_CHUNK)
            except EOFError as error:
                raise OSError("the file ends in the middle of its compressed data") from error
            self._at_end = not chunk
            pieces.append(self._decode(chunk, final=not chunk))
            wanted -= len(chunk)
        self.text = "".join(pieces)
        return len(self.text) > kept

    def skip_space(self) -> str:
        """The next character that is not blank, and the position at it; empty at the end."""
        while True:
            while self.position < len(self.text):
                character = self.text[self.position]
                if character not in _SPACE:
                    return character
                self.position += 1
            if not self.extend():
                return ""

    @property
    def line(self) -> int:
        """The line of the position, from 1."""
        return self.lines_before + self.text.count("\n", 0, self.position)


def read_document(source: Source, *, longest: int = LONGEST_LINE) -> Iterator[Record | BadRecord]:
    """Each element of an array, else each value of a document that holds one value after another.

    Locations are JSON pointers (RFC 6901): `/0` for an element, none for the one value. Where the document breaks off,
    or a value is longer than `longest` characters, one last `BadRecord` says so. Raises nothing.
    """
    buffer = _Buffer(source.stream)
    index = 0
    pointer: str | None = None
    try:
        in_array = buffer.skip_space() == "["
        buffer.position += in_array
        while (character := buffer.skip_space()) and not (in_array and character == "]"):
            pointer = f"/{index}" if in_array else None
            if in_array and index:
                _expect_comma(buffer, character)
            location = Location(source.name, None if in_array else buffer.line, pointer)
            yield _read_record(buffer, location, longest)
            index += 1
        if in_array:
            pointer = None
            _expect_end(buffer, character)
    except OSError as error:
        yield BadRecord(Location(source.name, buffer.line, pointer), (error.strerror or str(error)).lower())
    except UnicodeDecodeError as error:
        yield BadRecord(Location(source.name, None, pointer), f"not UTF-8: byte 0x{error.object[error.start]:02x}")
    except Unreadable as error:
        yield BadRecord(Location(source.name, buffer.line, pointer), error.reason)


def _expect_comma(buffer: _Buffer, character: str) -> None:
    if character != ",":
        raise Unreadable(f"not valid JSON: a comma or the end of the array is missing; {_LOST}")
    buffer.position += 1
    buffer.skip_space()


def _expect_end(buffer: _Buffer, character: str) -> None:
    if not character:
        raise Unreadable("the array is cut off: its end is missing")
    buffer.position += 1
    if buffer.skip_space():
        raise Unreadable("not valid JSON: something follows the array; it is not read")


def _read_record(buffer: _Buffer, location: Location, longest: int) -> Record | BadRecord:
    """The value at the position, which moves behind it. Raises `Unreadable` where the document cannot be followed."""
    while True:
        faults: list[str] = []
        try:
            value, end = _decoder(faults).raw_decode(buffer.text, buffer.position)
        except json.JSONDecodeError as error:
            if len(buffer.text) - buffer.position > longest:
                raise Unreadable(f"longer than {longest / _MIB:g} Mi characters, or not valid JSON") from None
            if not buffer.extend():
                message = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
                raise Unreadable(f"not valid JSON: {message}; {_LOST}") from None
            continue
        except ValueError:
            raise Unreadable(f"a number that is out of range; {_LOST}") from None
        except RecursionError:
            raise Unreadable(f"nested more than {DEEPEST} levels deep; {_LOST}") from None
        length = end - buffer.position
        if end == len(buffer.text) and isinstance(value, int | float) and buffer.extend():
            # a number at the end of the text may go on
            continue
        text = buffer.text[buffer.position : buffer.position + length]
        buffer.position += length
        try:
            count_keys(value if isinstance(value, dict) else {"": value})
            _refuse_faults(faults, text, value)
        except Unreadable as error:
            return BadRecord(location, error.reason)
        return Record(value, location)


def _decoder(faults: list[str]) -> json.JSONDecoder:
    """A decoder that goes on where JSON is broken in a way that leaves its end known, and notes that in `faults`."""

    def build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) != len(pairs):
            names = [key for key, _ in pairs]
            repeated = next(key for index, key in enumerate(names) if key in names[:index])
            faults.append(f"duplicate key {quote(repeated)}")
        return built

    def note_constant(name: str) -> None:
        faults.append(f"not valid JSON: {name} is no number in JSON")

    return json.JSONDecoder(object_pairs_hook=build_object, parse_constant=note_constant)


def _refuse_faults(faults: list[str], text: str, value: Any) -> None:
    if faults:
        raise Unreadable(faults[0])
    if _HALF_PAIR.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = ord(error.object[error.start])
            raise Unreadable(f"half a surrogate pair, \\u{half:04x}, which is no character") from None
