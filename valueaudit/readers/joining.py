"""Requests and results that lie in different files of a run, joined by the id that the sender gave them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Struct

from valueaudit.readers.building import names
from valueaudit.readers.content import Unreadable
from valueaudit.readers.format import Parser, Record
from valueaudit.transcript import BadRecord, Item, LeftOut, Location, Transcript

NO_REQUEST = "a result without its request; name the file of the requests of this batch too"
NO_RESULT = "a request without its result; name the file of the results of this batch too, and that of its errors"
UNCLEAR = "several requests of this run have this custom_id; scan the files of each batch in a run of their own"
SECOND = "another result of a request that has one; scan the files of each batch in a run of their own"


class Half(Struct, frozen=True):
    """One side of an exchange: a request or a result, with the record it lies in."""

    key: str
    record: dict[str, Any]
    location: Location
    is_result: bool

    @property
    def digest(self) -> int:
        """Tells records apart, so that a copy of a file is known as one."""
        return hash(msgspec.json.encode(self.record))


@dataclass(slots=True)
class _Thread:
    """All that carries one id, by digest: requests, those that wait, results that wait, and which answered which."""

    requests: dict[int, Half] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)
    results: dict[int, list[Half]] = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)
    has_succeeded: bool = False


Split = Callable[[Any, Location], Iterator[Half | BadRecord]]
Build = Callable[[Half, Half], Transcript | LeftOut]


class Joining:
    """Joins by id: request and result as soon as both are known. Memory grows with the requests and waiting results.

    Ids are unique in a batch only, and a run may read many. So a pair is made where one request and one result of an id
    wait, copies counted once; what is left at the end is paired only where the run has one request of that id.
    """

    def __init__(self, split: Split, build: Build) -> None:
        self._split = split
        self._build = build
        self._threads: dict[str, _Thread] = {}

    def feed(self, record: Record) -> Iterator[Item]:
        """The conversations that are whole with this record, one `BadRecord` where it is no half of one."""
        try:
            halves = list(self._split(record.value, record.location))
        except Unreadable as error:
            halves = [BadRecord(record.location, error.reason)]
        for half in halves:
            if isinstance(half, BadRecord):
                yield half
            else:
                yield from self._add(self._threads.setdefault(half.key, _Thread()), half)

    def close(self) -> Iterator[Item]:
        """What found no other half, and second results of a request that is the only one of its id."""
        for thread in self._threads.values():
            is_clear = len(thread.requests) < 2 or not thread.results
            if thread.results and len(thread.requests) == 1:
                thread.waiting.clear()
                yield from self._join(thread, next(iter(thread.requests)))
            for result in itertools.chain.from_iterable(thread.results.values()):
                yield BadRecord(result.location, NO_REQUEST if is_clear else UNCLEAR)
            for digest in thread.requests:
                if digest in thread.waiting:
                    yield BadRecord(thread.requests[digest].location, NO_RESULT if is_clear else UNCLEAR)
        self._threads = {}

    def _add(self, thread: _Thread, half: Half) -> Iterator[Item]:
        digest = half.digest
        if not half.is_result:
            if digest not in thread.requests:
                thread.requests[digest] = half
                thread.waiting.add(digest)
                thread.has_succeeded = False
        elif digest in thread.answers:
            yield self._answer(thread.requests[thread.answers[digest]], half)
        else:
            thread.results.setdefault(digest, []).append(half)
        if len(thread.waiting) == len(thread.results) == 1:
            yield from self._join(thread, thread.waiting.pop())

    def _join(self, thread: _Thread, request: int) -> Iterator[Item]:
        """Everything that the waiting results say to this request."""
        waiting, thread.results = thread.results, {}
        for digest, copies in waiting.items():
            is_second = thread.has_succeeded
            thread.answers[digest] = request
            for result in copies:
                item = self._answer(thread.requests[request], result)
                is_answer = not isinstance(item, BadRecord)
                thread.has_succeeded |= is_answer
                yield BadRecord(result.location, SECOND) if is_second and is_answer else item

    def _answer(self, request: Half, result: Half) -> Item:
        try:
            return self._build(request, result)
        except Unreadable as error:
            return BadRecord(result.location, error.reason)


def joined(split: Split, build: Build) -> Callable[[], Parser]:
    """The `start` of a format whose requests and results are joined."""
    return lambda: Joining(split, build)


def read_key(record: Any) -> str:
    """The custom id of a record. Raises `Unreadable` where it has none."""
    key = record.get("custom_id") if isinstance(record, dict) else None
    if not names(key):
        raise Unreadable('no "custom_id"')
    return str(key)
