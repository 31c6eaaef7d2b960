"""`valueaudit schema`: the JSON Schemas of what we read and write, for whoever validates it."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument("document", type=click.Choice(["report", "records", "policy", "comparison", "bench"]))
def schema(document: str) -> None:
    """Print the JSON Schema (draft 2020-12) of the report, of one line of the records, of the policy file, of the
    comparison, or of the measurement of a judge."""
    from valueaudit.bench import schema_of_bench
    from valueaudit.comparison import schema_of_comparison
    from valueaudit.policy import schema_of_policy
    from valueaudit.record import schema_of_records
    from valueaudit.report import schema_of_report

    schemas = {"report": schema_of_report, "records": schema_of_records, "policy": schema_of_policy}
    schemas |= {"comparison": schema_of_comparison, "bench": schema_of_bench}
    click.echo(json.dumps(schemas[document](), indent=2))
