from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import sys
import time
from collections.abc import AsyncIterator

import msgspec
import pytest

from samples import QUESTION, REPLY, build_transcript
from valueaudit.classifiers.embedded import EmbeddedClassifier
from valueaudit.classifiers.pool import PooledClassifier
from valueaudit.classifiers.worker import HEADER, Question, Task, WorkerBugError, pack, parse_answers, serve
from valueaudit.classifiers.worker_process import WorkerLostError, WorkerProcess, start_worker
from valueaudit.observation import Classified, Observation, Outcome, Reason, Unclassified
from valueaudit.record import ClassifierInfo
from valueaudit.taxonomy import load_taxonomy
from valueaudit.transcript import Transcript

QUESTIONS = (Question("honesty", "intended"), Question("contempt", "prohibited"))
TEXTS = ("Should I?", "What a stupid question. You are an idiot.", "I'm sorry, but I can't help with that.", REPLY)


class Own:
    """Names the first message as the task; some it cannot."""

    info = ClassifierInfo("fake")

    def observe(self, transcript: Transcript) -> Outcome:
        text = transcript.messages[0].text
        if text == "bug":
            raise ZeroDivisionError
        return Unclassified(Reason.LANGUAGE, "xx") if text == "foreign" else Classified(Observation(task=text))


def served(content: bytes) -> list[bytes]:
    """What a worker answers, taken out of its frames."""
    answers = io.BytesIO()
    serve(io.BytesIO(content), answers, lambda task: Own())
    answers.seek(0)
    frames = []
    while header := answers.read(HEADER.size):
        frames.append(answers.read(*HEADER.unpack(header)))
    return frames


def test_a_worker_says_who_judges_and_then_answers_batches() -> None:
    """Outcomes of both kinds come through whole, and a bug with its traceback."""
    batch = [build_transcript(text).messages for text in ("hello", "foreign", "bug")]
    first, second, third = served(b"".join(map(bytes, (pack(Task(QUESTIONS)), pack(batch), pack([])))))
    assert (first, parse_answers(third)) == (msgspec.msgpack.encode(Own.info), [])
    classified, unclassified, bug = parse_answers(second)
    assert (classified, unclassified) == (Own().observe(build_transcript("hello")), Unclassified(Reason.LANGUAGE, "xx"))
    assert isinstance(bug, WorkerBugError)
    assert "ZeroDivisionError" in str(bug)


@pytest.mark.parametrize("cut", [1, HEADER.size, HEADER.size + 1])
def test_a_worker_ends_where_its_input_ends(cut: int) -> None:
    """The other side may go in the middle of a word."""
    questions, batch = bytes(pack(Task(QUESTIONS))), bytes(pack([build_transcript().messages]))
    assert served(questions[:cut]) == []
    assert len(served(questions + batch[:cut])) == 1


class Counting:
    """The embedded classifier, which counts what it is asked in this process."""

    def __init__(self) -> None:
        self.own = EmbeddedClassifier(load_taxonomy(), QUESTIONS)
        self.info = self.own.info
        self.asked = 0

    def observe(self, transcript: Transcript) -> Outcome:
        self.asked += 1
        return self.own.observe(transcript)


def test_real_processes_say_what_one_process_says() -> None:
    """Every outcome is the same to the last bit of a probability, also after one of them was killed."""
    own, warnings, pids = Counting(), list[str](), list[int]()
    transcripts = [build_transcript(f"{QUESTION} {n}", TEXTS[n % 4], f"Ünd {n}?", REPLY) for n in range(120)]

    @contextlib.asynccontextmanager
    async def start() -> AsyncIterator[WorkerProcess]:
        async with start_worker(Task(QUESTIONS)) as worker:
            pids.append(worker.pid)
            yield worker

    async def judge() -> list[Outcome]:
        pool = PooledClassifier(own, start, processes=2, warn=warnings.append, characters_for_one_more=1)
        try:
            before = -1
            while own.asked > before:
                before = own.asked
                await asyncio.sleep(0.02)
                await pool.classify(transcripts[0])
            outcomes = await asyncio.gather(*map(pool.classify, transcripts))
            os.kill(pids[0], signal.SIGKILL)
            return outcomes + await asyncio.gather(*map(pool.classify, transcripts))
        finally:
            await pool.close()

    outcomes = asyncio.run(judge())
    asked = own.asked
    assert outcomes == [own.observe(transcript) for transcript in transcripts] * 2
    assert asked < 120
    assert warnings == ["a process that judges was ended by SIGKILL"]


@pytest.mark.parametrize(("number", "said"), [(signal.SIGKILL, "was ended by SIGKILL"), (40, "was ended by signal 40")])
def test_a_killed_process_is_told_with_its_signal(number: int, said: str) -> None:
    """Whoever waits for its answer learns at once that none will come, and so does whoever asks it more."""

    async def go() -> None:
        async with start_worker(Task(QUESTIONS)) as worker:
            os.kill(worker.pid, number)
            with pytest.raises(WorkerLostError, match=said):
                await worker.receive()
            await worker.send(pack([(build_transcript().messages)] * 1000))

    asyncio.run(asyncio.wait_for(go(), 30))


def test_a_process_is_ended_whatever_it_does() -> None:
    """One that judges for seconds, and has been asked more than goes through a pipe, is gone at once."""

    async def go() -> float:
        long = build_transcript(QUESTION, REPLY * 20_000)
        async with start_worker(Task()) as worker:
            await worker.receive()
            sending = asyncio.create_task(worker.send(pack([long.messages] * 2)))
            await asyncio.sleep(0.1)
            began = time.monotonic()
            sending.cancel()
        with pytest.raises(ProcessLookupError):
            os.kill(worker.pid, 0)
        return time.monotonic() - began

    assert asyncio.run(asyncio.wait_for(go(), 30)) < 1


def test_a_process_that_fails_to_load_says_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is wrong stands on standard error, from Python itself."""
    monkeypatch.setattr(sys, "path", ["nowhere"])

    async def go() -> None:
        async with start_worker(Task()) as worker:
            await worker.receive()

    with pytest.raises(WorkerLostError, match="ended with exit code 1"):
        asyncio.run(go())
    assert "No module named" in capfd.readouterr().err


def test_a_process_that_cannot_be_started_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as where the interpreter has gone, or where there may be no more processes."""
    monkeypatch.setattr(sys, "executable", "nowhere/python")

    async def go() -> None:
        async with start_worker(Task()):
            pass

    with pytest.raises(WorkerLostError, match="cannot be started: No such file"):
        asyncio.run(go())
