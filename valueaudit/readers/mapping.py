"""What `--map` says, so that a log in a shape nobody foresaw can be read without a script."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from valueaudit.errors import UsageError
from valueaudit.readers.content import quote
from valueaudit.readers.format import Format, Parser, alone
from valueaudit.readers.mapped import Beside, MappedRows, Pair, Place, Spoken, parse_mapped_list, parse_mapped_pair
from valueaudit.readers.pointers import parse_pointer
from valueaudit.transcript import Role

# before the mapping itself: the name of its format, so that a report says how its figures were read
MAPPED = "map:"

_ONCE = ("messages", "role", "text")
_SEVERAL = ("user", "assistant", "system", "id", "model")
_PAIR = ("user", "assistant")
_METADATA = "metadata."
_ROLE = "role:"
_KNOWN = "user, assistant, system, messages, role, text, role:NAME, id, model, metadata.NAME"
_HELP = (
    "two columns: --map user=prompt,assistant=completion; a list of messages: --map "
    "messages=/dialog,role=/speaker,text=/utterance,role:agent=assistant; one message a record: --map "
    "role=speaker,text=utterance,id=conversation"
)
_COMMA = re.compile(r"(?<!\\),")

_T = TypeVar("_T", Place, Role)
_Named = dict[str, list[Place]]


def parse_mapping(text: str) -> Format:
    r"""The format that a mapping describes: `KEY=COLUMN` or `KEY=/json/pointer`, with commas between, `\,` for a comma.

    Raises `UsageError` where it says too little, too much, or nothing that we know.
    """
    named: _Named = defaultdict(list)
    metadata: dict[str, Place] = {}
    roles: dict[str, Role] = {}
    for part in _COMMA.split(text):
        key, equals, value = part.replace("\\,", ",").strip().partition("=")
        if not equals or not key:
            raise _refusal(f"{quote(part.strip())} is not KEY=COLUMN")
        if key.startswith(_ROLE) and key != _ROLE:
            _add_once(roles, key.removeprefix(_ROLE).strip().lower(), _parse_role(key, value), key)
        elif key.startswith(_METADATA) and key != _METADATA:
            _add_once(metadata, key.removeprefix(_METADATA), _parse_place(key, value), key)
        elif key in _ONCE or key in _SEVERAL:
            if key in _ONCE and named[key]:
                raise _refusal(f"{quote(key)} is named twice")
            named[key].append(_parse_place(key, value))
        else:
            raise _refusal(f"unknown key {quote(key)}; known are {_KNOWN}")
    _check(named, has_roles=bool(roles))
    return _build_format(text, named, metadata, roles)


def _build_format(text: str, named: _Named, metadata: dict[str, Place], roles: dict[str, Role]) -> Format:
    start: Callable[[], Parser]
    beside = Beside(tuple(named["system"]), tuple(named["id"]), tuple(named["model"]), tuple(metadata.items()))
    if named["user"]:
        pair = Pair(tuple(named["user"]), tuple(named["assistant"]))
        start = alone(partial(parse_mapped_pair, pair, beside))
    else:
        spoken = Spoken(named["role"][0], named["text"][0], roles)
        if named["messages"]:
            start = alone(partial(parse_mapped_list, named["messages"][0], spoken, beside))
        else:
            start = partial(MappedRows, spoken, beside)
    return Format(name=MAPPED + text, title="what --map says", recognises=lambda _: True, start=start, example="")


def _check(named: _Named, *, has_roles: bool) -> None:
    """Raises `UsageError` where what is named makes no conversation."""
    pair = [key for key in _PAIR if named[key]]
    others = [key for key in _ONCE if named[key]] + ["role:NAME"] * has_roles
    if pair and others:
        raise _refusal(f"{quote(pair[0])} and {quote(others[0])} do not go together")
    wanted = _PAIR if pair else ("role", "text") if others else ()
    for key in wanted:
        if not named[key]:
            raise _refusal(f"{quote(key)} is missing")
    if not wanted:
        raise _refusal('nothing says who speaks: "user" and "assistant", or "role" and "text", are missing')
    if others and not named["messages"]:
        if not named["id"]:
            raise _refusal('"messages" is missing, or "id" where every record is one message')
        if named["system"]:
            raise _refusal('"system" goes with "messages" or with "user" and "assistant"')


def _parse_place(key: str, value: str) -> Place:
    """A JSON pointer where it begins with a slash, else a column. The list of messages may be the record itself."""
    if not value:
        if key == "messages":
            return Place((), "the record")
        raise _refusal(f"{quote(key)} names no column")
    if not value.startswith("/"):
        return Place((value,), value)
    try:
        return Place(parse_pointer(value), value)
    except ValueError as error:
        raise _refusal(f"{quote(f'{key}={value}')}: {error}") from None


def _parse_role(key: str, value: str) -> Role:
    try:
        return Role(value)
    except ValueError:
        known = ", ".join(Role)
        raise _refusal(f"{quote(f'{key}={value}')}: unknown role {quote(value)}; known are {known}") from None


def _add_once(table: dict[str, _T], name: str, value: _T, key: str) -> None:
    if name in table:
        raise _refusal(f"{quote(key)} is named twice")
    table[name] = value


def _refusal(message: str) -> UsageError:
    return UsageError(f"--map: {message}", help=_HELP)
