"""YAML as a tree of text with positions, so that the fields decide what a word means and every problem has a place.

PyYAML resolves plain scalars by YAML 1.1, where `no` is a boolean and `1.10` a number; only its parser is used here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from yaml.reader import Reader as YamlReader

DEEPEST = 16
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Mark(NamedTuple):
    """A place in the file, both counted from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """What is wrong, and where."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text as written; `plain` if without quotation marks."""

    mark: Mark
    text: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in the order of the file; no key twice."""

    mark: Mark
    entries: tuple[tuple[Scalar, Node], ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """A place whose problem has been told already."""

    mark: Mark


Node = Scalar | Sequence | Mapping | Broken


@dataclass(slots=True)
class _Open:
    mark: Mark
    is_mapping: bool
    children: list[Node] = field(default_factory=list)


def parse_tree(content: bytes) -> tuple[Node | None, list[Problem]]:
    """The tree of one YAML document (None where there is none to speak of) and everything that is wrong with it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [Problem(_find_mark(content[: error.start].decode("utf-8")), "not UTF-8 text")]
    control = YamlReader.NON_PRINTABLE.search(text)
    if control is not None:
        mark = _find_mark(text[: control.start()])
        return None, [Problem(mark, f"character U+{ord(control[0]):04X} cannot stand in YAML")]
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not builder.add(event):
                break
    except yaml.MarkedYAMLError as error:
        mark = _mark_of(error.problem_mark or error.context_mark)
        builder.problems.append(Problem(mark, "not valid YAML: " + (error.problem or error.context or "syntax error")))
        return None, builder.problems
    if builder.root is None and not builder.problems:
        builder.problems.append(Problem(Mark(1, 1), "the file is empty"))
    return builder.root, builder.problems


class _Builder:
    """Puts the events of the parser together without recursion: a hostile nesting must not exhaust the stack."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._documents = 0

    def add(self, event: yaml.Event) -> bool:
        """Takes one event; False where the rest cannot be read."""
        mark = _mark_of(event.start_mark)
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self.problems.append(Problem(mark, "a policy is one document, a second one starts here"))
                return False
        self._refuse_magic(event, mark)
        if isinstance(event, yaml.AliasEvent):
            self._place(Broken(mark))
        elif isinstance(event, yaml.ScalarEvent):
            self._place(Scalar(mark, event.value, not event.style))
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(self._open) == DEEPEST:
                self.problems.append(Problem(mark, f"nested more than {DEEPEST} levels deep"))
                return False
            self._open.append(_Open(mark, isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = self._open.pop()
            self._place(self._build_mapping(closed) if closed.is_mapping else _build_sequence(closed))
        return True

    def _refuse_magic(self, event: yaml.Event, mark: Mark) -> None:
        if isinstance(event, yaml.AliasEvent):
            self.problems.append(Problem(mark, f'alias "*{event.anchor}" is not supported, write it out'))
            return
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            return
        if event.anchor is not None:
            self.problems.append(Problem(mark, f'anchor "&{event.anchor}" is not supported, leave it out'))
        if event.tag is not None:
            self.problems.append(Problem(mark, f'tag "{event.tag}" is not supported, leave it out'))

    def _place(self, node: Node) -> None:
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node

    def _build_mapping(self, closed: _Open) -> Mapping:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(closed.children[::2], closed.children[1::2], strict=True):
            if isinstance(key, Broken):
                continue
            if not isinstance(key, Scalar):
                self.problems.append(Problem(key.mark, "a key must be text"))
            elif key.plain and key.text == "<<":
                self.problems.append(Problem(key.mark, 'merge key "<<" is not supported, write the keys out'))
            elif key.text in entries:
                first = entries[key.text][0].mark.line
                self.problems.append(Problem(key.mark, f'"{key.text}" is given twice, first on line {first}'))
            else:
                entries[key.text] = (key, value)
        return Mapping(closed.mark, tuple(entries.values()))


def _build_sequence(closed: _Open) -> Sequence:
    return Sequence(closed.mark, tuple(closed.children))


def _mark_of(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1) if mark is not None else Mark(1, 1)


def _find_mark(before: str) -> Mark:
    return Mark(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
