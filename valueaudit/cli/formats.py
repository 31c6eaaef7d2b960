"""`valueaudit formats`: what is read, with an example of each, for whoever wonders whether their log is."""

from __future__ import annotations

import click


@click.command()
@click.argument("name", required=False)
def formats(name: str | None) -> int:
    """List the formats of chat logs that are read, or show the one called NAME with its whole example."""
    from valueaudit.cli.formats_run import run_formats

    return run_formats(name)
