"""The provenance of a result: versions, machine, time."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from harness import __version__

LIBRARIES = ("torch", "numpy", "gymnasium", "mujoco", "ray", "pandas", "pyarrow", "pydantic")


@cache
def versions() -> dict[str, str]:
    """Return the versions of this package, Python and every library that results may depend on."""
    found = {"harness": __version__, "python": platform.python_version()}
    for library in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[library] = version(library)
    return found


def machine() -> dict[str, Any]:
    """Describe this machine."""
    return {
        "host": socket.gethostname(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory": psutil.virtual_memory().total,
    }


def git_commit() -> str | None:
    """Return the commit of this package's source, with `+changes` if it was edited; None if unknown."""
    folder = Path(__file__).parents[2]
    if not (folder / ".git").exists():
        return None
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit + ("+changes" if _git(folder, "status", "--porcelain", "--", "harness") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def now() -> str:
    """Return the time in UTC, in ISO format."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
