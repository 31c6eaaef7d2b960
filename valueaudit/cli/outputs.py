"""Where results go: checked before the first call, written whole after the last."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from msgspec import Struct

from valueaudit.cli.terminal import silence
from valueaudit.errors import OutputError, StorageError
from valueaudit.files import RECORDS_START, check_writable, write_whole
from valueaudit.ports import Renderer
from valueaudit.registry import RENDERERS
from valueaudit.report import Report

DEFAULT_REPORT = "valueaudit-report.json"
STDOUT = "-"


class Outputs(Struct, frozen=True):
    """The documents of a run, and where the summary for people goes."""

    documents: tuple[tuple[str, Renderer], ...]
    records: str | None
    is_default: bool

    @property
    def summary_stream(self) -> TextIO:
        """Standard output, or standard error when a document goes to standard output."""
        return sys.stderr if any(path == STDOUT for path, _ in self.documents) else sys.stdout

    def write(self, report: Report) -> tuple[StorageError, ...]:
        """Writes every document that can be written; what could not."""
        failures: list[StorageError] = []
        for path, render in self.documents:
            content = render(report).encode("utf-8", "replace")
            try:
                if path == STDOUT:
                    write_stdout(content)
                else:
                    write_whole(path, content)
            except StorageError as failure:
                failures.append(failure)
        return tuple(failures)


def write_stdout(content: bytes) -> None:
    """Writes a whole document to standard output. Raises `StorageError`."""
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)
        raise StorageError(
            f"the report cannot be written to standard output: {error.strerror}",
            help="write it to a file with -o FILE.json",
        ) from error


def plan_outputs(outputs: Sequence[str], records: str | None, *, no_report: bool) -> Outputs:
    """What to write where. Raises `OutputError` for anything that could not be written in the end."""
    chosen = tuple(outputs) or (() if no_report else (DEFAULT_REPORT,))
    documents = tuple((path, _renderer_of(path)) for path in chosen)
    _refuse_same_file([*(path for path in chosen if path != STDOUT), *([records] if records else [])])
    for path in chosen:
        if path != STDOUT:
            check_writable(path, is_ours=is_report)
    if records == STDOUT:
        raise OutputError("records go to a file, not to standard output", help="name one: --records FILE.jsonl")
    if records is not None:
        check_writable(records, is_ours=is_records)
    return Outputs(documents, records, is_default=not outputs and not no_report)


def is_report(head: bytes) -> bool:
    """Whether a file that begins like this is a report of ours, or empty."""
    return not head.strip() or (b'"schema_version"' in head and b'"valueaudit"' in head and head.lstrip()[:1] == b"{")


def is_records(head: bytes) -> bool:
    """Whether a file that begins like this is a records file of ours, or empty."""
    return not head.strip() or head.startswith(RECORDS_START)


def _renderer_of(path: str) -> Renderer:
    if path == STDOUT:
        return RENDERERS[".json"]
    ending = next((known for known in RENDERERS if path.lower().endswith(known)), None)
    if ending is None:
        raise OutputError(
            f'"{path}" has no ending that says what to write',
            help=f"endings known: {', '.join(RENDERERS)}, or - for stdout",
        )
    return RENDERERS[ending]


def _refuse_same_file(paths: Sequence[str]) -> None:
    real = [os.path.realpath(path) for path in paths]
    twice = next((path for path, where in zip(paths, real, strict=True) if real.count(where) > 1), None)
    if twice is not None:
        raise OutputError(f'"{twice}" would be written twice', help="give each output a file of its own")
