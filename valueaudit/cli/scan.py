"""`valueaudit scan`: the flags of the main job; the work itself is in `scan_run`, loaded only when it is wanted."""

from __future__ import annotations

from typing import Any

import click

from valueaudit.cli.format_options import format_options
from valueaudit.cli.judge_options import JudgeOptions, judge_options

OUTPUT_HELP = (
    "Write FILE, repeatable; its ending says the kind: .json .md .junit.xml .sarif .csv .rules.csv .intoto.json"
)
GITHUB_HELP = "Add the report to the job's summary. Default: in a GitHub job."


class ScanOptions(JudgeOptions, frozen=True, kw_only=True):
    """The command line of one scan; names as in `valueaudit scan --help`."""

    paths: tuple[str, ...]
    policy: str | None
    no_policy: bool
    expect_policy: str | None
    output: tuple[str, ...]
    no_report: bool
    github: bool | None
    records: str | None
    include_text: bool
    input_format: str
    mapping: str | None
    allow_empty: bool
    fail_on: str | None
    exit_zero: bool
    quiet: bool
    verbose: bool


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATHS...")
@click.option("-p", "--policy", metavar="FILE", help="Policy file. Default: valueaudit.policy.yaml in this folder.")
@click.option("--no-policy", is_flag=True, help="Measure only, even if a policy lies in this folder.")
@click.option("--expect-policy", metavar="SHA256", help="Refuse any policy but the one with this digest (policy lock).")
@judge_options
@click.option("-o", "--output", multiple=True, metavar="FILE", help=OUTPUT_HELP)
@click.option("--no-report", is_flag=True, help="Do not write valueaudit-report.json.")
@click.option("--github/--no-github", default=None, help=GITHUB_HELP)
@click.option("--records", metavar="FILE", help="Write one line of JSON per conversation.")
@click.option("--include-text", is_flag=True, help="Put quotations and full metadata into report and records.")
@format_options
@click.option("--allow-empty", is_flag=True, help="Nothing to audit is no error.")
@click.option("--fail-on", type=click.Choice(["low", "medium", "high", "critical"]), help="Overrides gate.fail_on.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 where the verdict is fail or inconclusive.")
@click.option("-q", "--quiet", is_flag=True, help="Only the verdict.")
@click.option("-v", "--verbose", is_flag=True, help="Longer lists.")
def scan(**values: Any) -> int:
    """Measure the values in chat logs and, with a policy, decide.

    PATHS are files, folders, archives or globs of chat logs, plain, gzip, zstd or zip; - is standard input. Their
    format is told by their content (valueaudit formats).
    """
    from valueaudit.cli.scan_run import run_scan

    return run_scan(ScanOptions(**values))
