"""How a log is understood, on the terminal: what a newcomer looks at before anything is judged."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct
from rich.console import Console
from rich.text import Text

from valueaudit.cli.inputs import Inputs, plan_inputs
from valueaudit.cli.terminal import is_ascii_only, tell, width_of
from valueaudit.cli.understood import MOST_TOLD, count_conversations, describe_input, find_nothing, find_unread
from valueaudit.errors import ExitCode
from valueaudit.renderers.visible import visible
from valueaudit.transcript import BadRecord, Message, Transcript

_MOST_TEXT = 200
_MOST_MESSAGES = 8
_MOST_ATTACHMENTS = 5
_MOST_FIELDS = 12
_NARROWEST = 20
_SPEAKER = 13
_HANGING = 2


class Sheet(Struct, frozen=True):
    """Lines of a terminal with `width` columns, in which foreign text is harmless."""

    width: int
    ascii_only: bool

    def fold(self, text: str, head: str = "", *, hanging: int = 0) -> Iterator[str]:
        """The text behind `head` in lines that fit; from the second on with `hanging` more spaces before."""
        room = max(_NARROWEST, self.width - len(head) - hanging)
        shown = Text(visible(text, ascii_only=self.ascii_only))
        console = Console(file=io.StringIO(), width=room, color_system=None)
        for index, line in enumerate(shown.wrap(console, room)):
            before = head if index == 0 else " " * (len(head) + hanging)
            yield (before + line.plain.strip()).rstrip()

    def cut(self, text: str) -> str:
        """The first 200 characters on one line, with the whole length said where there are more."""
        shown = " ".join(text[:_MOST_TEXT].split())
        dots = "..." if self.ascii_only else "…"
        return shown if len(text) <= _MOST_TEXT else f"{shown}{dots} ({len(text):,} characters)"


class _Found(Struct):
    """What is remembered of everything that is read, in memory that does not grow with it."""

    shown: list[Transcript]
    first_bad: list[BadRecord]
    fields: Counter[str]
    bad: int = 0
    silent: int = 0


def run_inspect(paths: Sequence[str], conversations: int, input_format: str, mapping: str | None) -> int:
    """Prints what was understood; the exit code. Raises `InputError` and `UsageError`."""
    inputs = plan_inputs(paths, input_format, mapping)
    found = _read(inputs, conversations)
    sheet = Sheet(width_of(sys.stdout), is_ascii_only(sys.stdout))
    tell("\n".join(_draw(sheet, inputs, found)), sys.stdout)
    complete = count_conversations(inputs.infos) and not found.bad
    return ExitCode.PASS if complete else ExitCode.INCOMPLETE


def _read(inputs: Inputs, conversations: int) -> _Found:
    found = _Found([], [], Counter())
    for item in inputs:
        if isinstance(item, BadRecord):
            found.bad += 1
            if len(found.first_bad) < MOST_TOLD:
                found.first_bad.append(item)
            continue
        found.silent += not item.has_assistant_text
        found.fields.update(list(item.metadata))
        if len(found.shown) < conversations:
            found.shown.append(item)
    return found


def _draw(sheet: Sheet, inputs: Inputs, found: _Found) -> Iterator[str]:
    for info in inputs.infos:
        yield from sheet.fold(describe_input(info), hanging=_HANGING)
    if found.fields:
        yield from sheet.fold(_name_fields(found.fields), hanging=_HANGING)
    if found.silent:
        silent = f"{found.silent:,} without any text of the assistant: they cannot be judged"
        yield from sheet.fold(silent, hanging=_HANGING)
    for each in found.first_bad:
        yield from sheet.fold(f"bad record at {each.location}: {each.reason}", hanging=_HANGING)
    more = found.bad - len(found.first_bad)
    if more:
        yield f"and {more:,} more bad {'record' if more == 1 else 'records'}"
    if not count_conversations(inputs.infos):
        for line in find_nothing(inputs):
            yield from sheet.fold(line, hanging=_HANGING)
    elif (advice := find_unread(inputs)) is not None:
        yield from sheet.fold(advice, hanging=_HANGING)
    for transcript in found.shown:
        yield ""
        yield from _draw_transcript(sheet, transcript)


def _name_fields(fields: Counter[str]) -> str:
    """The metadata that a policy's contexts can name."""
    names = ", ".join(name for name, _ in fields.most_common(_MOST_FIELDS))
    more = len(fields) - _MOST_FIELDS
    return f"metadata: {names}{f' and {more:,} more' if more > 0 else ''}"


def _draw_transcript(sheet: Sheet, transcript: Transcript) -> Iterator[str]:
    yield from sheet.fold(f"{transcript.id} at {transcript.location}", hanging=_HANGING)
    for message in transcript.messages[:_MOST_MESSAGES]:
        yield from _draw_message(sheet, message)
    if len(transcript.messages) > _MOST_MESSAGES:
        yield f"  and {len(transcript.messages) - _MOST_MESSAGES:,} more messages"


def _draw_message(sheet: Sheet, message: Message) -> Iterator[str]:
    yield from sheet.fold(sheet.cut(message.text) or "(no text)", f"  {message.role}:".ljust(_SPEAKER))
    for attachment in message.attachments[:_MOST_ATTACHMENTS]:
        yield from sheet.fold(f"({sheet.cut(attachment)})", " " * _SPEAKER)
    more = len(message.attachments) - _MOST_ATTACHMENTS
    if more > 0:
        yield f"{' ' * _SPEAKER}(and {more:,} more attachments)"
