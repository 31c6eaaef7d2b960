"""What only a process of its own can show: signals, pipes, what is imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from loopback import Answer, JudgeServer, good
from samples import write_conversations
from valueaudit.cli.main import run

PROGRAM = (sys.executable, "-m", "valueaudit")


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The program, started in a folder."""
    pipe = subprocess.PIPE
    return subprocess.Popen([*PROGRAM, *arguments], cwd=folder, stdout=pipe, stderr=pipe, text=True)


def judged_by(server: JudgeServer, *more: str) -> tuple[str, ...]:
    """The arguments of a scan by the judge at the server."""
    return ("scan", "logs.jsonl", "-m", "openai/test", "--api-base", server.base, "--cache-dir", "kept", *more)


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    assert true()


def imported_by(*arguments: str) -> set[str]:
    """The modules that a command line leaves loaded."""
    script = "import sys; from valueaudit.cli.main import run; run(sys.argv[1:]); print('\\n' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_nothing_heavy() -> None:
    """--help must answer at once."""
    assert not imported_by("--help") & {"litellm", "scipy", "numpy", "pandas", "rich", "tqdm", "asyncio"}


def test_an_embedded_scan_never_loads_litellm(folder: Path) -> None:
    """Without a model nothing that could reach a network is even imported."""
    write_conversations(folder / "logs.jsonl", 3)
    loaded = imported_by("scan", "logs.jsonl", "--no-report")
    assert "valueaudit.classifiers.embedded" in loaded
    assert not loaded & {"litellm", "aiohttp", "httpx", "scipy.stats", "pandas"}


def test_what_asks_nobody_never_loads_litellm(folder: Path) -> None:
    """Deciding again, planning without a model and everything about a policy file are offline by what they import."""
    write_conversations(folder / "logs.jsonl", 3)
    (folder / "p.yaml").write_text("version: 1\npolicy: p\nprohibited: [{id: a, value: cruelty, at_most: 5%}]\n")
    assert run(["scan", "logs.jsonl", "-p", "p.yaml", "--records", "r.jsonl", "--no-report", "-q"]) == 3
    for arguments in (
        ("check", "r.jsonl", "-p", "p.yaml", "-q"),
        ("policy", "lint", "p.yaml", "r.jsonl", "logs.jsonl"),
        ("policy", "explain", "p.yaml"),
        ("policy", "lock", "p.yaml"),
        ("policy", "init"),
        ("plan", "-p", "p.yaml", "logs.jsonl"),
    ):
        loaded = imported_by(*arguments)
        assert "valueaudit.policy.parse" in loaded or arguments[1] == "init"
        assert not loaded & {"litellm", "aiohttp", "httpx", "scipy.stats", "pandas"}, arguments


def test_a_killed_run_goes_on_where_it_stopped(server: JudgeServer, folder: Path) -> None:
    """After SIGKILL the same command loses no conversation and pays again at most for the calls that were in flight."""
    count, concurrency = 200, 8
    server.behaviour = lambda asked: Answer(good(asked).content, delay=0.03)
    write_conversations(folder / "logs.jsonl", count)
    arguments = judged_by(server, "--concurrency", str(concurrency), "--records", "r.jsonl")
    process = start(folder, *arguments)
    wait_until(lambda: len(server.asked) > count // 3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(server.asked) < count
    again = start(folder, *arguments)
    again.communicate(timeout=60)
    assert again.returncode == 0
    report = json.loads((folder / "valueaudit-report.json").read_text())
    assert report["coverage"]["classified"] == count
    assert count <= len(server.asked) <= count + concurrency
    ids = [json.loads(line)["id"] for line in (folder / "r.jsonl").read_text().splitlines()[1:-1]]
    assert ids == [f"c-{n}" for n in range(count)]


def test_an_interrupted_run_drains_and_says_one_line(server: JudgeServer, folder: Path) -> None:
    """What is in flight comes home and is kept; the exit code is 130; no traceback is shown."""
    server.behaviour = lambda asked: Answer(good(asked).content, delay=0.2)
    write_conversations(folder / "logs.jsonl", 100)
    process = start(folder, *judged_by(server, "--concurrency", "4"))
    wait_until(lambda: len(server.asked) >= 8)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.splitlines() == [
        "error[interrupted]: interrupted",
        "help: what was answered is kept: the same command goes on",
    ]
    server.behaviour = good
    start(folder, *judged_by(server)).communicate(timeout=60)
    assert len(server.asked) == 100


def test_a_terminated_run_ends_like_an_interrupted_one(server: JudgeServer, folder: Path) -> None:
    """A scheduler that sends SIGTERM gets the same exit code and loses nothing either."""
    server.behaviour = lambda asked: Answer(good(asked).content, delay=0.2)
    write_conversations(folder / "logs.jsonl", 100)
    process = start(folder, *judged_by(server))
    wait_until(lambda: len(server.asked) >= 1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 130


def test_a_second_interruption_does_not_wait(server: JudgeServer, folder: Path) -> None:
    """Whoever presses Ctrl-C twice leaves at once."""
    server.behaviour = lambda asked: Answer("late", delay=20)
    write_conversations(folder / "logs.jsonl", 5)
    process = start(folder, *judged_by(server, "--concurrency", "4"))
    wait_until(lambda: len(server.asked) >= 1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - began < 4
    assert "Traceback" not in told


def test_a_reader_that_leaves_is_no_crash(folder: Path) -> None:
    """`valueaudit scan | head -1` ends without a traceback."""
    write_conversations(folder / "logs.jsonl", 3)
    command = f"'{sys.executable}' -m valueaudit scan logs.jsonl --no-report -v | true"
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_standard_input_is_read_and_the_report_goes_to_standard_output(folder: Path) -> None:
    """`-` on both sides makes the program a filter; the summary then goes to standard error."""
    logs = write_conversations(folder / "logs.jsonl", 4).read_text()
    done = subprocess.run(
        [*PROGRAM, "scan", "-", "-o", "-"], cwd=folder, input=logs, capture_output=True, text=True, check=True
    )
    report = json.loads(done.stdout)
    assert report["inputs"][0] == {**report["inputs"][0], "path": "-", "conversations": 4}
    assert "Verdict" in done.stderr


def test_a_terminal_without_unicode_gets_ascii(folder: Path) -> None:
    """Bars and dashes fall back to ASCII where the encoding knows nothing else."""
    write_conversations(folder / "logs.jsonl", 2)
    done = subprocess.run(
        [*PROGRAM, "scan", "logs.jsonl", "--no-report"],
        cwd=folder,
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )
    assert done.stdout.isascii()
