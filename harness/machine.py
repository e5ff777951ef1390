"""What this machine gives to a process, on every system."""

from __future__ import annotations

import os
import sys

MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
"""The unit of getrusage's `ru_maxrss`."""


def cores() -> int:
    """Return the cores that this process may use, where the system says so; else all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
