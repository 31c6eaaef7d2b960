"""The console script, also `python -m valueaudit`."""

from __future__ import annotations

import os
import sys

# Sums must not depend on how many processors there are, and the tables are too small to gain from threads. NumPy reads
# these when it is loaded.
_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def main() -> None:
    """Runs the program and leaves with its exit code."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    try:
        from valueaudit.cli.main import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        # Before and after the run itself; 130 is `ExitCode.INTERRUPTED`, which may not be loaded yet.
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
