from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
import pytest

from samples import build_transcript
from valueaudit.audit import Audit, Settings, Stop
from valueaudit.classifiers.pool import CHARACTERS, CONVERSATIONS, IN_FLIGHT, REPLACEMENTS, PooledClassifier, Worker
from valueaudit.classifiers.worker import HEADER, Answer, WorkerBugError, pack
from valueaudit.classifiers.worker_process import WorkerLostError
from valueaudit.observation import Classified, Observation, Outcome, Reason, Unclassified
from valueaudit.ports import Classifier
from valueaudit.record import ClassifierInfo, ConversationRecord, Cost, Record
from valueaudit.transcript import Message, Transcript

Texts = list[str]
_messages = msgspec.msgpack.Decoder(list[tuple[Message, ...]])


class Own:
    """Names the first message of a conversation as its task; `at_home` are those that it was asked itself."""

    info = ClassifierInfo("fake")

    def __init__(self) -> None:
        self.at_home: Texts = []

    def observe(self, transcript: Transcript) -> Outcome:
        self.at_home.append(transcript.messages[0].text)
        if "bug" in transcript.messages[0].text:
            raise ZeroDivisionError
        return see(transcript.messages[0].text)


def see(text: str) -> Outcome:
    """What a text shows."""
    return Unclassified(Reason.LANGUAGE, "xx") if "foreign" in text else Classified(Observation(task=text))


class FakeWorker(Worker):
    """A worker in this process; `judge` gives what it says of a batch, and may raise `WorkerLostError`."""

    def __init__(self, judge: Callable[[Texts], Sequence[Answer]], info: ClassifierInfo) -> None:
        self._judge = judge
        self._replies: asyncio.Queue[bytes | Texts] = asyncio.Queue()
        self._replies.put_nowait(msgspec.msgpack.encode(info))

    async def send(self, frame: bytearray) -> None:
        batch = _messages.decode(memoryview(frame)[HEADER.size :])
        self._replies.put_nowait([messages[0].text for messages in batch])

    async def receive(self) -> bytes:
        reply = await self._replies.get()
        await asyncio.sleep(0)
        return reply if isinstance(reply, bytes) else bytes(pack(self._judge(reply))[HEADER.size :])


class Fleet:
    """Starts fake workers; `batches` are those that were judged, `warnings` what the pool said."""

    def __init__(
        self,
        judge: Callable[[Texts], Sequence[Answer]] | None = None,
        *,
        info: ClassifierInfo = Own.info,
        startable: int = 1000,
    ) -> None:
        self.batches: list[Texts] = []
        self.warnings: Texts = []
        self.started = self.running = self.most_running = 0
        self._judge = judge or answer
        self._info = info
        self._startable = startable

    @contextlib.asynccontextmanager
    async def start(self) -> AsyncIterator[Worker]:
        self.started += 1
        if self.started > self._startable:
            raise WorkerLostError("cannot be started: no room")
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            yield FakeWorker(self.judge, self._info)
        finally:
            self.running -= 1

    def judge(self, texts: Texts) -> Sequence[Answer]:
        self.batches.append(texts)
        return self._judge(texts)


def answer(texts: Texts) -> Sequence[Answer]:
    """What a worker says of a batch."""
    outcomes = [see(text) for text in texts]
    return [Answer(o) if isinstance(o, Classified) else Answer(unclassified=o) for o in outcomes]


def losing(*names: str, times: int = 1000) -> Callable[[Texts], Sequence[Answer]]:
    """Judges, but is lost on a batch with one of these texts, so many times."""
    left = [times]

    def judge(texts: Texts) -> Sequence[Answer]:
        if left[0] and any(text in names for text in texts):
            left[0] -= 1
            raise WorkerLostError("was ended by SIGKILL")
        return answer(texts)

    return judge


def name(number: int) -> str:
    """A text of 17 characters."""
    return f"conversation {number:04}"


def scan(
    fleet: Fleet, texts: Sequence[str], *, own: Own | None = None, processes: int = 2, share: int = 100
) -> list[Record]:
    """The records of an audit of conversations with these texts, in the pool."""
    written: list[Record] = []

    async def go() -> None:
        pool = PooledClassifier(
            own or Own(), fleet.start, processes=processes, warn=fleet.warnings.append, characters_for_one_more=share
        )
        assert isinstance(conforming(pool), PooledClassifier)
        audit = Audit(
            pool,
            predicates={},
            write=written.append,
            progress=lambda tally: None,
            settings=Settings(concurrency=processes * IN_FLIGHT),
            stop=Stop(),
        )
        try:
            await asyncio.wait_for(audit.run([build_transcript(text, "ok", id=text) for text in texts]), 20)
        finally:
            await pool.close()
        assert (len(asyncio.all_tasks()), fleet.running) == (1, 0)

    asyncio.run(go())
    return written


def conforming(classifier: Classifier) -> Classifier:
    """What it is given, for the type checker."""
    return classifier


def tasks(records: Sequence[Record]) -> list[str | Reason | None]:
    """What is said of each conversation."""
    seen = [record for record in records if isinstance(record, ConversationRecord)]
    return [record.observation.task if record.observation else record.reason for record in seen]


NAMES = [name(n) for n in range(500)]


