"""Runs what the documentation shows, so that `cog --check` finds every page that is no longer true."""

from __future__ import annotations

import contextlib
import io
import os
import re

import cog

from valueaudit.cli.main import run

_VARIABLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def run_example(command: str, *, start: str | None = None, end: str | None = None) -> None:
    """Puts the output of a command into the page as a text block, from the line `start` to before the line `end`."""
    os.environ.update(COLUMNS="90", NO_COLOR="1")
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(output):
        run(command.split())
    output.seek(0)
    lines = _VARIABLE.sub("2026-01-01T00:00:00Z", output.read()).splitlines()
    first = next((n for n, line in enumerate(lines) if start and line.startswith(start)), 0)
    last = next((n for n, line in enumerate(lines) if end and n > first and line.startswith(end)), len(lines))
    shown = "\n".join(line.rstrip() for line in lines[first:last]).strip("\n")
    cog.outl(f"```text\n{shown}\n```")
