"""One comparison from command line to exit code: everything that can be wrong with a path is found before reading."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence

import click
from msgspec import Struct

from valueaudit.cli.closing import choose_exit_code, read_clock, read_command
from valueaudit.cli.compare import CompareOptions
from valueaudit.cli.documents import is_records, read_records, read_report
from valueaudit.cli.inputs import open_stdin
from valueaudit.cli.outputs import STDOUT, write_stdout
from valueaudit.cli.policies import find_policy_path, read_policy
from valueaudit.cli.saying import say
from valueaudit.cli.terminal import tell, tell_drawn
from valueaudit.comparing import Facts, Ruled, Side, Terms, compare, find_policy_rules, find_report_rules
from valueaudit.comparison import Comparison
from valueaudit.errors import InputError, OutputError, StorageError, UsageError
from valueaudit.files import STDIN, Opened, open_source, printable
from valueaudit.policy import Policy
from valueaudit.record import PolicyInfo
from valueaudit.renderers.json_comparison import render_json_comparison
from valueaudit.renderers.markdown_comparison import is_markdown_comparison, render_markdown_comparison
from valueaudit.renderers.terminal_comparison import render_terminal_comparison
from valueaudit.renderers.visible import visible
from valueaudit.report import Report, RunInfo
from valueaudit.reporting import TOOL
from valueaudit.taxonomy import load_taxonomy
from valueaudit.writing import check_writable, write_whole


class _Read(Struct, frozen=True):
    side: Side
    report: Report | None


def run_compare(options: CompareOptions) -> int:
    """Compares; the exit code. Raises `ValueAuditError` where a document or a path cannot be used."""
    started = read_clock()
    _check_paths(options)
    with contextlib.ExitStack() as stack:
        opened = [_open(path, stack) for path in (options.base, options.new)]
        policy = _find_policy(options, opened)
        base, new = (_read(each, policy) for each in opened)
    infos = base.side.info, new.side.info
    rules: tuple[Ruled, ...] = ()
    if policy is not None:
        rules = find_policy_rules(policy, *infos)
    elif not options.no_policy:
        rules = find_report_rules(base.report, new.report, infos)
    terms = Terms(options.margin, policy.gate.confidence) if policy else Terms(options.margin)
    facts = Facts(
        tool=TOOL,
        run=RunInfo(read_command(), started, read_clock()),
        policy=PolicyInfo(policy.name, printable(policy.path), policy.sha256) if policy else None,
    )
    comparison = compare(base.side, new.side, rules, terms, facts, force=options.force)
    failures = _write(options.output, comparison)
    _show(options, comparison)
    for failure in failures:
        say(failure)
    return choose_exit_code(comparison.exit_code, exit_zero=options.exit_zero, is_written=not failures)


def is_comparison(head: bytes) -> bool:
    """Whether a file that begins like this is a comparison of ours, or empty."""
    return not head.strip() or (b'"comparison"' in head and b'"valueaudit"' in head and head.lstrip()[:1] == b"{")


def _find_kind(path: str) -> tuple[Callable[[Comparison], str], Callable[[bytes], bool]]:
    """How a document is written, and how one of ours is known again, by the ending of its name."""
    for ending, kind in _KINDS.items():
        if path == STDOUT or path.lower().endswith(ending):
            return kind
    raise OutputError(
        f'"{path}" has no ending that says what to write', help=f"endings known: {', '.join(_KINDS)}, or - for stdout"
    )


_KINDS = {
    ".json": (render_json_comparison, is_comparison),
    ".md": (render_markdown_comparison, is_markdown_comparison),
}


def _check_paths(options: CompareOptions) -> None:
    if options.policy is not None and options.no_policy:
        raise UsageError("--policy and --no-policy contradict each other", help="leave one of them out")
    if options.base == options.new == STDIN:
        raise UsageError("only one side can come from standard input", help="name a file for the other one")
    real = [os.path.realpath(path) for path in options.output]
    for path in options.output:
        if real.count(os.path.realpath(path)) > 1:
            raise OutputError(f'"{path}" would be written twice', help="give each output a file of its own")
        if path == STDOUT:
            continue
        check_writable(path, is_ours=_find_kind(path)[1])


def _open(path: str, stack: contextlib.ExitStack) -> Opened:
    stdin = stack.enter_context(open_stdin() if path == STDIN else io.BytesIO())
    try:
        return stack.enter_context(open_source(path, stdin))
    except InputError as error:
        raise InputError(error.message, help="name a report or a records file that valueaudit scan wrote") from error


def _find_policy(options: CompareOptions, opened: Sequence[Opened]) -> Policy | None:
    """The policy that was named; where a side is records, which hold no rules, also the one in this folder."""
    if options.no_policy:
        return None
    wants_rules = options.policy is not None or any(is_records(each) for each in opened)
    path = find_policy_path(options.policy) if wants_rules else None
    if path is None:
        return None
    policy = read_policy(path, load_taxonomy())
    for warning in policy.warnings:
        click.echo(f"warning: {visible(str(warning))}", err=True)
    return policy


def _read(opened: Opened, policy: Policy | None) -> _Read:
    if not is_records(opened):
        return _Read(*read_report(opened))
    return _Read(read_records(opened, policy), None)


def _write(paths: Sequence[str], comparison: Comparison) -> list[StorageError]:
    """Writes every document that can be written; what could not."""
    failures = []
    for path in paths:
        content = _find_kind(path)[0](comparison).encode()
        try:
            if path == STDOUT:
                write_stdout(content)
            else:
                write_whole(path, content)
        except StorageError as failure:
            failures.append(failure)
    return failures


def _show(options: CompareOptions, comparison: Comparison) -> None:
    stream = sys.stderr if STDOUT in options.output else sys.stdout
    if options.quiet:
        word = comparison.verdict.replace("_", " ")
        tell(visible(f"{word}: {comparison.message}"), stream)
        return
    tell_drawn(render_terminal_comparison, comparison, stream, verbose=options.verbose)
