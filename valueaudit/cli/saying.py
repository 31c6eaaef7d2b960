"""How an error is told: `error[slug]: what, where` and `help: what to do`, on standard error."""

from __future__ import annotations

import click

from valueaudit.errors import PolicyError, ValueAuditError


def say(error: ValueAuditError) -> None:
    """Tells an error: what and where, then what to do."""
    from valueaudit.renderers.visible import visible

    lines = error.problems if isinstance(error, PolicyError) else (error.message,)
    for line in lines:
        click.echo(f"error[{error.slug}]: {visible(line)}", err=True)
    if error.help:
        click.echo(f"help: {visible(error.help)}", err=True)
