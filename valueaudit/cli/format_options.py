"""How the inputs are to be read: the flags that every command which reads chat logs has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_FLAGS = (
    click.option(
        "--input-format",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="The format of all inputs (valueaudit formats); auto tells it by their content.",
    ),
    click.option(
        "--map",
        "mapping",
        metavar="KEY=FIELD,...",
        help="Where texts lie in a format of your own, e.g. user=prompt,assistant=completion.",
    ),
)


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command with the flags `input_format` and `mapping`."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command
