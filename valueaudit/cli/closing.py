"""How every command that decides ends: the clock, the command line as written down, the documents, the exit code."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from typing import TextIO

from valueaudit.cli.outputs import STDOUT, Outputs
from valueaudit.cli.saying import say
from valueaudit.cli.terminal import tell, tell_drawn
from valueaudit.errors import ExitCode, ValueAuditError
from valueaudit.files import printable
from valueaudit.provider.addresses import hide_credentials
from valueaudit.renderers.terminal import render_terminal
from valueaudit.renderers.visible import visible
from valueaudit.report import Report


def read_clock() -> str:
    """The present time, UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read_command() -> str:
    """The command line of this process, without user names and passwords in addresses."""
    return hide_credentials(printable(shlex.join(["valueaudit", *sys.argv[1:]])))


def close(
    outputs: Outputs,
    report: Report,
    *,
    error: ValueAuditError | None = None,
    quiet: bool,
    verbose: bool,
    exit_zero: bool,
) -> int:
    """Writes the documents, prints the summary, says what went wrong; the exit code of the process."""
    failures = outputs.write(report)
    _show(outputs, report, quiet=quiet, verbose=verbose, is_written=not failures)
    for each in (error, *failures):
        if each is not None:
            say(each)
    return choose_exit_code(report.exit_code, exit_zero=exit_zero, is_written=not failures)


def choose_exit_code(verdict: int, *, exit_zero: bool, is_written: bool) -> int:
    """The exit code: a document that could not be written makes the run incomplete, but hides no violation."""
    if not is_written and verdict != ExitCode.FAIL:
        return ExitCode.INCOMPLETE
    return ExitCode.PASS if exit_zero and verdict in {ExitCode.FAIL, ExitCode.INCONCLUSIVE} else verdict


def _show(outputs: Outputs, report: Report, *, quiet: bool, verbose: bool, is_written: bool) -> None:
    stream = outputs.summary_stream
    if quiet:
        tell_verdict(report, stream)
        for warning in report.warnings:
            tell(visible(f"warning: {warning}"), sys.stderr)
        return
    tell_summary(report, stream, verbose=verbose)
    written = [path for path, _ in outputs.documents if path != STDOUT] if is_written else []
    for path in (*written, *([outputs.records] if outputs.records and not report.run.ended_early else [])):
        tell(f"written: {visible(printable(path))}", stream)


def tell_verdict(report: Report, stream: TextIO) -> None:
    """The verdict in one line."""
    tell(visible(f"{report.verdict}: {report.message}"), stream)


def tell_summary(report: Report, stream: TextIO, *, verbose: bool) -> None:
    """The whole summary, as the stream can show it."""
    tell_drawn(render_terminal, report, stream, verbose=verbose)
