"""What standard output and standard error can show: width, colour, encoding."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import Protocol, TextIO, TypeVar

import click

_Document = TypeVar("_Document", contravariant=True)

WIDTH_WHEN_PIPED = 100
NARROWEST = 40


def has_color(stream: TextIO) -> bool:
    """Whether to colour: NO_COLOR and FORCE_COLOR (no-color.org, force-color.org) before what the stream is."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int:
    """Columns to fill; COLUMNS first, then the terminal, else 100."""
    if not stream.isatty() and not os.environ.get("COLUMNS"):
        return WIDTH_WHEN_PIPED
    return max(NARROWEST, shutil.get_terminal_size((WIDTH_WHEN_PIPED, 24)).columns)


def is_ascii_only(stream: TextIO) -> bool:
    """Whether the stream cannot carry more than ASCII safely."""
    return "utf" not in (stream.encoding or "").lower()


def silence(stream: TextIO) -> None:
    """Sends the rest of a stream nowhere, once its reader has gone.

    Python flushes its streams once more at exit, which would fail again and print a traceback.
    """
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Draw(Protocol[_Document]):
    """A renderer for the terminal: a document as text of at most `width` columns."""

    def __call__(self, document: _Document, /, *, width: int, color: bool, verbose: bool, ascii_only: bool) -> str: ...


def tell_drawn(draw: Draw[_Document], document: _Document, stream: TextIO, *, verbose: bool) -> None:
    """Prints a document as the stream can show it."""
    text = draw(
        document, width=width_of(stream), color=has_color(stream), verbose=verbose, ascii_only=is_ascii_only(stream)
    )
    tell(text, stream, newline=False)


def tell(text: str, stream: TextIO, *, newline: bool = True) -> None:
    """Prints for people; a reader that has gone or a full disk behind the stream ends the telling, not the program."""
    try:
        click.echo(text, file=stream, nl=newline, color=True)
        stream.flush()
    except OSError:
        silence(stream)
