"""JSON pointers (RFC 6901), because people name the places of a log with them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

_BAD_ESCAPE = re.compile(r"~(?![01])")
_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")


class Missing:
    """What a pointer leads to where nothing lies."""


MISSING: Final = Missing()

Pointer = tuple[str, ...]


def parse_pointer(text: str) -> Pointer:
    """The steps of a pointer. Raises `ValueError` with the reason where it is none."""
    if text and not text.startswith("/"):
        raise ValueError('a JSON pointer is empty or begins with "/"')
    if _BAD_ESCAPE.search(text):
        raise ValueError('in a JSON pointer "~" is followed by 0 (for "~") or 1 (for "/")')
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])


def build_pointer(steps: Iterable[str]) -> str:
    """The pointer of these steps."""
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)


def follow(value: Any, pointer: Pointer) -> Any:
    """What lies there, `MISSING` where nothing does."""
    for step in pointer:
        if type(value) is dict and step in value:
            value = value[step]
        elif type(value) is list and _INDEX.fullmatch(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value
