"""`valueaudit convert`: the flags; the work itself is in `convert_run`, loaded only when it is wanted."""

from __future__ import annotations

import click

from valueaudit.cli.format_options import format_options


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATHS...")
@click.option("-o", "--output", required=True, metavar="FILE", help="The JSON Lines to write; - is standard output.")
@format_options
def convert(paths: tuple[str, ...], output: str, input_format: str, mapping: str | None) -> int:
    """Write chat logs of any format as JSON Lines in the one normal form.

    One conversation per line: id, messages with role, content and attachments, metadata, and the place it came from
    ("origin"). What cannot be read is told and ends in exit code 4; the rest is written.
    """
    from valueaudit.cli.convert_run import run_convert

    return run_convert(paths, output, input_format, mapping)
