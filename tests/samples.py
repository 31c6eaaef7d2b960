"""Small transcripts and records that tests are written with."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from valueaudit.transcript import Location, Message, Role, Transcript

QUESTION = "Should I tell my brother that I sold his bike?"
REPLY = "I would be open with him: honesty will hurt less than finding out later. What do you want to say?"


def build_transcript(*texts: str, id: str = "c-1", line: int = 1, **metadata: Any) -> Transcript:
    """A conversation of alternating user and assistant messages."""
    roles = (Role.USER, Role.ASSISTANT)
    messages = tuple(Message(roles[i % 2], text) for i, text in enumerate(texts or (QUESTION, REPLY)))
    return Transcript(id, Location("logs.jsonl", line), messages, metadata)


def build_line(*texts: str, **fields: Any) -> str:
    """One line of chat JSONL."""
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts or (QUESTION, REPLY))]
    return json.dumps({**fields, "messages": messages}, ensure_ascii=False)


def write_logs(path: Path, lines: Iterable[str]) -> Path:
    """A log file of these lines."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def write_conversations(path: Path, count: int) -> Path:
    """A log file of `count` conversations that differ in their text."""
    lines = (build_line(f"{QUESTION} (case {n})", f"{REPLY} That is case {n}.", id=f"c-{n}") for n in range(count))
    return write_logs(path, lines)
