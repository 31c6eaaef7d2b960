"""The pipeline: transcripts in, records and a tally out, in the order of the input, in memory that does not grow.

Conversations are judged at the same time and counted in order, so that the same replies give the same bytes. Of each
conversation only the hash of its id stays in memory, to tell repeated ids. Whatever
ends the run early (a time limit, a provider that fails for good, a full disk) leaves everything seen so far counted
and everything else named as not classified.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from msgspec import Struct

from valueaudit.errors import ExitCode, InterruptedRunError, ValueAuditError
from valueaudit.observation import Outcome, Reason, Unclassified
from valueaudit.ports import Classifier
from valueaudit.record import ConversationRecord, Record, build_bad_record, build_record
from valueaudit.tally import Predicate, Tally
from valueaudit.transcript import BadRecord, Transcript

Item = Transcript | BadRecord

BATCH = 64
BATCHES_AHEAD = 4
# Records judged but not yet counted because an earlier one is still open: bounds memory, not speed.
WINDOW = 4096
SECONDS_TO_DRAIN = 5.0
SECONDS_TO_READ_ON = 10.0


class Settings(Struct, frozen=True):
    """How a run goes.

    `concurrency` bounds the conversations in flight, each of which asks one question at a time. `known_metadata` are
    texts that the policy's contexts name.
    """

    concurrency: int = 16
    include_text: bool = False
    known_metadata: frozenset[str] = frozenset()
    seconds_to_drain: float = SECONDS_TO_DRAIN
    seconds_to_read_on: float = SECONDS_TO_READ_ON


class Result(Struct, frozen=True):
    """What a run came to. `error` is why it ended before its time, None if it did not."""

    tally: Tally
    duplicate_ids: int
    error: ValueAuditError | None


class Stop:
    """Why a run must end before its time; the first reason counts. Belongs to one event loop."""

    def __init__(self) -> None:
        self.error: ValueAuditError | None = None
        self.event = asyncio.Event()

    def end(self, error: ValueAuditError) -> None:
        """Ends the run for this reason."""
        if self.error is None:
            self.error = error
            self.event.set()

    @property
    def interrupted(self) -> bool:
        """Whether a person ended it."""
        return isinstance(self.error, InterruptedRunError)


class TimeLimitError(ValueAuditError):
    """The time for the whole run is used up; ends it like a budget."""

    slug = "time-limit"
    exit_code = ExitCode.INCOMPLETE


class Feed:
    """Items of a blocking iterator, read ahead in a thread of its own, a bounded number of batches at a time."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._loop = asyncio.get_running_loop()
        self._batches: asyncio.Queue[list[Item] | BaseException | None] = asyncio.Queue()
        self._room = threading.Semaphore(BATCHES_AHEAD)
        self._closed = False
        # A daemon, because a read from a terminal or a pipe cannot be interrupted and must not keep the process alive.
        threading.Thread(target=self._read, name="valueaudit-reader", daemon=True).start()

    def close(self) -> None:
        """Ends the iteration, whatever the thread is waiting for."""
        self._closed = True
        self._batches.put_nowait(None)
        self._room.release()

    async def __aiter__(self) -> AsyncIterator[Item]:
        while not self._closed and (batch := await self._batches.get()) is not None:
            self._room.release()
            if isinstance(batch, BaseException):
                raise batch
            for item in batch:
                if self._closed:
                    return
                yield item

    def _read(self) -> None:
        try:
            for batch in _batches(self._items):
                self._room.acquire()
                if self._closed:
                    return
                self._post(batch)
            self._post(None)
        except BaseException as error:
            self._post(error)

    def _post(self, batch: list[Item] | BaseException | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._batches.put_nowait, batch)
        except RuntimeError:
            # The loop is closed: the run ended while this thread was still reading.
            self._closed = True


