"""How many processors this process may keep busy: those of the machine are not all its own."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# cgroup v2, as a container sees its own: microseconds of processor time, or `max`, and the period they are for.
QUOTA = Path("/sys/fs/cgroup/cpu.max")


def count_processors(quota: Path = QUOTA) -> int:
    """Processors that this process is bound to, at most as many as the quota of its container amounts to."""
    if hasattr(os, "process_cpu_count"):
        usable = os.process_cpu_count()
    elif hasattr(os, "sched_getaffinity"):
        usable = len(os.sched_getaffinity(0))
    else:
        usable = os.cpu_count()
    with contextlib.suppress(OSError, ValueError):
        allowed, period = map(int, quota.read_text(encoding="ascii").split())
        return max(1, min(usable or 1, -(-allowed // period)))
    return usable or 1
