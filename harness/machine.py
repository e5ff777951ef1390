"""The resources that this machine gives to a process, on every operating system."""

from __future__ import annotations

import os


def cores() -> int:
    """Return the number of cores that this process may use; all if the system does not state it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
