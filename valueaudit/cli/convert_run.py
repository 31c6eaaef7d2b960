"""Chat logs in, normal form out: for whoever wants to see, keep or pass on what the audit reads."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence

import click

from valueaudit.cli.inputs import Inputs, plan_inputs
from valueaudit.cli.terminal import is_ascii_only, tell
from valueaudit.errors import ExitCode, NothingToAuditError
from valueaudit.files import STDIN
from valueaudit.readers.normal import write_line
from valueaudit.record import InputInfo
from valueaudit.renderers.visible import visible
from valueaudit.transcript import BadRecord
from valueaudit.writing import RecordsFile

MOST_TOLD = 5


def run_convert(paths: Sequence[str], output: str, input_format: str, mapping: str | None) -> int:
    """Writes the conversations; the exit code. Raises `InputError`, `StorageError` and `NothingToAuditError`."""
    inputs = plan_inputs(paths, input_format, mapping)
    with contextlib.ExitStack() as stack:
        if output == STDIN:
            bad = _write(inputs, lambda line: click.echo(line, nl=False))
        else:
            file = stack.enter_context(RecordsFile(output))
            bad = _write(inputs, file.write)
            if sum(info.conversations for info in inputs.infos):
                file.commit()
    for info in inputs.infos:
        tell(visible(describe_input(info), ascii_only=is_ascii_only(sys.stderr)), sys.stderr)
    if not sum(info.conversations for info in inputs.infos):
        raise NothingToAuditError(
            f"no conversation was found in {len(inputs.paths)} files; nothing was written",
            help="valueaudit inspect FILE shows how a file is understood",
        )
    return ExitCode.INCOMPLETE if bad else ExitCode.PASS


def _write(inputs: Inputs, write: Callable[[bytes], None]) -> int:
    bad = 0
    for item in inputs:
        if isinstance(item, BadRecord):
            bad += 1
            if bad <= MOST_TOLD:
                tell(visible(f"not converted: {item.location}: {item.reason}"), sys.stderr)
        else:
            write(write_line(item))
    if bad > MOST_TOLD:
        tell(f"not converted: {bad - MOST_TOLD:,} more", sys.stderr)
    return bad


def describe_input(info: InputInfo) -> str:
    """One file as it was read, in one line."""
    counts = (
        (info.conversations, "conversation"),
        (info.messages, "message"),
        (info.attachments, "attachment"),
        (info.branches, "other branch"),
        (info.duplicates, "duplicate"),
        (info.left_out, "record left out"),
        (info.bad_records, "bad record"),
    )
    told = ", ".join(f"{count:,} {_plural(noun, count)}" for count, noun in counts if count) or "nothing in it"
    return f"{info.path}: {info.format or 'no known format'}, {told}"


def _plural(noun: str, count: int) -> str:
    if count == 1:
        return noun
    head, space, rest = noun.partition(" ")
    if noun == "other branch":
        return "other branches"
    return f"{head}s{space}{rest}"
