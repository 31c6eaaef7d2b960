"""`valueaudit policy`: write, check, read and pin a policy file; the work itself is in `policy_run`."""

from __future__ import annotations

import click

TEMPLATES = ("helpful-honest-harmless", "customer-support", "wellbeing-companion", "coding-assistant", "tutoring")


@click.group()
def policy() -> None:
    """Write, check, explain and pin a policy file; all of it offline."""


@policy.command()
@click.argument("path", default="valueaudit.policy.yaml", metavar="[PATH]")
@click.option(
    "--template", type=click.Choice(TEMPLATES), default=TEMPLATES[0], show_default=True, help="What to start from."
)
def init(path: str, template: str) -> int:
    """Write a policy to start from to PATH, by default valueaudit.policy.yaml; - is standard output.

    A file that is there already is never overwritten.
    """
    from valueaudit.cli.policy_run import run_init

    return run_init(path, template)


@policy.command()
@click.argument("path", required=False)
@click.argument("logs", nargs=-1, metavar="[RECORDS]...")
def lint(path: str | None, logs: tuple[str, ...]) -> int:
    """Tell everything that is wrong with the policy at PATH, by default valueaudit.policy.yaml in this folder.

    Each problem has its file, line and column, and ends in exit code 2; warnings alone end in 0. With RECORDS (files of
    scan --records, or chat logs, folders and globs of them) a context or rule that matches no conversation is a problem
    too.
    """
    from valueaudit.cli.policy_run import run_lint

    return run_lint(path, logs)


@policy.command()
@click.argument("path", required=False)
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", show_default=True)
def explain(path: str | None, form: str) -> int:
    """Say in plain sentences what the policy at PATH asks for and what happens, for the person who signs it."""
    from valueaudit.cli.policy_run import run_explain

    return run_explain(path, form)


@policy.command()
@click.argument("path", required=False)
def lock(path: str | None) -> int:
    """Print the digest of what the policy at PATH says, for scan and check --expect-policy."""
    from valueaudit.cli.policy_run import run_lock

    return run_lock(path)
