"""What reading chat logs costs, beside what its parts cost alone: jsonlines, orjson and msgspec over the same file.

The log is generated: conversations of about 2.1 kB with plain text, code or tool calls. Every way runs in a process of
its own, in turns, at two sizes; of its rounds the one with the least CPU time counts. The peak of its memory tells
whether a way holds the file.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonlines
import msgspec
import orjson
import zstandard

from valueaudit.cli.inputs import Inputs
from valueaudit.files import open_source
from valueaudit.readers.reading import Reading
from valueaudit.registry import FORMATS
from valueaudit.transcript import Transcript

_WORDS = tuple(
    word
    for line in (
        "the a of to and that refund order please thank we can you your check answer value help honest reason because",
        "policy account number question again today would should like café naïve 日本 however, first. second: maybe",
    )
    for word in line.split()
)
_WORDS_IN_ALL = 294
_CODE = 'def f(x):\n    return {"name": x, "items": [1, 2]}  # "quoted": text\n'
_BASE = "jsonlines + msgspec"


class _Message(msgspec.Struct):
    role: str
    content: str


class _Conversation(msgspec.Struct):
    id: str
    model: str
    metadata: dict[str, Any]
    messages: list[_Message]


def build_conversation(number: int, pick: random.Random, count: int = 6) -> dict[str, object]:
    """One conversation of `count` messages, about 2.1 kB as JSON; one in ten holds code, one in ten a tool call."""
    kind = number % 10
    messages: list[dict[str, object]] = []
    for index in range(count):
        text = " ".join(pick.choices(_WORDS, k=_WORDS_IN_ALL // count))
        if kind == 1 and index % 2:
            text += _CODE
        messages.append({"role": "user" if index % 2 == 0 else "assistant", "content": text})
    if kind == 2:
        call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"order": 12}'}}
        messages[min(3, count - 1)]["tool_calls"] = [call]
    return {
        "id": f"conversation-{number}",
        "model": "example-1",
        "metadata": {"topic": pick.choice(("billing", "travel")), "user": number % 97},
        "messages": messages,
    }


def write_logs(folder: Path, records: int, messages: int) -> dict[str, Path]:
    """The same conversations as lines, as lines in gzip and zstd, and as one array."""
    pick = random.Random(1)
    paths = {name: folder / f"{records}.{name}" for name in ("jsonl", "jsonl.gz", "jsonl.zst", "json")}
    with (
        paths["jsonl"].open("wb") as plain,
        gzip.open(paths["jsonl.gz"], "wb", compresslevel=1) as gz,
        zstandard.open(paths["jsonl.zst"], "wb") as zst,
        paths["json"].open("wb") as array,
    ):
        for number in range(records):
            line = json.dumps(build_conversation(number, pick, messages), ensure_ascii=False).encode()
            for lines in (plain, gz, zst):
                lines.write(line + b"\n")
            array.write((b"[" if number == 0 else b",\n") + line)
        array.write(b"]\n")
    return paths


def read_with_reading(path: str) -> int:
    with open_source(path, io.BytesIO()) as source:
        return sum(isinstance(item, Transcript) for item in Reading(FORMATS).read(source))


def read_with_inputs(path: str) -> int:
    return sum(isinstance(item, Transcript) for item in Inputs([path], Reading(FORMATS), io.BytesIO()))


def lines_with(loads: Callable[[bytes], object]) -> Callable[[str], int]:
    """Decodes the lines of a file, and nothing else."""

    def read(path: str) -> int:
        with open(path, "rb") as file:
            return sum(1 for line in file if loads(line) is not None)

    return read


def jsonlines_with(loads: Callable[[str | bytes], Any]) -> Callable[[str], int]:
    """The same through jsonlines."""

    def read(path: str) -> int:
        with open(path, "rb") as file:
            return sum(1 for record in jsonlines.Reader(file, loads=loads) if record is not None)

    return read


# name -> ending of the file it reads, and how
WAYS: dict[str, tuple[str, Callable[[str], int]]] = {
    "jsonlines": ("jsonl", jsonlines_with(json.loads)),
    "jsonlines + orjson": ("jsonl", jsonlines_with(orjson.loads)),
    _BASE: ("jsonl", jsonlines_with(msgspec.json.Decoder().decode)),
    "orjson": ("jsonl", lines_with(orjson.loads)),
    "msgspec, dicts": ("jsonl", lines_with(msgspec.json.Decoder().decode)),
    "msgspec, structs": ("jsonl", lines_with(msgspec.json.Decoder(_Conversation).decode)),
    "valueaudit reading": ("jsonl", read_with_reading),
    "valueaudit inputs": ("jsonl", read_with_inputs),
    "reading, gzip": ("jsonl.gz", read_with_reading),
    "reading, zstd": ("jsonl.zst", read_with_reading),
    "reading, array": ("json", read_with_reading),
}


def run_one(name: str, path: str) -> None:
    """Prints the records read, the CPU seconds it took and the peak of memory in MB."""
    start = time.process_time()
    count = WAYS[name][1](path)
    seconds = time.process_time() - start
    print(count, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(paths: dict[str, Path], records: int, rounds: int) -> dict[str, tuple[float, float]]:
    """The least CPU seconds of each way over `rounds` turns, with the peak of its memory in that turn."""
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for name, (ending, _) in WAYS.items():
            command = [sys.executable, __file__, "--run", name, str(paths[ending])]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            if int(told[0]) != records:
                raise SystemExit(f"{name} read {told[0]} of {records} records")
            measured = float(told[1]), float(told[2])
            best[name] = min(best.get(name, measured), measured)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000, help="of the small file; the large one has five times")
    parser.add_argument("--messages", type=int, default=6, help="in each conversation, whose size stays the same")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--run", nargs=2, metavar=("WAY", "PATH"), help="one way over one file")
    arguments = parser.parse_args()
    if arguments.run:
        run_one(*arguments.run)
        return
    small, large = arguments.records, 5 * arguments.records
    with tempfile.TemporaryDirectory() as folder:
        logs = write_logs(Path(folder), small, arguments.messages)
        peaks = {name: peak for name, (_, peak) in measure(logs, small, 1).items()}
        paths = write_logs(Path(folder), large, arguments.messages)
        size = paths["jsonl"].stat().st_size
        best = measure(paths, large, arguments.rounds)
    print(f"{large} records of {size / large:.0f} bytes, best of {arguments.rounds} rounds; the small file has {small}")
    print(f"{'way':<22}{'CPU s':>8}{'records/s':>12}{'MB/s':>8}{'ratio':>8}{'peak MB, small':>16}{'large':>8}")
    for name, (seconds, peak) in best.items():
        speed = f"{seconds:>8.2f}{large / seconds:>12.0f}{size / seconds / 1e6:>8.0f}"
        print(f"{name:<22}{speed}{seconds / best[_BASE][0]:>8.2f}{peaks[name]:>16.0f}{peak:>8.0f}")
    print(f"ratio: CPU seconds, those of {_BASE} are 1; MB/s of JSON, before it was packed")


if __name__ == "__main__":
    main()
