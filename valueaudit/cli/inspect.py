"""`valueaudit inspect`: the flags; the work itself is in `inspect_run`, loaded only when it is wanted."""

from __future__ import annotations

import click

from valueaudit.cli.format_options import format_options


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATHS...")
@click.option(
    "-n", "--conversations", type=click.IntRange(0, 100), default=2, show_default=True, help="How many to show."
)
@format_options
def inspect(paths: tuple[str, ...], conversations: int, input_format: str, mapping: str | None) -> int:
    """Show how chat logs are understood: formats, counts, problems and the first conversations, before a cent is spent.

    Everything is read and nothing is judged. Exit code 4 where something could not be read.
    """
    from valueaudit.cli.inspect_run import run_inspect

    return run_inspect(paths, conversations, input_format, mapping)
