"""`valueaudit report`: the flags; the work itself is in `report_run`, loaded only when it is wanted."""

from __future__ import annotations

import click


@click.command()
@click.argument("report", metavar="REPORT")
@click.option("-o", "--output", multiple=True, metavar="FILE", help="Write it in the kind that the ending says.")
@click.option("--github", is_flag=True, help="Add it to the summary of this GitHub job.")
@click.option("-q", "--quiet", is_flag=True, help="Only the verdict.")
@click.option("-v", "--verbose", is_flag=True, help="Longer lists.")
def report(report: str, output: tuple[str, ...], github: bool, quiet: bool, verbose: bool) -> int:
    """Show a saved JSON REPORT again, or write it in other formats.

    REPORT is a file that scan or check wrote with --output NAME.json; - is standard input. With neither --output nor
    --github the summary is printed. Nothing is decided again: exit code 0 says that it was written.
    """
    from valueaudit.cli.report_run import run_report

    return run_report(report, output, github=github, quiet=quiet, verbose=verbose)