class Audit:
    """One run: judges the items of a feed and counts them in order."""

    def __init__(
        self,
        classifier: Classifier,
        *,
        predicates: Mapping[str, Predicate],
        write: Callable[[Record], None],
        progress: Callable[[Tally], None],
        settings: Settings,
        stop: Stop,
        note: Callable[[Record], None] | None = None,
    ) -> None:
        self._classifier = classifier
        self._predicates = predicates
        self._write: Callable[[Record], None] | None = write
        self._progress = progress
        self._note = note
        self._settings = settings
        self._stop = stop
        self._tally = Tally()
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._pending: deque[asyncio.Task[Record] | Record] = deque()
        self._ids: set[int] = set()
        self._duplicate_ids = 0

    async def run(self, items: Iterable[Item]) -> Result:
        """Everything counted. Raises `InterruptedRunError`; every other early end is in the result."""
        feed = Feed(items)
        watcher = asyncio.create_task(self._watch(feed))
        try:
            await self._admit(feed)
            while self._pending:
                await self._count_next()
        finally:
            feed.close()
            watcher.cancel()
            await self._cancel_all()
        if self._stop.error is not None and self._stop.interrupted:
            raise self._stop.error
        return self.result()

    def result(self) -> Result:
        """What has been counted so far."""
        return Result(self._tally, self._duplicate_ids, self._stop.error)

    async def _admit(self, feed: Feed) -> None:
        try:
            async for item in feed:
                if isinstance(item, BadRecord):
                    self._pending.append(build_bad_record(item))
                else:
                    await self._start(item)
                await self._count_ready()
        except ValueAuditError as error:
            self._stop.end(error)

    async def _start(self, transcript: Transcript) -> None:
        self._note_id(transcript.id)
        await self._slots.acquire()
        if self._stop.error is not None:
            self._slots.release()
            self._pending.append(self._record(transcript, self._ended()))
        else:
            self._pending.append(asyncio.create_task(self._judge(transcript)))

    async def _judge(self, transcript: Transcript) -> Record:
        try:
            outcome = await self._classifier.classify(transcript)
        except ValueAuditError as error:
            self._stop.end(error)
            outcome = self._ended()
        except asyncio.CancelledError:
            if self._stop.error is None:
                raise
            outcome = self._ended()
        finally:
            self._slots.release()
        return self._record(transcript, outcome)

    def _record(self, transcript: Transcript, outcome: Outcome) -> ConversationRecord:
        settings = self._settings
        return build_record(transcript, outcome, include_text=settings.include_text, known=settings.known_metadata)

    def _ended(self) -> Unclassified:
        timed_out = isinstance(self._stop.error, TimeLimitError)
        return Unclassified(Reason.TIME_LIMIT if timed_out else Reason.RUN_ENDED)

    async def _count_ready(self) -> None:
        while self._pending and (len(self._pending) >= WINDOW or _is_done(self._pending[0])):
            await self._count_next()

    async def _count_next(self) -> None:
        head = self._pending[0]
        record = await head if isinstance(head, asyncio.Task) else head
        self._pending.popleft()
        self._tally.add(record, self._predicates)
        if self._note is not None:
            self._note(record)
        if self._write is not None:
            try:
                self._write(record)
            except ValueAuditError as error:
                self._write = None
                self._stop.end(error)
        self._progress(self._tally)

    def _note_id(self, conversation: str) -> None:
        before = len(self._ids)
        self._ids.add(hash(conversation))
        self._duplicate_ids += len(self._ids) == before

    async def _watch(self, feed: Feed) -> None:
        """Once the run must end: cancels the calls in flight and, after a while, stops reading.

        Calls that were sent in good order are paid for, so they may come home first; after an error they may not.
        """
        await self._stop.event.wait()
        if self._stop.interrupted:
            feed.close()
        if self._stop.interrupted or isinstance(self._stop.error, TimeLimitError):
            await asyncio.sleep(self._settings.seconds_to_drain)
        self._cancel_pending()
        await asyncio.sleep(self._settings.seconds_to_read_on)
        feed.close()

    def _cancel_pending(self) -> list[asyncio.Task[Record]]:
        tasks = [task for task in self._pending if isinstance(task, asyncio.Task)]
        for task in tasks:
            task.cancel()
        return tasks

    async def _cancel_all(self) -> None:
        await asyncio.gather(*self._cancel_pending(), return_exceptions=True)


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(items, BATCH)):
        yield batch


def _is_done(pending: asyncio.Task[Any] | Record) -> bool:
    return not isinstance(pending, asyncio.Task) or pending.done()
