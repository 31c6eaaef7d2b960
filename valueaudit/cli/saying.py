"""How an error is told: `error[slug]: what, where` and `help: what to do`, on standard error."""

from __future__ import annotations

import sys

from valueaudit.cli.terminal import tell
from valueaudit.errors import ProblemsError, ValueAuditError


def say(error: ValueAuditError) -> None:
    """Tells an error: what and where, what somebody else said about it, what to do."""
    from valueaudit.renderers.visible import visible

    problems = error.problems if isinstance(error, ProblemsError) else (error.message,)
    lines = [f"error[{error.slug}]: {visible(problem)}" for problem in problems]
    if error.quoted:
        lines.append(f"it said: {visible(error.quoted)}")
    if error.help:
        lines.append(f"help: {visible(error.help)}")
    tell("\n".join(lines), sys.stderr)
