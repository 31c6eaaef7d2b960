"""`valueaudit show`: one conversation of a records file, read locally from its source, so that reports need no text."""

from __future__ import annotations

import click


@click.command()
@click.argument("records", type=click.Path(exists=True, dir_okay=False))
@click.argument("conversation", metavar="ID")
def show(records: str, conversation: str) -> int:
    """Show the conversation ID of a RECORDS file as it stands in its source, with what was seen in it."""
    from valueaudit.cli.show_run import run_show

    return run_show(records, conversation)
