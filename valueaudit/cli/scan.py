"""`valueaudit scan`: the flags of the main job; the work itself is in `scan_run`, loaded only when it is wanted."""

from __future__ import annotations

import re
from typing import Any

import click
from msgspec import Struct

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)?", re.IGNORECASE)
OUTPUT_HELP = (
    "Write FILE, repeatable; its ending says the kind: .json .md .junit.xml .sarif .csv .rules.csv .intoto.json"
)
GITHUB_HELP = "Add the report to the job's summary. Default: in a GitHub job."
_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType[float]):
    """A length of time: `90`, `90s`, `15m`, `2h`; in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, more than zero."""
        if isinstance(value, int | float):
            return float(value)
        match = _DURATION.fullmatch(value.strip())
        if match is None or float(match[1]) <= 0:
            self.fail(f'"{value}" is no duration, write for example 90s, 15m or 2h', param, ctx)
        return float(match[1]) * _SECONDS[(match[2] or "s").lower()]


class ScanOptions(Struct, frozen=True, kw_only=True):
    """The command line of one scan; names as in `valueaudit scan --help`."""

    paths: tuple[str, ...]
    policy: str | None
    no_policy: bool
    expect_policy: str | None
    model: str | None
    api_base: str | None
    param: tuple[str, ...]
    unprimed: bool
    offline: bool
    concurrency: int
    timeout: float
    max_time: float | None
    cache_dir: str | None
    no_cache: bool
    output: tuple[str, ...]
    no_report: bool
    github: bool | None
    records: str | None
    include_text: bool
    input_format: str
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
@click.option("-m", "--model", metavar="MODEL", help="Judge, as provider/model. Default: the embedded classifier.")
@click.option("--api-base", metavar="URL", help="Address of the judge, for any OpenAI-compatible server.")
@click.option("--param", multiple=True, metavar="KEY=VALUE", help="Parameter of every call, e.g. max_tokens=8000.")
@click.option("--unprimed", is_flag=True, help="Ask the open question in a call of its own, without the policy.")
@click.option("--offline", is_flag=True, help="Refuse every judge that is not on this machine.")
@click.option("--concurrency", type=click.IntRange(1, 1000), default=16, show_default=True, help="Calls in flight.")
@click.option("--timeout", type=Duration(), default=120, show_default=True, help="Longest wait for one call.")
@click.option("--max-time", type=Duration(), help="Longest time for the whole run, e.g. 90s, 15m, 2h.")
@click.option("--cache-dir", metavar="DIR", help="Where paid replies are kept. Default: the user's cache folder.")
@click.option("--no-cache", is_flag=True, help="Neither look for kept replies nor keep new ones.")
@click.option("-o", "--output", multiple=True, metavar="FILE", help=OUTPUT_HELP)
@click.option("--no-report", is_flag=True, help="Do not write valueaudit-report.json.")
@click.option("--github/--no-github", default=None, help=GITHUB_HELP)
@click.option("--records", metavar="FILE", help="Write one line of JSON per conversation.")
@click.option("--include-text", is_flag=True, help="Put quotations and full metadata into report and records.")
@click.option(
    "--input-format",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="The format of all inputs; auto tells it by their content.",
)
@click.option("--allow-empty", is_flag=True, help="Nothing to audit is no error.")
@click.option("--fail-on", type=click.Choice(["low", "medium", "high", "critical"]), help="Overrides gate.fail_on.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 where the verdict is fail or inconclusive.")
@click.option("-q", "--quiet", is_flag=True, help="Only the verdict.")
@click.option("-v", "--verbose", is_flag=True, help="Longer lists.")
def scan(**values: Any) -> int:
    """Measure the values in chat logs and, with a policy, decide.

    PATHS are files, folders or globs of JSONL transcripts, plain, gzip or zstd; - is standard input.
    """
    from valueaudit.cli.scan_run import run_scan

    return run_scan(ScanOptions(**values))
