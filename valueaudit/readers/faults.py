"""Why a line is no usable JSON, said in words: found slowly and exactly, only where the fast decoder has doubts."""

from __future__ import annotations

import json
import re
from typing import Any

from valueaudit.readers.content import Unreadable, quote
from valueaudit.readers.keys import TOO_DEEP, UNKNOWN, count_keys

NO_JSON = "not valid JSON: "

_BACKSLASH = ord("\\")
_KEY_ENDS = re.compile(rb'"[ \t\r\n]*:')
_ESCAPED_KEY_ENDS = re.compile(rb'\\"[ \t\r\n]*:')


class _Found(Exception):
    """Leaves the standard decoder with what was looked for."""


def explain_fault(error: Exception, line: bytes) -> str:
    """Why `line` could not be decoded, without repeating its text."""
    if isinstance(error, RecursionError):
        return TOO_DEEP
    try:
        text = line.decode()
    except UnicodeDecodeError as cause:
        return f"not UTF-8: byte 0x{line[cause.start]:02x} at position {cause.start + 1} of the line"
    return _explain_syntax(text) or "a number that is out of range"


def refuse_hidden(value: Any, line: bytes, key_ends: int = UNKNOWN) -> None:
    """Raises `Unreadable` where an object in `line` names a key twice, or values lie too deep.

    JSON does not say which of two equal keys counts (RFC 8259, section 4), so whoever writes the log could show the
    audit another text than the user saw. `key_ends` is what `count_key_ends` says of the line.
    """
    if type(value) is list:
        keys = count_keys({"": value}) - 1
    elif type(value) is dict:
        keys = count_keys(value)
    else:
        return
    if keys != key_ends and _may_repeat_keys(line, keys):
        try:
            json.loads(line.decode(), object_pairs_hook=_refuse_repeated, parse_int=str, parse_float=str)
        except _Found as found:
            raise Unreadable(f"duplicate key {quote(str(found))}") from None


def _may_repeat_keys(line: bytes, keys: int) -> bool:
    """Whether `line` may hold more keys than the `keys` that were decoded; never False where it does.

    Outside of strings, a quotation mark before a colon ends a key. Inside, it is escaped, or it opens a string that
    begins with the colon: the one case that makes this True without need.
    """
    seen = len(_KEY_ENDS.findall(line))
    if seen != keys and b"\\" in line:
        seen -= sum(_is_escaped(line, found.start() + 1) for found in _ESCAPED_KEY_ENDS.finditer(line))
    return seen != keys


def _is_escaped(line: bytes, position: int) -> bool:
    """Whether the character there follows an odd number of backslashes."""
    start = position
    while start and line[start - 1] == _BACKSLASH:
        start -= 1
    return (position - start) % 2 == 1


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _Found(key)
        seen.add(key)


def _explain_syntax(text: str) -> str | None:
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=str)
    except _Found as found:
        return f"{NO_JSON}{found} is no number in JSON"
    except json.JSONDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        return f"{NO_JSON}{message} at character {error.pos + 1}"
    except RecursionError:
        return TOO_DEEP
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        return f"half a surrogate pair, \\u{ord(error.object[error.start]):04x}, which is no character"
    return None


def _refuse_constant(name: str) -> None:
    raise _Found(name)
