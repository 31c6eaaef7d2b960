from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator

import pytest

from samples import build_transcript
from valueaudit.audit import Audit, Item, Result, Settings, Stop, TimeLimitError
from valueaudit.errors import InterruptedRunError, KeyRejectedError, StorageError, ValueAuditError
from valueaudit.observation import Classified, Observation, Outcome, Reason
from valueaudit.ports import Classifier
from valueaudit.record import ClassifierInfo, ConversationRecord, Cost, Record
from valueaudit.transcript import BadRecord, Location, Transcript


class FakeClassifier(Classifier):
    """Classifies after as long as `delay` says; `fail` may raise instead."""

    def __init__(
        self,
        delay: Callable[[int], float] = lambda n: 0,
        fail: Callable[[int], ValueAuditError | None] = lambda n: None,
    ) -> None:
        self._delay = delay
        self._fail = fail
        self.in_flight = self.most_in_flight = self.started = 0

    @property
    def info(self) -> ClassifierInfo:
        return ClassifierInfo("fake")

    @property
    def cost(self) -> Cost:
        return Cost()

    async def classify(self, transcript: Transcript) -> Outcome:
        number = int(transcript.id)
        self.started += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self._delay(number))
            error = self._fail(number)
            if error is not None:
                raise error
        finally:
            self.in_flight -= 1
        return Classified(Observation(task=f"task {number % 2}", adverse=False))


def transcripts(count: int) -> list[Item]:
    """Conversations numbered from 0."""
    return [build_transcript(id=str(n), line=n + 1) for n in range(count)]


def run(
    classifier: Classifier,
    items: Iterable[Item],
    *,
    written: list[Record] | None = None,
    write: Callable[[Record], None] | None = None,
    settings: Settings | None = None,
    meanwhile: Callable[[Stop], None] = lambda stop: None,
) -> Result:
    """The result of a run; `meanwhile` is called once it has begun."""
    stop = Stop()
    audit = Audit(
        classifier,
        predicates={},
        write=write or (written if written is not None else []).append,
        progress=lambda tally: None,
        settings=settings or Settings(concurrency=4, seconds_to_drain=0.1, seconds_to_read_on=0.1),
        stop=stop,
    )

    async def go() -> Result:
        asyncio.get_running_loop().call_later(0.05, meanwhile, stop)
        return await audit.run(items)

    return asyncio.run(go())


def reasons(written: list[Record]) -> list[Reason | None]:
    """Why each conversation was not classified."""
    return [record.reason for record in written if isinstance(record, ConversationRecord)]


def test_records_come_in_the_order_of_the_input() -> None:
    """However long each takes, the same input gives the same file."""
    written: list[Record] = []
    result = run(FakeClassifier(delay=lambda n: 0.02 * (5 - n % 5)), transcripts(23), written=written)
    assert [r.id for r in written if isinstance(r, ConversationRecord)] == [str(n) for n in range(23)]
    assert (result.tally.classified, result.error) == (23, None)


def test_concurrency_bounds_what_is_in_flight() -> None:
    """Never more conversations at once than allowed, and that many indeed."""
    classifier = FakeClassifier(delay=lambda n: 0.01)
    run(classifier, transcripts(40), settings=Settings(concurrency=5))
    assert classifier.most_in_flight == 5


def test_bad_records_are_counted_in_their_place() -> None:
    """A line that is no conversation is a record like any other."""
    bad = BadRecord(Location("logs.jsonl", 2), "invalid JSON")
    written: list[Record] = []
    first, second = transcripts(2)
    result = run(FakeClassifier(), [first, bad, second], written=written)
    assert [type(record).__name__ for record in written] == [
        "ConversationRecord",
        "BadRecordRecord",
        "ConversationRecord",
    ]
    assert (result.tally.sampled, result.tally.bad_records) == (2, 1)


def test_repeated_ids_are_counted() -> None:
    """Both conversations count; that their id is not unique is told."""
    assert run(FakeClassifier(), [*transcripts(3), *transcripts(2)]).duplicate_ids == 2


