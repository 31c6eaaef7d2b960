"""How a log is understood, on the terminal: what a newcomer looks at before anything is judged."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from valueaudit.cli.convert_run import MOST_TOLD, describe_input
from valueaudit.cli.inputs import plan_inputs
from valueaudit.cli.terminal import is_ascii_only, tell, width_of
from valueaudit.errors import ExitCode
from valueaudit.renderers.visible import visible
from valueaudit.transcript import BadRecord, Transcript

_MOST_TEXT = 200
_MOST_MESSAGES = 8


def run_inspect(paths: Sequence[str], conversations: int, input_format: str, mapping: str | None) -> int:
    """Prints what was understood; the exit code. Raises `InputError` and `UsageError`."""
    inputs = plan_inputs(paths, input_format, mapping)
    shown: list[Transcript] = []
    first_bad: list[BadRecord] = []
    fields: Counter[str] = Counter()
    bad = silent = 0
    for item in inputs:
        if isinstance(item, BadRecord):
            bad += 1
            if len(first_bad) < MOST_TOLD:
                first_bad.append(item)
            continue
        silent += not item.has_assistant_text
        fields.update(list(item.metadata))
        if len(shown) < conversations:
            shown.append(item)
    lines = [describe_input(info) for info in inputs.infos]
    lines += _tell_fields(fields)
    if silent:
        lines.append(f"{silent:,} without any text of the assistant: they cannot be judged")
    lines += [f"bad record at {each.location}: {each.reason}" for each in first_bad]
    if bad > len(first_bad):
        lines.append(f"and {bad - len(first_bad):,} more bad records")
    for transcript in shown:
        lines += _draw(transcript, width_of(sys.stdout))
    plain = is_ascii_only(sys.stdout)
    tell("\n".join(visible(line, ascii_only=plain) for line in lines), sys.stdout)
    found = any(info.conversations for info in inputs.infos)
    return ExitCode.INCOMPLETE if bad or not found else ExitCode.PASS


def _tell_fields(fields: Counter[str]) -> Iterator[str]:
    """The metadata that a policy's contexts can name."""
    if fields:
        names = ", ".join(name for name, _ in fields.most_common(12))
        more = f" and {len(fields) - 12:,} more" if len(fields) > 12 else ""
        yield f"metadata: {names}{more}"


def _draw(transcript: Transcript, width: int) -> Iterator[str]:
    yield ""
    yield f"{transcript.id} at {transcript.location}"
    for message in transcript.messages[:_MOST_MESSAGES]:
        text = " ".join(message.text[: _MOST_TEXT + 1].split())
        if len(message.text) > _MOST_TEXT:
            text = f"{text[:_MOST_TEXT]}… ({len(message.text):,} characters)"
        head = f"  {message.role + ':':10} "
        lines = textwrap.wrap(text, max(20, width - len(head))) or ["(no text)"]
        yield head + lines[0]
        yield from (" " * len(head) + line for line in lines[1:])
        yield from (f"{' ' * len(head)}({attachment[:_MOST_TEXT]})" for attachment in message.attachments)
    if len(transcript.messages) > _MOST_MESSAGES:
        yield f"  and {len(transcript.messages) - _MOST_MESSAGES:,} more messages"
