"""One session of a coding agent, put together from lines that hang on each other and may hold parts of one answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from valueaudit.readers.building import build_transcript
from valueaudit.readers.lenient import list_of, object_of, say
from valueaudit.readers.tree import Link, find_way, tell_apart
from valueaudit.transcript import LeftOut, Location, Message, Metadata, Role, Transcript


class Entry(NamedTuple):
    """What one line says; lines with the same `answer` are parts of one message."""

    role: Role
    content: str | list[Any]
    answer: str | None = None
    model: Any = None

    @property
    def is_result(self) -> bool:
        """Whether there is nothing in it but what tools gave back."""
        parts = list_of(self.content)
        return bool(parts) and all(object_of(part).get("type") == "tool_result" for part in parts)


class Session:
    """A session while its lines come in. Lines hang on earlier ones; one that names none hangs on the line before."""

    def __init__(self, name: str | None, metadata: Metadata) -> None:
        self._name = name
        self._metadata = metadata
        self._entries: list[Entry] = []
        self._places: list[Location] = []
        self._parents: list[int | None] = []
        # each line's own entry, or the one that a line without speech hangs on
        self._anchors: dict[str, int | None] = {}

    def add(self, key: str | None, parent: str | None, entry: Entry, location: Location) -> Iterable[LeftOut]:
        """Takes in what a line says, unless the same line was there before."""
        before = self._anchors.get(key) if key is not None else None
        if before is not None and self._entries[before] == entry:
            return (LeftOut(location, "a line that was there before, word for word"),)
        self._parents.append(self._find_anchor(parent))
        self._entries.append(entry)
        self._places.append(location)
        if key is not None:
            self._anchors.setdefault(key, len(self._entries) - 1)
        return ()

    def pass_over(self, key: str | None, parent: str | None) -> None:
        """Keeps what hangs on a line without speech together."""
        if key is not None:
            self._anchors.setdefault(key, self._find_anchor(parent))

    def close(self) -> Iterable[Transcript]:
        """The conversation along the branch of the last line, nothing where no line said anything."""
        if not self._entries:
            return
        keys = tell_apart([None] * len(self._entries))
        parents = [None if parent is None else keys[parent] for parent in self._parents]
        way = find_way(dict(zip(keys, map(Link, parents), strict=True)), keys[-1])
        on_way = set(way.keys)
        taken = self._take_along({index for index, key in enumerate(keys) if key in on_way})
        inner = set(self._parents)
        ends = [index for index in range(len(keys)) if index not in inner and index not in taken]
        first = next(
            (one.model for one in self._entries if one.role is Role.ASSISTANT and isinstance(one.model, str)), None
        )
        metadata = self._metadata if first is None else self._metadata | {"model": first}
        messages = _join([self._entries[index] for index in sorted(taken)])
        place = self._places[min(taken)]
        yield build_transcript(messages, place, identity=self._name, metadata=metadata, branches=len(ends))

    def _find_anchor(self, parent: str | None) -> int | None:
        if parent is not None and parent in self._anchors:
            return self._anchors[parent]
        return len(self._entries) - 1 if self._entries else None

    def _take_along(self, taken: set[int]) -> set[int]:
        """The lines of a branch, other parts of their answers, and results of tools that were called at once."""
        answers = {self._entries[index].answer for index in taken} - {None}
        for index, entry in enumerate(self._entries):
            if entry.answer in answers or (entry.is_result and self._parents[index] in taken):
                taken.add(index)
        return taken


def _join(entries: list[Entry]) -> list[Message]:
    parts: list[tuple[Role, str | list[Any]]] = []
    begun: dict[str, list[Any]] = {}
    for entry in entries:
        if entry.answer is None:
            parts.append((entry.role, entry.content))
            continue
        if entry.answer not in begun:
            begun[entry.answer] = []
            parts.append((entry.role, begun[entry.answer]))
        whole = begun[entry.answer]
        pieces = [entry.content] if isinstance(entry.content, str) else entry.content
        whole += [piece for piece in pieces if piece not in whole]
    return [say(role, content) for role, content in parts]
