"""Why a line is no usable JSON, said in words: found slowly and exactly, only where the fast decoder has doubts."""

from __future__ import annotations

import json
import re
from typing import Any

from valueaudit.readers.content import Unreadable, quote
from valueaudit.readers.lines import LineTooLong

DEEPEST = 100
# of messages below each other, which are two levels each: far from the interpreter's own limit
LONGEST_CHAIN = 300

_BACKSLASH = ord("\\")
_MIB = 1024 * 1024
_TOO_DEEP = f"nested more than {DEEPEST} levels deep"
_KEY_ENDS = re.compile(rb'"[ \t\r\n]*:')
_CHAINED = frozenset({"messageId", "isCreatedByUser"})
_ESCAPED_KEY_ENDS = re.compile(rb'\\"[ \t\r\n]*:')


class _Found(Exception):
    """Leaves the standard decoder with what was looked for."""


def explain_fault(error: Exception, line: bytes) -> str:
    """Why `line` could not be decoded, without repeating its text."""
    if isinstance(error, LineTooLong):
        return f"the line is longer than {error.limit / _MIB:g} MiB"
    if isinstance(error, RecursionError):
        return _TOO_DEEP
    cause = error.__cause__
    if isinstance(cause, UnicodeDecodeError):
        return f"not UTF-8: byte 0x{cause.object[cause.start]:02x} at position {cause.start + 1} of the line"
    return _explain_syntax(_text_of(line)) or "a number that is out of range"


def refuse_hidden(value: Any, line: bytes) -> None:
    """Raises `Unreadable` where an object in `line` names a key twice, or values lie too deep.

    JSON does not say which of two equal keys counts (RFC 8259, section 4), so whoever writes the log could show the
    audit another text than the user saw.
    """
    if type(value) is list:
        keys = count_keys({"": value}) - 1
    elif type(value) is dict:
        keys = count_keys(value)
    else:
        return
    if _may_repeat_keys(line, keys):
        try:
            json.loads(_text_of(line), object_pairs_hook=_refuse_repeated, parse_int=str, parse_float=str)
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


def count_keys(record: dict[str, Any]) -> int:
    """The keys of all objects in the record. Raises `Unreadable` where they lie too deep."""
    record, laid_out = _lay_out(record)
    count = len(record) + laid_out
    level: list[Any] = []
    for field, value in record.items():
        if type(value) is dict:
            level.append(value)
        elif type(value) is list:
            if field == "messages":
                # most messages are a role and a text, with nothing below; passing over them is a tenth of the time
                plain = len(value)
                value = [m for m in value if type(m) is not dict or len(m) != 2 or type(m.get("content")) is not str]
                count += 2 * (plain - len(value))
            level.append(value)
    for _ in range(DEEPEST):
        if not level:
            return count
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                count += len(node)
                node = node.values()
            below += [child for child in node if type(child) is dict or type(child) is list]
        level = below
    raise Unreadable(_TOO_DEEP)


def _lay_out(record: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """A record whose messages hang below each other, as LibreChat exports them, with all of them side by side.

    Beside it is the number of `children` that it no longer has. How deep such messages lie says nothing but how many
    there are, and their reader keeps none of it.
    """
    level = record.get("messages") if "conversationId" in record else None
    first = level[0] if type(level) is list and level else None
    if type(first) is not dict or _CHAINED.isdisjoint(first):
        return record, 0
    messages: list[Any] = []
    laid_out = 0
    for _ in range(LONGEST_CHAIN):
        below: list[Any] = []
        for message in level or ():
            if type(message) is dict and type(message.get("children")) is list:
                below += message["children"]
                laid_out += 1
                message = {field: value for field, value in message.items() if field != "children"}
            messages.append(message)
        if not below:
            return {**record, "messages": messages}, laid_out
        level = below
    raise Unreadable(f"more than {LONGEST_CHAIN} messages below each other")


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
        return f"not valid JSON: {found} is no number in JSON"
    except json.JSONDecodeError as error:
        message = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        return f"not valid JSON: {message} at character {error.pos + 1}"
    except RecursionError:
        return _TOO_DEEP
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        return f"half a surrogate pair, \\u{ord(error.object[error.start]):04x}, which is no character"
    return None


def _refuse_constant(name: str) -> None:
    raise _Found(name)


def _text_of(line: bytes) -> str:
    text = line.decode()
    # jsonlines skips one of these at the start of any line: a byte order mark, or the RFC 7464 separator
    return text[1:] if text.startswith(("\ufeff", "\x1e")) else text
