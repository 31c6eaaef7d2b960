"""Reading a saved report back, or saying why that file is none, and writing it in other formats."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import msgspec

from valueaudit import __version__
from valueaudit.cli.closing import tell_summary, tell_verdict
from valueaudit.cli.inputs import open_stdin
from valueaudit.cli.outputs import Outputs, plan_outputs
from valueaudit.cli.saying import say
from valueaudit.cli.terminal import tell
from valueaudit.errors import ExitCode, InputError
from valueaudit.files import RECORDS_START, STDIN, open_source
from valueaudit.record import SCHEMA_VERSION, ToolInfo
from valueaudit.renderers.intoto import render_intoto
from valueaudit.renderers.json_report import parse_report, render_json
from valueaudit.report import Report


class _Head(msgspec.Struct):
    schema_version: str
    tool: ToolInfo


def run_report(path: str, output: Sequence[str], *, github: bool, quiet: bool, verbose: bool) -> int:
    """Prints or writes a saved report; the exit code. Raises `InputError` where the file is no report to read."""
    outputs = plan_outputs(output, None, no_report=True, github=github)
    with open_source(path, open_stdin() if path == STDIN else io.BytesIO()) as opened:
        content = opened.stream.read()
    report = parse_saved(content, path)
    _warn(outputs, report, content)
    failures = outputs.write(report)
    for failure in failures:
        say(failure)
    if not output and not github:
        if quiet:
            tell_verdict(report, sys.stdout)
        else:
            tell_summary(report, sys.stdout, verbose=verbose)
    return ExitCode.INCOMPLETE if failures else ExitCode.PASS


def parse_saved(content: bytes, name: str) -> Report:
    """The report in the bytes of a file. Raises `InputError` where they are truncated, foreign or newer than this."""
    rewrite = "write it again: valueaudit scan or check with -o NAME.json"
    try:
        head = msgspec.json.decode(content, type=_Head)
    except msgspec.ValidationError as error:
        raise InputError(f'"{name}" is no report of valueaudit: {_words(error)}', help=rewrite) from error
    except msgspec.DecodeError as error:
        if content.startswith(RECORDS_START):
            raise InputError(f'"{name}" is a records file, not a report', help="valueaudit check RECORDS") from error
        what = "is empty" if not content.strip() else f"is truncated or no JSON: {_words(error)}"
        raise InputError(f'"{name}" {what}', help=rewrite) from error
    if head.tool.name != "valueaudit":
        raise InputError(f'"{name}" is no report of valueaudit, it says "{head.tool.name}"', help=rewrite)
    _refuse_newer(head, name)
    try:
        return parse_report(content)
    except msgspec.ValidationError as error:
        raise InputError(f'"{name}" is no whole report: {_words(error)}', help=rewrite) from error


def _refuse_newer(head: _Head, name: str) -> None:
    try:
        version = [int(part) for part in head.schema_version.split(".")]
    except ValueError as error:
        raise InputError(f'"{name}" has no schema version but "{head.schema_version}"') from error
    if version > [int(part) for part in SCHEMA_VERSION.split(".")]:
        raise InputError(
            f'"{name}" has schema version {head.schema_version}, written by valueaudit {head.tool.version}; '
            f"this is {__version__} and reads up to {SCHEMA_VERSION}",
            help="update valueaudit, for instance with pip install --upgrade valueaudit",
        )


def _warn(outputs: Outputs, report: Report, content: bytes) -> None:
    wants_statement = any(render is render_intoto for _, render in outputs.documents)
    if wants_statement and render_json(report).encode() != content:
        told = "the statement names the report by the bytes that -o NAME.json writes now, not those of this file"
        tell(f"warning: {told}", sys.stderr)


def _words(error: Exception) -> str:
    return str(error).rstrip(".").lower()
