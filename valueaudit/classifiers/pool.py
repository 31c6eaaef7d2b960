"""The embedded classifier on several cores: conversations are judged by as many processes as there is work for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from valueaudit.classifiers.worker import Screener, pack, parse_answers
from valueaudit.classifiers.worker_process import WorkerLostError
from valueaudit.observation import Outcome, Reason, Unclassified
from valueaudit.record import ClassifierInfo, Cost
from valueaudit.transcript import Transcript

# Of a batch: enough that handing it over costs little beside judging it.
CONVERSATIONS = 16
CHARACTERS = 1 << 18
# Of a worker: one that it judges, and one that lies ready for it.
BATCHES = 2
IN_FLIGHT = BATCHES * CONVERSATIONS
# Characters for which one more process pays: judging them takes about twice as long as its start and first looks.
CHARACTERS_FOR_ONE_MORE = 2_500_000
# A machine that ends more processes than this has no room for them.
REPLACEMENTS = 16


class Worker(Protocol):
    """A process that judges, as `worker.main` does."""

    async def send(self, frame: bytearray) -> None:
        """Hands over a batch."""
        ...

    async def receive(self) -> bytes:
        """Who judges, then the answers to each batch, in order. Raises `WorkerLostError`."""
        ...


class _Asked(Struct, frozen=True):
    """A conversation that waits for its outcome; a suspect is one on which a process was lost."""

    transcript: Transcript
    size: int
    outcome: asyncio.Future[Outcome]
    is_suspect: bool = False


@dataclass(slots=True)
class _Desk:
    """What one process has to do: `begun` are the batches that it was given and has not answered, in order."""

    begun: deque[list[_Asked]] = field(default_factory=deque)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(BATCHES))
    is_ready: bool = False


class PooledClassifier:
    """Judges as `own` does, in up to `processes` processes of which `start` gives one; satisfies `ports.Classifier`.

    This process judges by itself while there is too little to do for others, while none is ready and where none can be
    had. A conversation that was being judged when its process was lost is judged again, alone, by another; if that one
    is lost too it is unclassified. `warn` is told of each loss.
    """

    def __init__(
        self,
        own: Screener,
        start: Callable[[], AbstractAsyncContextManager[Worker]],
        *,
        processes: int,
        warn: Callable[[str], None],
        characters_for_one_more: int = CHARACTERS_FOR_ONE_MORE,
    ) -> None:
        self._own = own
        self._start = start
        self._processes = processes
        self._warn = warn
        self._characters_for_one_more = characters_for_one_more
        self._seen = 0
        self._starts_left = processes + REPLACEMENTS
        self._lives: set[asyncio.Task[None]] = set()
        self._ready = 0
        self._waiting: deque[_Asked] = deque()
        self._arrived = asyncio.Event()

    @property
    def info(self) -> ClassifierInfo:
        """As `own` says."""
        return self._own.info

    @property
    def cost(self) -> Cost:
        """Nothing: no call is made."""
        return Cost(usd=0.0)

    async def classify(self, transcript: Transcript) -> Outcome:
        """What is seen, or why it cannot be said."""
        size = sum([len(message.text) for message in transcript.messages])
        self._seen += size
        self._grow()
        if not self._ready:
            return self._own.observe(transcript)
        asked = _Asked(transcript, size, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        self._arrived.set()
        return await asked.outcome

    async def close(self) -> None:
        """Ends all processes, whatever they do."""
        self._starts_left = 0
        lives = tuple(self._lives)
        for life in lives:
            life.cancel()
        await asyncio.gather(*lives, return_exceptions=True)

    def _grow(self) -> None:
        """Starts what is missing: two processes once there is work for one more, a third once there is for two."""
        shares = self._seen // self._characters_for_one_more
        wanted = min(shares + 1, self._processes) if shares else 0
        while len(self._lives) < wanted and self._starts_left:
            self._starts_left -= 1
            life = asyncio.create_task(self._live())
            self._lives.add(life)
            life.add_done_callback(self._end)

    async def _live(self) -> None:
        """The life of one process, and what becomes of what it leaves undone."""
        desk = _Desk()
        try:
            await self._employ(desk)
        except WorkerLostError as lost:
            if not desk.is_ready:
                self._starts_left = 0
            self._warn(f"a process that judges {lost}")
            self._take_back(desk, str(lost))
        except Exception as bug:
            for asked in chain(*desk.begun, self._waiting):
                _settle(asked, bug)
            self._waiting.clear()

    async def _employ(self, desk: _Desk) -> None:
        async with self._start() as worker:
            if await worker.receive() != msgspec.msgpack.encode(self._own.info):
                raise WorkerLostError("is of another version of the program")
            desk.is_ready = True
            self._ready += 1
            tasks = [asyncio.create_task(work(worker, desk)) for work in (self._send, self._receive)]
            try:
                await asyncio.gather(*tasks)
            finally:
                self._ready -= 1
                for task in tasks:
                    task.cancel()

    async def _send(self, worker: Worker, desk: _Desk) -> None:
        while True:
            await desk.room.acquire()
            batch = await self._take()
            desk.begun.append(batch)
            await worker.send(pack([asked.transcript.messages for asked in batch]))

    async def _receive(self, worker: Worker, desk: _Desk) -> None:
        while True:
            answers = parse_answers(await worker.receive())
            for asked, answer in zip(desk.begun[0], answers, strict=True):
                _settle(asked, answer)
            desk.begun.popleft()
            desk.room.release()

    async def _take(self) -> list[_Asked]:
        """The next batch: what waits, in order, as much as fits; a suspect alone."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        batch = [self._waiting.popleft()]
        size = batch[0].size
        while self._waiting and len(batch) < CONVERSATIONS and not (batch[0].is_suspect or self._waiting[0].is_suspect):
            size += self._waiting[0].size
            if size > CHARACTERS:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _take_back(self, desk: _Desk, lost: str) -> None:
        """What a lost process had begun waits again, before all else; a second loss on a conversation ends it."""
        suspects, *untouched = desk.begun or [[]]
        if suspects and suspects[0].is_suspect:
            _settle(suspects.pop(), Unclassified(Reason.PROCESS_LOST, f"{lost}, and so was another before"))
        again = [replace(asked, is_suspect=True) for asked in suspects]
        self._waiting.extendleft(reversed([*again, *chain(*untouched)]))
        self._arrived.set()

    def _end(self, life: asyncio.Task[None]) -> None:
        self._lives.discard(life)
        if life.cancelled():
            return
        self._grow()
        if not self._lives:
            self._judge_waiting()

    def _judge_waiting(self) -> None:
        while self._waiting:
            asked = self._waiting.popleft()
            if asked.is_suspect:
                _settle(asked, Unclassified(Reason.PROCESS_LOST, "no other process could be started"))
                continue
            try:
                _settle(asked, self._own.observe(asked.transcript))
            except Exception as bug:
                _settle(asked, bug)


def _settle(asked: _Asked, answer: Outcome | Exception) -> None:
    if asked.outcome.done():
        return
    if isinstance(answer, Exception):
        asked.outcome.set_exception(answer)
    else:
        asked.outcome.set_result(answer)
