"""Several processes of the embedded classifier, seen from outside: signals, kills, what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from samples import QUESTION, REPLY, build_line, write_conversations
from valueaudit.classifiers.pool import CHARACTERS_FOR_ONE_MORE
from valueaudit.cli.main import run
from valueaudit.cli.processors import count_processors

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for child processes in /proc")
# a question without an answer costs nothing to judge, and is as much as makes processes pay
MUCH = build_line("x" * CHARACTERS_FOR_ONE_MORE, id="much")


def lines(first: int, count: int) -> str:
    """Conversations as lines; a reader passes them on in batches of 64."""
    texts = (f"{QUESTION} (case {n})" for n in range(first, first + count))
    return "".join(build_line(text, f"{REPLY} {text}", id=text) + "\n" for text in texts)


class Scan:
    """A scan of what is written to it, in processes of its own; in a group of its own, as a terminal starts it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "valueaudit", "scan", "-", "--no-report", *arguments],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        self.input: IO[str] = self.process.stdin

    def feed(self, text: str) -> None:
        """Writes to its standard input."""
        self.input.write(text)
        self.input.flush()

    def find_workers(self) -> set[int]:
        """The processes that it has started and that run."""
        return {pid for pid, parent in list_processes() if parent == self.process.pid}

    def close(self) -> None:
        """Ends it, should it still run."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Scan]]:
    """Starts scans, and ends those that are left."""
    started: list[Scan] = []

    def begin(*arguments: str) -> Scan:
        started.append(Scan(folder, *arguments))
        return started[-1]

    yield begin
    for scan in started:
        scan.close()


def list_processes() -> Iterator[tuple[int, int]]:
    """Number and parent of every process that runs."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            yield int(stat.parent.name), int(parent)


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    assert true()


def running(workers: set[int]) -> set[int]:
    """Those that still run."""
    return workers & {pid for pid, _ in list_processes()}


@needs_proc
def test_records_are_those_of_one_process(folder: Path, start: Callable[..., Scan]) -> None:
    """What standard input brings is judged to its end, in its order, and nothing is left behind."""
    several = start("--processes", "2", "-q", "--records", "two.jsonl")
    several.feed(MUCH + "\n" + lines(0, 319))
    wait_until(lambda: len(several.find_workers()) == 2)
    workers = several.find_workers()
    several.feed(lines(319, 640))
    assert several.process.communicate(timeout=60)[1] == ""
    assert not running(workers)
    alone = start("--processes", "1", "-q", "--records", "one.jsonl")
    alone.feed(MUCH + "\n" + lines(0, 959))
    assert alone.process.communicate(timeout=60)[1] == ""
    one, two = ((folder / name).read_text().splitlines() for name in ("one.jsonl", "two.jsonl"))
    assert (len(one), one[:-1]) == (962, two[:-1])


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_scan_ends_its_processes_quietly(number: signal.Signals, start: Callable[..., Scan]) -> None:
    """Whether the signal comes from a keyboard, and so to all, or from a scheduler: one error, 130, nobody left."""
    scan = start("--processes", "2")
    scan.feed(MUCH + "\n" + lines(0, 127))
    wait_until(lambda: len(scan.find_workers()) == 2)
    workers = scan.find_workers()
    began = time.monotonic()
    os.killpg(scan.process.pid, number)
    for worker in workers if number is signal.SIGTERM else ():
        os.kill(worker, number)
    # its input goes on: what ends it is the signal
    assert scan.process.wait(timeout=30) == 130
    assert time.monotonic() - began < 4
    _, told = scan.process.communicate()
    assert told.splitlines() == ["error[interrupted]: interrupted", "help: the same command starts again"]
    assert not running(workers)


@needs_proc
def test_processes_end_with_a_scan_that_is_killed(start: Callable[..., Scan]) -> None:
    """Nobody can tell them: they notice it themselves."""
    scan = start("--processes", "2")
    scan.feed(MUCH + "\n" + lines(0, 127))
    wait_until(lambda: len(scan.find_workers()) == 2)
    workers = scan.find_workers()
    scan.process.kill()
    _, told = scan.process.communicate(timeout=30)
    wait_until(lambda: not running(workers))
    assert told == ""


@pytest.mark.parametrize("processes", ["1", "64"])
def test_a_small_scan_pays_for_no_processes(
    processes: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is small is done without starting any, however many there may be."""
    monkeypatch.setattr(sys, "executable", "nowhere/python")
    write_conversations(folder / "logs.jsonl", 3)
    assert run(["scan", "logs.jsonl", "--processes", processes, "-q", "-o", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["coverage"]["classified"] == 3


def test_processes_that_cannot_be_started_are_done_without(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning says why it takes longer; the audit is the same."""
    monkeypatch.setattr(sys, "executable", "nowhere/python")
    (folder / "logs.jsonl").write_text(MUCH + "\n" + lines(0, 3))
    assert run(["scan", "logs.jsonl", "--processes", "2", "-q", "-o", "-"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["coverage"]["classified"] == 3
    assert "warning: a process that judges cannot be started: No such file or directory" in printed.err


@pytest.mark.parametrize("command", ["scan", "bench"])
def test_a_judge_refuses_processes(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A flag that would change nothing is an error that names the flag that is meant."""
    (folder / "logs.jsonl").write_text(build_line(QUESTION, REPLY, id="c-1", labels={"adverse": False}) + "\n")
    assert run([command, "logs.jsonl", "-m", "openai/x", "--processes", "4"]) == 2
    told = capsys.readouterr().err
    assert "error[usage]: --processes is of the embedded classifier" in told
    assert "--concurrency" in told


@pytest.mark.parametrize(
    ("quota", "most"),
    [("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1), ("max 100000", None), ("", None), (None, None)],
)
def test_a_container_counts_its_quota(quota: str | None, most: int | None, tmp_path: Path) -> None:
    """Processors beyond the quota would only wait for each other; without one, those bound to the process count."""
    path = tmp_path / "cpu.max"
    if quota is not None:
        path.write_text(quota)
    alone = count_processors(tmp_path / "none")
    assert alone >= 1
    assert count_processors(path) == (alone if most is None else min(alone, most))
