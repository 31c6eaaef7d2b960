"""The command group and the one place where anything that goes wrong becomes an exit code.

click alone would give 1 to crashes, to Ctrl-C and to wrong usage; here a crash can never look like a violation.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from valueaudit import __version__
from valueaudit.cli.bench import bench
from valueaudit.cli.check import check
from valueaudit.cli.compare import compare
from valueaudit.cli.convert import convert
from valueaudit.cli.formats import formats
from valueaudit.cli.inspect import inspect
from valueaudit.cli.plan import plan
from valueaudit.cli.policy import policy
from valueaudit.cli.report import report
from valueaudit.cli.saying import say
from valueaudit.cli.scan import scan
from valueaudit.cli.schema import schema
from valueaudit.cli.show import show
from valueaudit.cli.taxonomy import taxonomy
from valueaudit.cli.terminal import silence, tell
from valueaudit.errors import ExitCode, ValueAuditError

_OUTPUT_GONE = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO})
_EXIT_CODES = """\b
Exit codes:
  0    pass: every blocking rule passes, or there is no policy
  1    fail: a blocking rule is violated, proven
  2    wrong usage, configuration, policy file, model or output path
  3    inconclusive: too little evidence to say
  4    incomplete: nothing to audit, coverage below the policy's minimum, provider, key or
       disk failure, time limit, a baseline that is not comparable
  70   a bug in valueaudit
  130  interrupted; the same command goes on where it stopped
"""


@click.group(epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="valueaudit")
def cli() -> None:
    """Audit the values an AI assistant shows in real conversations, held against the values its owners intended."""


cli.add_command(scan)
cli.add_command(check)
cli.add_command(plan)
cli.add_command(policy)
cli.add_command(report)
cli.add_command(compare)
cli.add_command(bench)
cli.add_command(show)
cli.add_command(inspect)
cli.add_command(convert)
cli.add_command(formats)
cli.add_command(schema)
cli.add_command(taxonomy)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; the exit code, whatever happens. Says on standard error what went wrong."""
    _open_closed_streams()
    try:
        code = cli.main(list(arguments), prog_name="valueaudit", standalone_mode=False)
        sys.stdout.flush()
        return int(code or ExitCode.PASS)
    except click.ClickException as error:
        tell(_format_usage(error), sys.stderr)
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        tell("interrupted", sys.stderr)
        return ExitCode.INTERRUPTED
    except ValueAuditError as error:
        say(error)
        return error.exit_code
    except SystemExit:
        # click leaves like this, with the code of a violation, when the reader of its output has gone.
        silence(sys.stdout)
        return ExitCode.INCOMPLETE
    except OSError as error:
        if error.errno not in _OUTPUT_GONE:
            return _crash()
        silence(sys.stdout)
        tell(f"error[storage]: the output cannot be written: {error.strerror}", sys.stderr)
        return ExitCode.INCOMPLETE
    except Exception:
        return _crash()


def _crash() -> int:
    tell(traceback.format_exc(), sys.stderr)
    tell("error[bug]: this is a bug in valueaudit, not a finding about your assistant", sys.stderr)
    return ExitCode.CRASH


def _format_usage(error: click.ClickException) -> str:
    content = io.StringIO()
    error.show(content)
    return content.getvalue().rstrip("\n")


def _open_closed_streams() -> None:
    """Standard streams that the caller closed (`>&-`) lead nowhere, instead of being None."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - open as long as the process
