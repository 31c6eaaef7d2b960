"""A tree of text read into the declared document, by its types alone and with all problems gathered."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from itertools import count, takewhile
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from valueaudit.policy.yaml_tree import Broken, Mapping, Mark, Node, Problem, Scalar, Sequence
from valueaudit.rules.fields import ONE_OR_MANY, PERCENTAGE, POINTS, NotYet, parse_margin, parse_percentage

Path = tuple[str | int, ...]
S = TypeVar("S", bound=Struct)

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
# What stands in for a required field that could not be read, so that the rest of the document can still be checked.
_STAND_INS: dict[Any, Any] = {str: "", int: 0, bool: False, float: 0.0, tuple: (), dict: {}}


class Unreadable(Exception):
    """One value that its field cannot hold; `str()` says why."""


@dataclass(slots=True)
class Reading:
    """What reading found: problems, the place of everything that is stated, and the paths of what is broken."""

    problems: list[Problem] = field(default_factory=list)
    marks: dict[Path, Mark] = field(default_factory=dict)
    broken: set[Path] = field(default_factory=set)

    def report(self, path: Path, text: str) -> None:
        """Notes a problem at the nearest place that is known."""
        self.problems.append(Problem(self.mark_of(path), text))

    def find_places(self, section: str) -> Iterator[Path]:
        """The places of the entries of a list that could be read; one that is no entry leaves a gap."""
        places = ((section, index) for index in count())
        return (path for path in takewhile(self.marks.__contains__, places) if path not in self.broken)

    def mark_of(self, path: Path) -> Mark:
        """Where something stands, or what holds it."""
        while path not in self.marks and path:
            path = path[:-1]
        return self.marks.get(path, Mark(1, 1))


def read_document(node: Node, document: type[S]) -> tuple[S, Reading]:
    """The document in a tree, and what was found on the way.

    A field with a problem holds its default or an empty value: `Reading.broken` names it.
    """
    reading = Reading()
    found = _read(reading, node, document, ())
    if not isinstance(found, document):
        found = _build(reading, Mapping(node.mark, ()), document, (), complain=False)
    return found, reading


def suggest(word: str, known: Iterable[str]) -> str:
    """The nearest known spelling as `, did you mean "..."`, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f', did you mean "{near[0]}"' if near else ""


def _read(reading: Reading, node: Node, hint: Any, path: Path) -> Any:
    """The value, or None where it is broken: no field of a policy may be null."""
    reading.marks[path] = node.mark
    base, notes = _unwrap(hint)
    if ONE_OR_MANY in notes and isinstance(node, Scalar):
        node = Sequence(node.mark, (node,))
    try:
        if isinstance(node, Broken):
            raise Unreadable
        _refuse_not_yet(node, notes)
        return _find_reader(base, notes)(reading, node, path)
    except Unreadable as error:
        reading.broken.add(path)
        if str(error):
            reading.report(path, f"{_name_place(path)} {error}")
        return None


def _name_place(path: Path) -> str:
    match path:
        case (*_, str(key)):
            return f'"{key}"'
        case (*_, str(key), int(index)):
            return f'entry {index + 1} of "{key}"'
    return "the policy"


def _find_reader(base: Any, notes: tuple[Any, ...]) -> Callable[[Reading, Node, Path], Any]:
    origin = get_origin(base)
    if PERCENTAGE in notes:
        return partial(_read_fraction, parse_percentage)
    if POINTS in notes:
        return partial(_read_fraction, parse_margin)
    if origin is tuple:
        return partial(_read_list, get_args(base)[0], ONE_OR_MANY in notes)
    if origin is dict:
        return partial(_read_names, get_args(base)[1])
    if origin is Literal:
        return partial(_read_choice, {str(choice): choice for choice in get_args(base)})
    if issubclass(base, Struct):
        return partial(_read_struct, base)
    if issubclass(base, Enum):
        return partial(_read_choice, {str(choice.value): choice for choice in base})
    return partial(_read_scalar, base, notes)


def _read_struct(struct: type[Struct], reading: Reading, node: Node, path: Path) -> Any:
    if not isinstance(node, Mapping):
        raise Unreadable(f"must hold keys, known: {', '.join(_fields(struct))}")
    return _build(reading, node, struct, path, complain=True)


