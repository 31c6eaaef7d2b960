"""A process that judges for another one, so that a scan can use more than one core.

It answers what comes in on standard input until that ends. Since the other process holds the only other end, it ends
with that process, however that ends.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

import msgspec
from msgspec import Struct

from valueaudit.observation import Classified, Outcome, Unclassified
from valueaudit.record import ClassifierInfo
from valueaudit.transcript import Location, Message, Transcript

# The length of what follows, in bytes.
HEADER = struct.Struct("!Q")
_NOWHERE = Location("")


class Screener(Protocol):
    """A classifier that needs no event loop and looks at nothing but the messages."""

    @property
    def info(self) -> ClassifierInfo:
        """Who judges."""
        ...

    def observe(self, transcript: Transcript) -> Outcome:
        """What is seen, or why it cannot be said."""
        ...


class Question(Struct, frozen=True, array_like=True):
    """A declared value to look for, as `embedded.Question` has it."""

    value: str
    kind: str


class Task(Struct, frozen=True, array_like=True):
    """What a worker is to judge by: the declared values, and whether the encoder reads along."""

    questions: tuple[Question, ...] = ()
    encoder: bool = False


class Answer(Struct, frozen=True, array_like=True):
    """The outcome of one conversation, or the traceback of a bug."""

    classified: Classified | None = None
    unclassified: Unclassified | None = None
    bug: str | None = None


class WorkerBugError(Exception):
    """A bug that showed itself in another process; the message is its traceback there."""


_encoder = msgspec.msgpack.Encoder()
_task = msgspec.msgpack.Decoder(Task)
_batch = msgspec.msgpack.Decoder(list[tuple[Message, ...]])
_answers = msgspec.msgpack.Decoder(list[Answer])


def pack(content: Any) -> bytearray:
    """What goes through the pipe: the length, and the content in one copy."""
    frame = bytearray(HEADER.size)
    _encoder.encode_into(content, frame, HEADER.size)
    HEADER.pack_into(frame, 0, len(frame) - HEADER.size)
    return frame


def parse_answers(content: bytes) -> list[Outcome | WorkerBugError]:
    """What a worker says of the conversations of a batch, in their order."""
    return [_parse_answer(each) for each in _answers.decode(content)]


def _parse_answer(answer: Answer) -> Outcome | WorkerBugError:
    return answer.classified or answer.unclassified or WorkerBugError(answer.bug)


def main() -> None:
    """Serves on standard input and standard output."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # they go to the process that asks as well, which ends this one when it wants no more of it
        signal.signal(number, signal.SIG_IGN)
    # where nobody waits for an answer any more, there is nothing to say about that either
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with os.fdopen(os.dup(1), "wb") as answers:
        # whatever is printed by mistake must not look like an answer
        os.dup2(2, 1)
        serve(sys.stdin.buffer, answers, _build_classifier)


def _build_classifier(task: Task) -> Screener:
    # loading takes most of the start: signals are settled before
    from valueaudit.classifiers.embedded import EmbeddedClassifier
    from valueaudit.classifiers.encoder_model import load_encoder
    from valueaudit.taxonomy import load_taxonomy

    return EmbeddedClassifier(load_taxonomy(), task.questions, encoder=load_encoder() if task.encoder else None)


def serve(asked: BinaryIO, answers: BinaryIO, build: Callable[[Task], Screener]) -> None:
    """Judges until the input ends: first comes the task, then batches; first answered is who judges."""
    task = _read(asked)
    if task is None:
        return
    classifier = build(_task.decode(task))
    _write(answers, classifier.info)
    while (batch := _read(asked)) is not None:
        _write(answers, [_judge(classifier, messages) for messages in _batch.decode(batch)])


def _judge(classifier: Screener, messages: tuple[Message, ...]) -> Answer:
    try:
        outcome = classifier.observe(Transcript("", _NOWHERE, messages, {}))
    except Exception:
        return Answer(bug=traceback.format_exc())
    return Answer(outcome) if isinstance(outcome, Classified) else Answer(unclassified=outcome)


def _read(stream: BinaryIO) -> bytes | None:
    """The next content, None where the other side has gone."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (size,) = HEADER.unpack(header)
    content = stream.read(size)
    return content if len(content) == size else None


def _write(stream: BinaryIO, content: Any) -> None:
    stream.write(pack(content))
    stream.flush()
