"""`valueaudit check`: the flags of a re-decision; the work itself is in `check_run`, loaded only when it is wanted."""

from __future__ import annotations

from typing import Any

import click
from msgspec import Struct


class CheckOptions(Struct, frozen=True, kw_only=True):
    """The command line of one check; names as in `valueaudit check --help`."""

    records: str
    policy: str | None
    expect_policy: str | None
    output: tuple[str, ...]
    allow_empty: bool
    fail_on: str | None
    exit_zero: bool
    quiet: bool
    verbose: bool


@click.command()
@click.argument("records", metavar="RECORDS")
@click.option("-p", "--policy", metavar="FILE", help="Policy file. Default: valueaudit.policy.yaml in this folder.")
@click.option("--expect-policy", metavar="SHA256", help="Refuse any policy but the one with this digest (policy lock).")
@click.option(
    "-o", "--output", multiple=True, metavar="FILE", help="Report; the ending says the kind: .json. - is stdout."
)
@click.option("--allow-empty", is_flag=True, help="Nothing to audit is no error.")
@click.option("--fail-on", type=click.Choice(["low", "medium", "high", "critical"]), help="Overrides gate.fail_on.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 where the verdict is fail or inconclusive.")
@click.option("-q", "--quiet", is_flag=True, help="Only the verdict.")
@click.option("-v", "--verbose", is_flag=True, help="Longer lists.")
def check(**values: Any) -> int:
    """Decide again from the RECORDS of a scan, offline and without a model.

    RECORDS is a file that scan wrote with --records, plain, gzip or zstd; - is standard input. A value that the policy
    names and the scan did not ask about, or asked in other words, is not assessed, and its rule is inconclusive.
    Nothing is written without --output.
    """
    from valueaudit.cli.check_run import run_check

    return run_check(CheckOptions(**values))
