"""`valueaudit taxonomy`: which values there are, for whoever writes a policy."""

from __future__ import annotations

import sys

import click


@click.group()
def taxonomy() -> None:
    """Look at the values a policy can name."""


@taxonomy.command()
@click.argument("subcategory", nargs=-1)
def show(subcategory: tuple[str, ...]) -> None:
    """List the subcategories, or the values of one SUBCATEGORY (the beginning of its name is enough)."""
    from valueaudit.cli.taxonomy_run import list_subcategories, list_values

    wanted = " ".join(subcategory)
    _tell(list_values(wanted) if wanted else list_subcategories())


@taxonomy.command()
@click.argument("words", nargs=-1, required=True)
def search(words: tuple[str, ...]) -> None:
    """Find values whose name, alias or definition holds all WORDS."""
    from valueaudit.cli.taxonomy_run import find_values

    _tell(find_values(" ".join(words)))


def _tell(lines: list[str]) -> None:
    from valueaudit.cli.terminal import tell

    tell("\n".join(lines), sys.stdout)