def test_an_error_of_the_run_ends_it_and_loses_nothing() -> None:
    """After a rejected key no call is made; every conversation is still named."""
    classifier = FakeClassifier(fail=lambda n: KeyRejectedError("no") if n == 10 else None)
    written: list[Record] = []
    result = run(classifier, transcripts(500), written=written)
    assert isinstance(result.error, KeyRejectedError)
    assert result.tally.sampled == 500
    assert classifier.started < 30
    assert result.tally.reasons[Reason.RUN_ENDED] == 500 - result.tally.classified
    assert reasons(written)[10] is Reason.RUN_ENDED


def test_a_time_limit_ends_the_run_like_a_budget() -> None:
    """Calls in flight may come home; the rest of the input is read and named."""
    classifier = FakeClassifier(delay=lambda n: 0.02 if n < 4 else 30)
    result = run(classifier, transcripts(100), meanwhile=lambda stop: stop.end(TimeLimitError("late")))
    assert isinstance(result.error, TimeLimitError)
    assert (result.tally.classified, result.tally.reasons[Reason.TIME_LIMIT]) == (4, 96)


def test_the_first_reason_to_end_is_the_one_told() -> None:
    """What follows from the first error does not replace it."""

    def end(stop: Stop) -> None:
        stop.end(TimeLimitError("late"))
        stop.end(KeyRejectedError("no"))

    result = run(FakeClassifier(delay=lambda n: 1), transcripts(5), meanwhile=end)
    assert isinstance(result.error, TimeLimitError)


def test_an_interruption_waits_for_calls_in_flight_and_is_raised() -> None:
    """What comes home in time is written; nothing new is begun."""
    classifier = FakeClassifier(delay=lambda n: 0.1)
    written: list[Record] = []
    with pytest.raises(InterruptedRunError):
        run(classifier, transcripts(100), written=written, meanwhile=lambda s: s.end(InterruptedRunError("stop")))
    assert classifier.started == 4
    assert reasons(written)[:4] == [None] * 4


def test_a_disk_that_fills_up_ends_the_run() -> None:
    """What cannot be written any more is still counted, and the run says why it ended."""
    written: list[Record] = []

    def write(record: Record) -> None:
        if len(written) == 3:
            raise StorageError("disk full")
        written.append(record)

    result = run(FakeClassifier(), transcripts(200), write=write)
    assert isinstance(result.error, StorageError)
    assert (len(written), result.tally.sampled) == (3, 200)


def test_an_input_that_breaks_ends_the_run() -> None:
    """An error while reading is an early end, not a crash."""

    def items() -> Iterator[Item]:
        yield from transcripts(3)
        raise StorageError("gone")

    result = run(FakeClassifier(), items())
    assert isinstance(result.error, StorageError)


def test_a_bug_in_reading_is_not_hidden() -> None:
    """Any other exception in the reading thread comes out as it is."""

    def items() -> Iterator[Item]:
        yield from transcripts(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(FakeClassifier(), items())


def test_a_bug_in_a_classifier_is_not_hidden() -> None:
    """An unexpected exception ends the program instead of becoming an unclassified conversation."""

    class Broken(FakeClassifier):
        async def classify(self, transcript: Transcript) -> Outcome:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(Broken(), transcripts(3))


def test_an_input_that_never_ends_does_not_hold_the_program() -> None:
    """A pipe that stays silent is left behind when the run must end."""
    release = threading.Event()

    def items() -> Iterator[Item]:
        yield from transcripts(64)
        release.wait(20)
        yield from transcripts(1)

    result = run(FakeClassifier(), items(), meanwhile=lambda stop: stop.end(TimeLimitError("late")))
    release.set()
    assert result.tally.sampled == 64


def test_the_window_of_uncounted_records_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first conversation is slow, only so many others are judged ahead of it."""
    monkeypatch.setattr("valueaudit.audit.WINDOW", 10)
    classifier = FakeClassifier(delay=lambda n: 0.3 if n == 0 else 0)
    seen: list[int] = []
    result = run(classifier, transcripts(100), meanwhile=lambda stop: seen.append(classifier.started))
    assert (seen, result.tally.classified) == ([10], 100)