def _build(reading: Reading, node: Mapping, struct: type[S], path: Path, *, complain: bool) -> S:
    known = _fields(struct)
    given: dict[str, Any] = {}
    for key, value in node.entries:
        if key.text in known:
            name, hint, _ = known[key.text]
            found = _read(reading, value, hint, (*path, key.text))
            if found is not None:
                given[name] = found
        else:
            reading.problems.append(Problem(key.mark, _explain_unknown(key.text, struct)))
    stated = {key.text for key, _ in node.entries}
    missing = [key for key, (_, _, required) in known.items() if required and key not in stated]
    if missing and complain:
        reading.problems.append(Problem(node.mark, " and ".join(f'"{key}"' for key in missing) + " is missing"))
    reading.broken.update((*path, key) for key in missing)
    for name, hint, required in known.values():
        if required and name not in given:
            given[name] = _stand_in(hint)
    return struct(**given)


def _explain_unknown(key: str, struct: type[Struct]) -> str:
    if key in getattr(struct, "not_yet", ()):
        return f'"{key}" is not supported yet, leave it out: a key that is not kept would disarm the policy'
    known = _fields(struct)
    return f'unknown key "{key}"{suggest(key, known)}, known: {", ".join(known)}'


def _read_names(hint: Any, reading: Reading, node: Node, path: Path) -> dict[str, Any]:
    if not isinstance(node, Mapping):
        raise Unreadable("must hold names with what they stand for")
    found = {key.text: _read(reading, value, hint, (*path, key.text)) for key, value in node.entries}
    return {key: value for key, value in found.items() if value is not None}


def _read_list(hint: Any, or_one: bool, reading: Reading, node: Node, path: Path) -> tuple[Any, ...]:
    if not isinstance(node, Sequence):
        raise Unreadable("must be text or a list" if or_one else 'must be a list, each entry starting with "- "')
    if or_one and not node.items:
        raise Unreadable("is an empty list")
    items = [_read(reading, item, hint, (*path, index)) for index, item in enumerate(node.items)]
    if or_one and any(item is None for item in items):
        raise Unreadable
    return tuple(item for item in items if item is not None)


def _read_fraction(parse: Callable[[str], float], reading: Reading, node: Node, path: Path) -> float:
    del reading, path
    try:
        return parse(_text_of(node))
    except ValueError as error:
        raise Unreadable(f"is wrong: {error}") from None


def _read_choice(choices: dict[str, Any], reading: Reading, node: Node, path: Path) -> Any:
    del reading, path
    text = _text_of(node)
    if text not in choices:
        raise Unreadable(f'is "{text}"{suggest(text, choices)}, known: {", ".join(choices)}')
    return choices[text]


def _read_scalar(base: type, notes: tuple[Any, ...], reading: Reading, node: Node, path: Path) -> Any:
    del reading, path
    text = _text_of(node)
    plain = isinstance(node, Scalar) and node.plain
    if base is bool:
        if not plain or text not in _BOOLEANS:
            raise Unreadable(f'is "{text}", known: true, false (without quotation marks)')
        return _BOOLEANS[text]
    if base is int:
        lowest, highest = _bounds(notes)
        if not plain or not _INTEGER.fullmatch(text) or not lowest <= int(text) <= highest:
            known = f"{lowest} to {highest}" if highest < _MOST else f"whole numbers from {lowest}"
            raise Unreadable(f'is "{text}", known: {known}')
        return int(text)
    return text


_MOST = 10**18


def _bounds(notes: tuple[Any, ...]) -> tuple[int, int]:
    meta = next((note for note in notes if isinstance(note, Meta) and note.ge is not None), Meta(ge=0))
    return int(meta.ge or 0), _MOST if meta.le is None else int(meta.le)


def _text_of(node: Node) -> str:
    if not isinstance(node, Scalar):
        raise Unreadable("must be one word or text, not a list or keys")
    if node.plain and not node.text:
        raise Unreadable("is empty, give it a value or leave it out")
    return node.text


def _refuse_not_yet(node: Node, notes: tuple[Any, ...]) -> None:
    for note in notes:
        if isinstance(note, NotYet) and isinstance(node, Scalar) and node.text in note.words:
            raise Unreadable(f'is "{node.text}", which is not supported yet')


def _stand_in(hint: Any) -> Any:
    base, _ = _unwrap(hint)
    return _STAND_INS.get(get_origin(base) or base)


@cache
def _fields(struct: type[Struct]) -> dict[str, tuple[str, Any, bool]]:
    """By key in the file: the attribute, its type, and whether it is required."""
    hints = get_type_hints(struct, include_extras=True)
    return {f.encode_name: (f.name, hints[f.name], f.required) for f in msgspec.structs.fields(struct)}


def _unwrap(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    notes: tuple[Any, ...] = ()
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint, *found = get_args(hint)
            notes += tuple(found)
        elif origin in (Union, UnionType):
            (hint,) = (part for part in get_args(hint) if part is not type(None))
        else:
            return hint, notes
