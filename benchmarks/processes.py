"""Measures what several processes are worth to a scan with the embedded classifier, and what bounds them.

Conversations of about 600 tokens are made of those of a labelled file. They are scanned by one process and by several,
in turns, in processes of their own; of the rounds the least of each figure counts. What one conversation
more costs is told by a second input of half the size: the processor time that the process that reads and counts spends
on it, against what one process spends on it in all, bounds what any number of processes can give.
Run: processes.py LABELLED [--conversations 20000] [--processes 1 2] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from embedded import join
from msgspec.structs import astuple

from valueaudit.cli.inputs import plan_inputs
from valueaudit.cli.labelled import read_labelled
from valueaudit.taxonomy import load_taxonomy
from valueaudit.transcript import Transcript

_SCAN = """
import json, os, resource, sys, time
os.environ["OPENBLAS_NUM_THREADS"] = "1"
started = time.monotonic()
from valueaudit.cli.main import run
assert run(sys.argv[1:]) == 0
spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps({
    "wall": time.monotonic() - started,
    "own": spent[0].ru_utime + spent[0].ru_stime,
    "others": spent[1].ru_utime + spent[1].ru_stime,
}))
"""


class Spent(msgspec.Struct, frozen=True):
    """Seconds of a scan: by the clock, of the processor in the process that reads, and in the others."""

    wall: float
    own: float
    others: float

    @property
    def total(self) -> float:
        return self.own + self.others


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("labelled")
    parser.add_argument("--conversations", type=int, default=20_000)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    labelled = read_labelled(plan_inputs([options.labelled]), load_taxonomy()).conversations
    made = list(join([each.transcript for each in labelled], together=True))
    with tempfile.TemporaryDirectory() as folder:
        measure(made, options.conversations, options.processes, options.rounds, Path(folder))


def measure(made: Sequence[Transcript], count: int, processes: Sequence[int], rounds: int, folder: Path) -> None:
    sizes = (count // 2, count)
    logs = {size: write_logs(folder / f"{size}.jsonl", made, size) for size in sizes}
    best: dict[tuple[int, int], Spent] = {}
    records: dict[int, bytes] = {}
    for _ in range(rounds):
        for size in sizes:
            for number in processes:
                spent, written = scan(logs[size], number)
                assert records.setdefault(size, written) == written, "the records differ"
                before = best.get((size, number), spent)
                best[size, number] = Spent(*map(min, astuple(before), astuple(spent)))
                print(f"{size} conversations, {number} processes: {spent}", file=sys.stderr)
    for number in processes:
        half, whole = (best[size, number] for size in sizes)
        more = sizes[1] - sizes[0]
        each, read = ((there - before) / more * 1e6 for there, before in costs(whole, half))
        print(
            f"{count} conversations, {number} processes: {whole.wall:.1f} s, {count / whole.wall:.0f}/s;"
            f" processor {whole.total:.1f} s, {whole.own:.1f} of it where it is read;"
            f" one more conversation: {each:.0f} us, {read:.0f} us of it where it is read"
        )


def costs(whole: Spent, half: Spent) -> tuple[tuple[float, float], ...]:
    return (whole.total, half.total), (whole.own, half.own)


def write_logs(path: Path, made: Sequence[Transcript], count: int) -> Path:
    """A log of so many conversations, the same ones again under other ids."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            messages = [{"role": m.role, "content": m.text} for m in made[number % len(made)].messages]
            file.write(json.dumps({"id": str(number), "messages": messages}, ensure_ascii=False) + "\n")
    return path


def scan(log: Path, processes: int) -> tuple[Spent, bytes]:
    """What a scan took, and its records without the last line, which holds the time of day."""
    written = log.with_suffix(".records")
    arguments = ("scan", str(log), "-q", "--no-report", "--records", str(written), "--processes", str(processes))
    done = subprocess.run([sys.executable, "-c", _SCAN, *arguments], capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    spent = msgspec.json.decode(done.stdout.splitlines()[-1], type=Spent)
    return spent, written.read_bytes().rstrip(b"\n").rpartition(b"\n")[0]


if __name__ == "__main__":
    main()
