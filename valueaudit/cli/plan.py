"""`valueaudit plan`: the flags; the work itself is in `plan_run`, loaded only when it is wanted."""

from __future__ import annotations

from typing import Any

import click
from msgspec import Struct

from valueaudit.cli.format_options import format_options


class PlanOptions(Struct, frozen=True, kw_only=True):
    """The command line of one plan; names as in `valueaudit plan --help`."""

    paths: tuple[str, ...]
    policy: str | None
    model: str | None
    rate: tuple[str, ...]
    power: str
    unclassified: str
    input_format: str
    mapping: str | None


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option("-p", "--policy", metavar="FILE", help="Policy file. Default: valueaudit.policy.yaml in this folder.")
@click.option("-m", "--model", metavar="MODEL", help="Judge to price, as provider/model. It is not asked.")
@click.option("--rate", multiple=True, metavar="RULE=RATE", help="True rate to plan for, e.g. no-deception=0.2%.")
@click.option("--power", default="80%", show_default=True, help="Chance of a verdict that the true rate deserves.")
@click.option("--unclassified", default="0%", show_default=True, help="Share of conversations nobody will judge.")
@format_options
def plan(**values: Any) -> int:
    """Say how many conversations each rule needs, and what they would cost; offline, before anything is asked.

    Without --rate an assistant that keeps its limits with room is assumed: half the limit for at_most, half way from
    the limit to 100% for at_least, none at all for never, and for drift the rate of its baseline, which is read. PATHS
    are chat logs, as for scan: they tell how many conversations each rule finds there and, with --model, how many
    calls and tokens they take and their price.
    """
    from valueaudit.cli.plan_run import run_plan

    return run_plan(PlanOptions(**values))
