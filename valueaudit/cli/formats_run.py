"""What `valueaudit formats` prints."""

from __future__ import annotations

import difflib
import sys

import click

from valueaudit.cli.terminal import is_ascii_only, tell, width_of
from valueaudit.errors import ExitCode, UsageError
from valueaudit.registry import FORMATS, find_format
from valueaudit.renderers.visible import visible

_INDENT = "    "
_CLOSING = """
Each is told by its content. Files, folders, globs, zip archives, gzip, zstd
and standard input are opened. An example whole: valueaudit formats NAME.
What is in none of these formats is read by --map."""


def run_formats(name: str | None) -> int:
    """Prints one format or all. Raises `UsageError` for an unknown name.

    One format is its example on standard output, as it would lie in a file, and its title on standard error.
    """
    if name is None:
        width, plain = width_of(sys.stdout), is_ascii_only(sys.stdout)
        for known in FORMATS:
            example = visible(" ".join(known.example.split()), ascii_only=plain)
            click.echo(visible(f"{known.name}: {known.title}", ascii_only=plain))
            click.echo(_INDENT + _cut(example, width - len(_INDENT), ascii_only=plain))
        click.echo(_CLOSING)
        return ExitCode.PASS
    found = find_format(name)
    if found is None:
        near = difflib.get_close_matches(name, [known.name for known in FORMATS], n=1)
        known_names = ", ".join(known.name for known in FORMATS)
        meant = f'did you mean "{near[0]}"? ' if near else ""
        raise UsageError(f'"{name}" is no input format', help=f"{meant}known are {known_names}")
    tell(visible(f"{found.name}: {found.title}", ascii_only=is_ascii_only(sys.stderr)), sys.stderr)
    sys.stdout.buffer.write(found.example.encode())
    sys.stdout.flush()
    return ExitCode.PASS


def _cut(example: str, room: int, *, ascii_only: bool) -> str:
    dots = "..." if ascii_only else "…"
    return example if len(example) <= room else example[: room - len(dots)] + dots
