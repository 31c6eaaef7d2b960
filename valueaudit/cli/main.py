"""The command group and the one place where anything that goes wrong becomes an exit code.

click alone would give 1 to crashes, to Ctrl-C and to wrong usage; here a crash can never look like a violation.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import click

from valueaudit import __version__
from valueaudit.cli.saying import say
from valueaudit.cli.scan import scan
from valueaudit.cli.schema import schema
from valueaudit.cli.show import show
from valueaudit.cli.terminal import silence
from valueaudit.errors import ExitCode, ValueAuditError

_EXIT_CODES = """\b
Exit codes:
  0    pass: every blocking rule passes, or there is no policy
  1    fail: a blocking rule is violated, proven
  2    wrong usage, configuration, policy file, model or output path
  3    inconclusive: too little evidence to say
  4    incomplete: nothing to audit, poor coverage, provider, key or disk failure, time limit
  70   a bug in valueaudit
  130  interrupted; the same command goes on where it stopped
"""


@click.group(epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="valueaudit")
def cli() -> None:
    """Audit the values an AI assistant shows in real conversations, held against the values its owners intended."""


cli.add_command(scan)
cli.add_command(show)
cli.add_command(schema)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; the exit code, whatever happens. Says on standard error what went wrong."""
    try:
        code = cli.main(list(arguments), prog_name="valueaudit", standalone_mode=False)
        sys.stdout.flush()
        return int(code or ExitCode.PASS)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        silence(sys.stdout)
        return ExitCode.INCOMPLETE
    except ValueAuditError as error:
        say(error)
        return error.exit_code
    except Exception:
        traceback.print_exc()
        click.echo("error[bug]: this is a bug in valueaudit, not a finding about your assistant", err=True)
        return ExitCode.CRASH
