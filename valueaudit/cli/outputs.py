"""Where results go: checked before the first call, written whole after the last."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TextIO

from msgspec import Struct

from valueaudit.cli.terminal import silence, tell
from valueaudit.errors import OutputError, StorageError
from valueaudit.files import RECORDS_START
from valueaudit.ports import Renderer
from valueaudit.registry import KINDS, Kind, find_kind
from valueaudit.renderers.markdown import LIMIT, render_markdown
from valueaudit.renderers.visible import visible
from valueaudit.report import Report
from valueaudit.writing import append_whole, check_writable, write_whole

DEFAULT_REPORT = "valueaudit-report.json"
STDOUT = "-"
JOB_SUMMARY = "GITHUB_STEP_SUMMARY"


class Outputs(Struct, frozen=True):
    """The documents of a run, the job summary to add to, and where the summary for people goes."""

    documents: tuple[tuple[str, Renderer], ...]
    records: str | None
    is_default: bool
    job_summary: str | None = None

    @property
    def summary_stream(self) -> TextIO:
        """Standard output, or standard error when a document goes to standard output."""
        return sys.stderr if any(path == STDOUT for path, _ in self.documents) else sys.stdout

    def write(self, report: Report) -> tuple[StorageError, ...]:
        """Writes every document that can be written, each whole or not at all; what could not.

        A bug in one format is raised after the others were written.
        """
        failures: list[StorageError] = []
        bugs: list[Exception] = []
        for write in self._writers(report):
            try:
                write()
            except StorageError as failure:
                failures.append(failure)
            except Exception as bug:
                bugs.append(bug)
        if bugs:
            raise bugs[0]
        return tuple(failures)

    def _writers(self, report: Report) -> Iterator[Callable[[], None]]:
        for path, render in self.documents:
            yield partial(_write, path, render, report)
        if self.job_summary is not None:
            yield partial(_add_to_summary, self.job_summary, report)


def plan_outputs(
    outputs: Sequence[str], records: str | None, *, no_report: bool, github: bool | None = None
) -> Outputs:
    """What to write where. Raises `OutputError` for anything that could not be written in the end.

    `github`: whether to add to the job summary of GitHub, None where the environment decides.
    """
    chosen = tuple(outputs) or (() if no_report else (DEFAULT_REPORT,))
    kinds = tuple((path, _kind_of(path)) for path in chosen)
    _refuse_same_file([*(path for path in chosen if path != STDOUT), *([records] if records else [])])
    for path, kind in kinds:
        if path != STDOUT:
            check_writable(path, is_ours=partial(_may_replace, kind))
    if records == STDOUT:
        raise OutputError("records go to a file, not to standard output", help="name one: --records FILE.jsonl")
    if records is not None:
        check_writable(records, is_ours=is_records)
    documents = tuple((path, kind.render) for path, kind in kinds)
    return Outputs(documents, records, not outputs and not no_report, find_job_summary(github))


def is_records(head: bytes) -> bool:
    """Whether a file that begins like this is a records file of ours, or empty."""
    return not head.strip() or head.startswith(RECORDS_START)


def find_job_summary(github: bool | None) -> str | None:
    """The file that GitHub shows as the summary of this step; None where it is not wanted or, unasked, cannot be used.

    Raises `OutputError` where it was asked for and cannot be used.
    """
    path = os.environ.get(JOB_SUMMARY)
    if github is False or (github is None and (not path or os.environ.get("GITHUB_ACTIONS") != "true")):
        return None
    if not path:
        raise OutputError(f"--github needs {JOB_SUMMARY}, which is not set", help="it is set in every step of GitHub's")
    try:
        check_writable(path, is_ours=lambda _: True)
    except OutputError as error:
        if github:
            raise
        tell(f"warning: no job summary: {visible(error.message)}", sys.stderr)
        return None
    return path


def _write(path: str, render: Renderer, report: Report) -> None:
    content = render(report).encode("utf-8", "replace")
    if path == STDOUT:
        write_stdout(content)
    else:
        write_whole(path, content)


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


def _add_to_summary(path: str, report: Report) -> None:
    before = os.path.getsize(path) if os.path.exists(path) else 0
    page = render_markdown(report, LIMIT - before - 1)
    if page:
        append_whole(path, ("\n" if before else "").encode() + page.encode("utf-8", "replace"))


def _may_replace(kind: Kind, head: bytes) -> bool:
    return not head.strip() or kind.is_ours(head)


def _kind_of(path: str) -> Kind:
    kind = KINDS[".json"] if path == STDOUT else find_kind(path)
    if kind is None:
        raise OutputError(
            f'"{path}" has no ending that says what to write',
            help=f"endings known: {', '.join(KINDS)}, or - for stdout",
        )
    return kind


def _refuse_same_file(paths: Sequence[str]) -> None:
    real = [os.path.realpath(path) for path in paths]
    twice = next((path for path, where in zip(paths, real, strict=True) if real.count(where) > 1), None)
    if twice is not None:
        raise OutputError(f'"{twice}" would be written twice', help="give each output a file of its own")
