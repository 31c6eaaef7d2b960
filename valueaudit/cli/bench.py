"""`valueaudit bench`: the flags of measuring a judge; the work itself is in `bench_run`, loaded when it is wanted."""

from __future__ import annotations

from typing import Any

import click

from valueaudit.cli.format_options import format_options
from valueaudit.cli.judge_options import JudgeOptions, judge_options


class BenchOptions(JudgeOptions, frozen=True, kw_only=True):
    """The command line of one measurement; names as in `valueaudit bench --help`."""

    paths: tuple[str, ...]
    policy: str | None
    output: tuple[str, ...]
    calibration: str | None
    resamples: int
    seed: int
    input_format: str
    mapping: str | None
    quiet: bool
    verbose: bool


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="LABELLED...")
@judge_options
@click.option("-p", "--policy", metavar="FILE", help="Also ask what this policy asks. Default: no policy.")
@click.option("-o", "--output", multiple=True, metavar="FILE", help="Measurement, as .json. - is stdout.")
@click.option("--calibration", metavar="FILE", help="Write the counts for the policy's calibration, as .yaml.")
@click.option("--resamples", type=click.IntRange(100, 100_000), default=2000, show_default=True, help="Samples drawn.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the samples.")
@format_options
@click.option("-q", "--quiet", is_flag=True, help="Only one line.")
@click.option("-v", "--verbose", is_flag=True, help="Longer lists.")
def bench(**values: Any) -> int:
    """Measure a judge against conversations that people LABELLED.

    LABELLED are files, folders or globs of chat logs with labels beside the messages; - is standard input. Exit codes:
    0 measured, 2 labels or flags that cannot be used, 4 too little could be classified.
    """
    from valueaudit.cli.bench_run import run_bench

    return run_bench(BenchOptions(**values))
