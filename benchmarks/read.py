"""CPU time of reading a chat log, beside what the parts cost alone: jsonlines with msgspec, msgspec, orjson.

The log is generated: conversations of about 2.1 kB with plain text, code or tool calls. Every way runs over the same
file, in turns, and its fastest round counts.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jsonlines
import msgspec

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
_CODE = 'def f(x):\n    return {"name": x, "items": [1, 2]}  # "quoted": text\n'


def build_conversation(number: int, pick: random.Random) -> dict[str, object]:
    """One conversation of six messages, about 2.1 kB as JSON; one in ten holds code, one in ten a tool call."""
    kind = number % 10
    messages: list[dict[str, object]] = []
    for index in range(6):
        text = " ".join(pick.choices(_WORDS, k=55))
        if kind == 1 and index % 2:
            text += _CODE
        messages.append({"role": "user" if index % 2 == 0 else "assistant", "content": text})
    if kind == 2:
        call = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"order": 12}'}}
        messages[3]["tool_calls"] = [call]
    return {
        "id": f"conversation-{number}",
        "model": "example-1",
        "metadata": {"topic": pick.choice(("billing", "travel")), "user": number % 97},
        "messages": messages,
    }


def write_log(path: Path, records: int) -> None:
    pick = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        for number in range(records):
            file.write(json.dumps(build_conversation(number, pick), ensure_ascii=False) + "\n")


def read_with_valueaudit(path: Path) -> int:
    with open_source(str(path), io.BytesIO()) as source:
        return sum(isinstance(item, Transcript) for item in Reading(FORMATS).read(source))


def read_with_jsonlines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in jsonlines.Reader(file, loads=msgspec.json.Decoder().decode))


def read_with_msgspec(path: Path) -> int:
    decode = msgspec.json.Decoder().decode
    with path.open("rb") as file:
        return sum(1 for line in file if decode(line) is not None)


def read_with_json(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if json.loads(line) is not None)


def ways() -> dict[str, Callable[[Path], int]]:
    """What is compared, by name; orjson only where it is installed."""
    table: dict[str, Callable[[Path], int]] = {
        "valueaudit": read_with_valueaudit,
        "jsonlines + msgspec": read_with_jsonlines,
        "msgspec": read_with_msgspec,
        "json": read_with_json,
    }
    try:
        import orjson
    except ImportError:
        return table

    def read_with_orjson(path: Path) -> int:
        with path.open("rb") as file:
            return sum(1 for line in file if orjson.loads(line) is not None)

    return {**table, "orjson": read_with_orjson}


def measure(table: dict[str, Callable[[Path], int]], path: Path, records: int, rounds: int) -> dict[str, float]:
    """The least CPU seconds of each way over `rounds` turns."""
    best = dict.fromkeys(table, float("inf"))
    for _ in range(rounds):
        for name, read in table.items():
            start = time.process_time()
            count = read(path)
            best[name] = min(best[name], time.process_time() - start)
            if count != records:
                raise SystemExit(f"{name} read {count} of {records} records")
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        write_log(path, arguments.records)
        size = path.stat().st_size
        best = measure(ways(), path, arguments.records, arguments.rounds)
    print(f"{arguments.records} records of {size / arguments.records:.0f} bytes, best of {arguments.rounds} rounds")
    print(f"{'way':<22}{'CPU s':>8}{'records/s':>12}{'MB/s':>8}{'ratio':>8}")
    for name, seconds in best.items():
        speed = arguments.records / seconds
        ratio = seconds / best["jsonlines + msgspec"]
        print(f"{name:<22}{seconds:>8.3f}{speed:>12.0f}{size / seconds / 1e6:>8.0f}{ratio:>8.2f}")
    print("ratio: CPU seconds, those of jsonlines + msgspec are 1")


if __name__ == "__main__":
    main()
