"""The console script, also `python -m valueaudit`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the program and leaves with its exit code."""
    try:
        from valueaudit.cli.main import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        # Before and after the run itself; 130 is `ExitCode.INTERRUPTED`, which may not be loaded yet.
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
