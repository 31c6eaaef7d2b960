"""The console script, also `python -m valueaudit`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the program and leaves with its exit code."""
    from valueaudit.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
