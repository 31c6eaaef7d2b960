"""Where a measurement goes: checked before the first call, written whole after the last."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial

from valueaudit.bench import Bench
from valueaudit.cli.bench import BenchOptions
from valueaudit.cli.outputs import STDOUT, write_stdout
from valueaudit.cli.terminal import tell, tell_drawn
from valueaudit.errors import OutputError, StorageError, UsageError, ValueAuditError
from valueaudit.files import printable
from valueaudit.renderers.calibration import find_calibrated, is_calibration, render_calibration
from valueaudit.renderers.json_bench import is_bench, render_json_bench
from valueaudit.renderers.terminal_bench import render_terminal_bench
from valueaudit.renderers.visible import visible
from valueaudit.writing import check_writable, write_whole


class NothingCalibratedError(StorageError):
    """A calibration was asked for, and the labels say nothing of any value of the policy."""

    slug = "calibration"


def check_outputs(options: BenchOptions) -> None:
    """Raises `OutputError` or `UsageError` for anything that could not be written in the end."""
    if options.calibration is not None and options.policy is None:
        raise UsageError(
            "--calibration needs a policy: a judge is calibrated on the questions that the policy asks",
            help="name the policy with --policy",
        )
    paths = [path for path in options.output if path != STDOUT]
    for path in paths:
        if not path.lower().endswith(".json"):
            raise OutputError(
                f'"{path}" has no ending that says what to write', help="endings known: .json, or - for stdout"
            )
        check_writable(path, is_ours=is_bench)
    if options.calibration is not None:
        if not options.calibration.lower().endswith((".yaml", ".yml")):
            raise OutputError(f'the calibration "{options.calibration}" is no .yaml', help="endings known: .yaml, .yml")
        check_writable(options.calibration, is_ours=is_calibration)
        paths.append(options.calibration)
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise OutputError("two outputs are the same file", help="give each output a file of its own")


def write(options: BenchOptions, bench: Bench) -> list[ValueAuditError]:
    """Writes every document that can be written; what could not."""
    failures: list[ValueAuditError] = []
    for action in _writers(options, bench):
        try:
            action()
        except StorageError as failure:
            failures.append(failure)
    return failures


def _writers(options: BenchOptions, bench: Bench) -> Iterator[Callable[[], None]]:
    content = render_json_bench(bench).encode()
    for path in options.output:
        yield partial(write_stdout, content) if path == STDOUT else partial(write_whole, path, content)
    if options.calibration is not None:
        yield partial(_write_calibration, options.calibration, bench)


def _write_calibration(path: str, bench: Bench) -> None:
    if not find_calibrated(bench):
        raise NothingCalibratedError(
            f'"{path}" is not written: no value of the policy was told on both kinds of labelled conversations',
            help='label some that show it and some that do not: "declared" in docs/bench.md',
        )
    write_whole(path, render_calibration(bench).encode())


def show(options: BenchOptions, bench: Bench) -> None:
    """The tables for people, or one line."""
    stream = sys.stderr if STDOUT in options.output else sys.stdout
    if options.quiet:
        tell(visible(bench.message), stream)
        return
    tell_drawn(render_terminal_bench, bench, stream, verbose=options.verbose)
    for path in (*options.output, *([options.calibration] if options.calibration else [])):
        if path != STDOUT and os.path.exists(path):
            tell(f"written: {visible(printable(path))}", stream)
