"""The four commands about a policy file; none of them asks a judge or loads what could."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import click

from valueaudit.cli.inputs import build_reading, open_stdin
from valueaudit.cli.policies import DEFAULT_POLICIES, build_lock, read_policy, read_policy_bytes, require_policy_path
from valueaudit.cli.terminal import is_ascii_only, tell, width_of
from valueaudit.errors import ExitCode, NothingToAuditError, OutputError, PolicyError
from valueaudit.explanation import explain_policy
from valueaudit.files import STDIN, check_inputs, find_inputs, open_logs
from valueaudit.observation import Reason, Unclassified
from valueaudit.policy import Policy, compile_checks
from valueaudit.policy.matching import Matching
from valueaudit.record import ConversationRecord, build_record
from valueaudit.renderers.explanation import render_markdown, render_text
from valueaudit.renderers.visible import visible
from valueaudit.saved import SavedRun
from valueaudit.taxonomy import load_taxonomy
from valueaudit.transcript import Item, Transcript
from valueaudit.writing import write_new

_HEADER = re.compile(rb'\s*\{\s*"kind"\s*:\s*"header"')


def run_init(path: str, template: str) -> int:
    """Writes a template. Raises `OutputError` where a file is in the way."""
    content = files("valueaudit").joinpath(f"data/policies/{template}.yaml").read_bytes()
    if path == STDIN:
        click.echo(content, nl=False)
        return ExitCode.PASS
    _refuse_second(path)
    write_new(path, content)
    click.echo(visible(f"{path} written from {template}: change it to what you intend, then valueaudit policy lint"))
    return ExitCode.PASS


def run_lint(path: str | None, logs: Sequence[str]) -> int:
    """Says that there is no problem, and warnings. Raises `PolicyError` with every problem."""
    where = require_policy_path(path)
    policy = read_policy(where, load_taxonomy())
    for warning in policy.warnings:
        tell(f"warning: {visible(warning)}", sys.stderr)
    seen = _match(policy, logs) if logs else ""
    checks, warnings = len(compile_checks(policy)), len(policy.warnings)
    told = f"{_count(warnings, 'warning')}" if warnings else "no warnings"
    parts = f"{_count(len(policy.rules), 'rule')}, {_count(checks, 'check')}, no problems, {told}{seen}"
    click.echo(visible(f"{where}: {parts}"))
    return ExitCode.PASS


def run_explain(path: str | None, form: str) -> int:
    """Prints the explanation."""
    explanation = explain_policy(read_policy(require_policy_path(path), load_taxonomy()))
    plain = is_ascii_only(sys.stdout)
    if form == "markdown":
        text = render_markdown(explanation, ascii_only=plain)
    else:
        text = render_text(explanation, width=width_of(sys.stdout), ascii_only=plain)
    click.echo(text, nl=False)
    return ExitCode.PASS


def run_lock(path: str | None) -> int:
    """Prints the digest."""
    click.echo(build_lock(read_policy(require_policy_path(path), load_taxonomy())))
    return ExitCode.PASS


def _refuse_second(path: str) -> None:
    """Two policies that are found by themselves would decide nothing: the scan refuses to choose."""
    if path in DEFAULT_POLICIES:
        other = next((name for name in DEFAULT_POLICIES if name != path and Path(name).exists()), None)
        if other is not None:
            raise OutputError(
                f'"{other}" is the policy of this folder already, a second one would not be chosen between',
                help="name another path",
            )


def _match(policy: Policy, logs: Sequence[str]) -> str:
    paths = find_inputs(logs)
    check_inputs(paths)
    matching = Matching(policy)
    matching.look(_read_conversations(paths, policy.known_metadata))
    if not matching.conversations:
        raise NothingToAuditError(
            f"no conversation was found in {', '.join(paths)}", help="name records or chat logs that hold some"
        )
    problems = matching.problems(read_policy_bytes(policy.path))
    if problems:
        raise PolicyError(problems, help="correct the policy, or look at data that has such conversations")
    return ", every context and rule matches a conversation"


def _read_conversations(paths: Sequence[str], known: frozenset[str]) -> Iterator[ConversationRecord]:
    """The conversations in records and logs; of a log nobody has judged anything yet."""
    stdin = open_stdin() if STDIN in paths else io.BytesIO()
    reading = build_reading()
    for path in paths:
        for opened in open_logs(path, stdin):
            if _HEADER.match(opened.stream.peek()):
                yield from (line for line in SavedRun(path, opened.stream) if isinstance(line, ConversationRecord))
            else:
                yield from _unjudged(reading.read(opened), known)
    yield from _unjudged(reading.finish(), known)


def _unjudged(items: Iterable[Item], known: frozenset[str]) -> Iterator[ConversationRecord]:
    for item in items:
        if isinstance(item, Transcript):
            yield build_record(item, Unclassified(Reason.RUN_ENDED), include_text=False, known=known)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
