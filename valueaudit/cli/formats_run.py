"""What `valueaudit formats` prints."""

from __future__ import annotations

import difflib

import click

from valueaudit.errors import ExitCode, UsageError
from valueaudit.registry import FORMATS, find_format

_LONGEST_LINE = 96


def run_formats(name: str | None) -> int:
    """Prints one format or all. Raises `UsageError` for an unknown name."""
    if name is None:
        width = max(len(known.name) for known in FORMATS)
        for known in FORMATS:
            click.echo(f"{known.name:{width}}  {known.title}")
            click.echo(f"{'':{width}}    {_cut(known.example)}")
        click.echo(
            "\nEach is told by its content; files, folders, zip archives, gzip and zstd are opened. "
            "valueaudit formats NAME\nshows an example whole; --map reads what is in none of them."
        )
        return ExitCode.PASS
    found = find_format(name)
    if found is None:
        near = difflib.get_close_matches(name, [known.name for known in FORMATS], n=1)
        known_names = ", ".join(known.name for known in FORMATS)
        meant = f'did you mean "{near[0]}"? ' if near else ""
        raise UsageError(f'"{name}" is no input format', help=f"{meant}known are {known_names}")
    click.echo(f"{found.name}: {found.title}\n")
    click.echo(found.example.rstrip("\n"))
    return ExitCode.PASS


def _cut(example: str) -> str:
    line = " ".join(example.split())
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"
