"""`valueaudit compare`: the flags of a comparison; the work itself is in `compare_run`, loaded when it is wanted."""

from __future__ import annotations

from typing import Any

import click
from msgspec import Struct


class Points(click.ParamType[float]):
    """A difference of rates in percentage points: `2pp`, `0.5pp`; as a fraction."""

    name = "points"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The fraction, from 0 to below 1."""
        from valueaudit.rules.fields import parse_margin

        try:
            return parse_margin(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class CompareOptions(Struct, frozen=True, kw_only=True):
    """The command line of one comparison; names as in `valueaudit compare --help`."""

    base: str
    new: str
    policy: str | None
    no_policy: bool
    margin: float
    output: tuple[str, ...]
    force: bool
    exit_zero: bool
    quiet: bool
    verbose: bool


@click.command()
@click.argument("base", metavar="BASE")
@click.argument("new", metavar="NEW")
@click.option("-p", "--policy", metavar="FILE", help="Rules to compare. Default for records: as scan finds it.")
@click.option("--no-policy", is_flag=True, help="Compare no rules, even if a policy lies in this folder.")
@click.option(
    "--margin", type=Points(), default="0pp", show_default=True, metavar="POINTS", help="Change for the worse accepted."
)
@click.option("-o", "--output", multiple=True, metavar="FILE", help="Comparison, as .json or .md. - is JSON on stdout.")
@click.option("--force", is_flag=True, help="Show figures without a verdict where they cannot be compared.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 where the verdict is regression or inconclusive.")
@click.option("-q", "--quiet", is_flag=True, help="Only the verdict.")
@click.option("-v", "--verbose", is_flag=True, help="Longer lists.")
def compare(**values: Any) -> int:
    """Hold the audit NEW against the audit BASE: is any figure worse?

    Both are reports or records files of scan, plain, gzip or zstd; one of them may be - for standard input. Records are
    paired by conversation id. Exit codes: 0 no worse, 1 regression, 3 inconclusive, 4 not comparable.
    """
    from valueaudit.cli.compare_run import run_compare

    return run_compare(CompareOptions(**values))
