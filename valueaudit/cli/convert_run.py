"""Chat logs in, normal form out: for whoever wants to see, keep or pass on what the audit reads."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence

from valueaudit.cli.inputs import Inputs, plan_inputs
from valueaudit.cli.terminal import is_ascii_only, tell
from valueaudit.cli.understood import MOST_TOLD, count_conversations, describe_input, find_nothing, find_unread
from valueaudit.errors import ExitCode, NothingToAuditError, OutputError
from valueaudit.files import STDIN
from valueaudit.readers.normal import is_normal, write_line
from valueaudit.renderers.visible import visible
from valueaudit.transcript import BadRecord
from valueaudit.writing import RecordsFile, check_writable, is_special

STDOUT = "-"


def run_convert(paths: Sequence[str], output: str, input_format: str, mapping: str | None) -> int:
    """Writes the conversations; the exit code.

    Raises `OutputError` before anything is read, `InputError`, `StorageError` and `NothingToAuditError`.
    """
    inputs = plan_inputs(paths, input_format, mapping)
    _refuse_input(output, inputs.paths)
    if output == STDOUT:
        bad = _write(inputs, sys.stdout.buffer.write)
        sys.stdout.flush()
    else:
        check_writable(output, is_ours=is_normal)
        with RecordsFile(output) as file:
            bad = _write(inputs, file.write)
            if count_conversations(inputs.infos):
                file.commit()
    for info in inputs.infos:
        _tell(describe_input(info))
    if not count_conversations(inputs.infos):
        message, advice = find_nothing(inputs)
        raise NothingToAuditError(f"{message}; nothing was written", help=advice)
    if (unread := find_unread(inputs)) is not None:
        _tell(f"help: {unread}")
    return ExitCode.INCOMPLETE if bad else ExitCode.PASS


def _write(inputs: Inputs, write: Callable[[bytes], object]) -> int:
    bad = 0
    for item in inputs:
        if isinstance(item, BadRecord):
            bad += 1
            if bad <= MOST_TOLD:
                _tell(f"not converted: {item.location}: {item.reason}")
        else:
            write(write_line(item))
    if bad > MOST_TOLD:
        _tell(f"not converted: {bad - MOST_TOLD:,} more")
    return bad


def _refuse_input(output: str, paths: Sequence[str]) -> None:
    """Raises `OutputError` where what is written would also be read, under this name or another one."""
    target = _file_of(output)
    for path in paths if target is not None else ():
        if path != STDIN and not is_special(path) and _file_of(path) == target:
            named = "standard output" if output == STDOUT else f'"{output}"'
            raise OutputError(f"{named} is one of the inputs", help="write to another file, outside of the inputs")


def _file_of(path: str) -> tuple[int, int] | None:
    """What tells a file apart, None where there is none yet; `-` is standard output."""
    # standard output may be no file at all
    with contextlib.suppress(OSError, ValueError):
        found = os.fstat(sys.stdout.fileno()) if path == STDOUT else os.stat(path)
        return found.st_dev, found.st_ino
    return None


def _tell(line: str) -> None:
    tell(visible(line, ascii_only=is_ascii_only(sys.stderr)), sys.stderr)
