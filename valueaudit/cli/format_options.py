"""How the inputs are to be read: two flags that every command which reads chat logs has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def with_format_options(command: _Command) -> _Command:
    """Adds `--input-format` and `--map`, as `input_format` and `mapping`."""
    mapped = click.option(
        "--map",
        "mapping",
        metavar="KEY=FIELD,...",
        help="Where texts lie in a format of your own, e.g. user=prompt,assistant=completion.",
    )
    named = click.option(
        "--input-format",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="The format of all inputs (valueaudit formats); auto tells it by their content.",
    )
    return named(mapped(command))