def test_many_conversations_are_judged_in_batches_and_written_in_order() -> None:
    """What the workers say comes out as if one process had said it, whoever was first."""
    fleet, own = Fleet(), Own()
    records = scan(fleet, [*NAMES, "foreign"], own=own)
    assert tasks(records) == [*NAMES, Reason.LANGUAGE]
    judged = [text for batch in fleet.batches for text in batch]
    assert sorted(own.at_home + judged) == sorted([*NAMES, "foreign"])
    assert (fleet.started, fleet.warnings) == (2, [])
    assert CONVERSATIONS / 2 < len(judged) / len(fleet.batches) <= CONVERSATIONS


def test_a_small_input_starts_nothing() -> None:
    """Few words are judged at home: a process would take longer to start."""
    fleet, own = Fleet(), Own()
    assert tasks(scan(fleet, NAMES[:50], own=own, share=10_000)) == NAMES[:50]
    assert (fleet.started, own.at_home) == (0, NAMES[:50])


@pytest.mark.parametrize(("share", "processes", "started"), [(5000, 8, 2), (4000, 8, 3), (4000, 2, 2), (1, 8, 8)])
def test_more_processes_are_started_as_more_is_seen(share: int, processes: int, started: int) -> None:
    """One more for each share of the characters, never more than allowed."""
    fleet = Fleet()
    scan(fleet, NAMES, processes=processes, share=share)
    assert (fleet.started, fleet.most_running) == (started, started)


def test_large_conversations_travel_alone() -> None:
    """A batch is bounded by its characters, but for one conversation that is longer than that."""
    fleet = Fleet()
    large = [f"{n} " + "x" * (CHARACTERS // 3) for n in range(8)]
    huge = "y" * (CHARACTERS + 1)
    texts = [*NAMES[:200], *large, huge, *NAMES[200:]]
    assert tasks(scan(fleet, texts)) == texts
    assert all(len(batch) == 1 or sum(map(len, batch)) <= CHARACTERS for batch in fleet.batches)
    assert huge in [text for batch in fleet.batches for text in batch]


def test_a_lost_process_is_replaced_and_its_conversations_judged_again() -> None:
    """A process that is killed once costs nothing but a warning."""
    fleet = Fleet(losing(NAMES[300], times=1))
    assert tasks(scan(fleet, NAMES)) == NAMES
    assert (fleet.started, fleet.warnings) == (3, ["a process that judges was ended by SIGKILL"])


def test_a_conversation_that_kills_is_tried_twice_and_takes_none_along() -> None:
    """The others of its batch are judged alone the second time; it becomes an error with its reason."""
    fleet = Fleet(losing(NAMES[300]))
    records = scan(fleet, NAMES)
    assert tasks(records) == [Reason.PROCESS_LOST if text == NAMES[300] else text for text in NAMES]
    lost = records[300]
    assert isinstance(lost, ConversationRecord)
    assert lost.detail == "was ended by SIGKILL, and so was another before"
    assert [batch for batch in fleet.batches if NAMES[300] in batch][1:] == [[NAMES[300]]]
    assert fleet.started == 4


def test_where_everything_kills_this_process_judges_the_rest() -> None:
    """Processes are not replaced for ever; what two were lost on, or what nobody is left for, is an error."""
    fleet, own = Fleet(losing(*NAMES)), Own()
    said = tasks(scan(fleet, NAMES, own=own))
    assert fleet.started == 2 + REPLACEMENTS
    assert {text for text, task in zip(NAMES, said, strict=True) if task == text} == set(own.at_home)
    assert set(said) - set(NAMES) == {Reason.PROCESS_LOST}
    assert 0 < said.count(Reason.PROCESS_LOST) < 150


def test_processes_that_cannot_be_started_are_done_without() -> None:
    """A machine that takes no more processes gets the same result, later; it is tried once."""
    fleet = Fleet(startable=0)
    assert tasks(scan(fleet, NAMES)) == NAMES
    assert fleet.warnings == ["a process that judges cannot be started: no room"] * 2
    fleet = Fleet(losing(NAMES[300], times=1), startable=2)
    assert tasks(scan(fleet, NAMES)) == NAMES


def test_a_process_of_another_version_is_not_used() -> None:
    """Where the package was replaced during the run, what runs already goes on alone."""
    fleet, own = Fleet(info=ClassifierInfo("other")), Own()
    assert tasks(scan(fleet, NAMES, own=own)) == own.at_home == NAMES
    assert "is of another version of the program" in fleet.warnings[0]


def test_a_bug_in_a_process_is_not_hidden() -> None:
    """It ends the program, as in one process, with the traceback from there."""

    def judge(texts: Texts) -> Sequence[Answer]:
        return [Answer(bug="Traceback: broken at line 7") for _ in texts]

    with pytest.raises(WorkerBugError, match="broken at line 7"):
        scan(Fleet(judge), NAMES)


def test_a_bug_in_the_answers_is_not_hidden() -> None:
    """A batch that is answered in part ends the program, and nobody waits for the rest."""
    with pytest.raises(ValueError, match="zip"):
        scan(Fleet(lambda texts: answer(texts)[1:]), NAMES)


def test_a_bug_at_home_is_not_hidden() -> None:
    """The same, where no process is left."""
    with pytest.raises(ZeroDivisionError):
        scan(Fleet(losing(*NAMES[100:]), startable=2), [*NAMES[:130], *["bug"] * 100])


def test_the_pool_is_who_its_own_classifier_is() -> None:
    """A report cannot tell in how many processes it was made, and none costs anything."""
    pool = PooledClassifier(Own(), Fleet().start, processes=2, warn=print)
    assert (pool.info, pool.cost) == (Own.info, Cost(usd=0.0))
