"""Chooses how MuJoCo renders on a machine without a display."""

from __future__ import annotations

import os
import subprocess
import sys

from harness.errors import HarnessError

BACKENDS = ("egl", "osmesa")
INSTALL = "install one (on Debian and Ubuntu: libegl1 or libosmesa6) and set MUJOCO_GL to egl or osmesa"
PROBE_SECONDS = 60
_PROBE = """
import importlib, sys
importlib.import_module(f"mujoco.{sys.argv[1]}").GLContext(8, 8).make_current()
"""


def choose_backend() -> None:
    """Set MUJOCO_GL to a backend that works here, unless the user has set it or there is a display.

    MuJoCo's default backend opens a window, and aborts the process on a machine without a display. Whether a
    backend works shows only when it is loaded, which cannot be undone, so another process tries it.

    Raises:
        HarnessError: if neither EGL nor OSMesa works.
    """
    display = sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if display or os.environ.get("MUJOCO_GL"):
        return
    found = next(filter(_works, BACKENDS), None)
    if found is None:
        raise HarnessError(
            "cannot render on this machine: without a display MuJoCo requires EGL or OSMesa, and neither "
            f"works here; {INSTALL}"
        )
    os.environ["MUJOCO_GL"] = found


def require_backend() -> None:
    """Check the backend that MUJOCO_GL names, to explain an error: without it MuJoCo fails to load."""
    wanted = os.environ.get("MUJOCO_GL", "").lower()
    if wanted in BACKENDS and not _works(wanted):
        raise HarnessError(
            f"cannot render on this machine: MUJOCO_GL is {wanted}, which does not work here; {INSTALL}"
        )


def _works(backend: str) -> bool:
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE, backend], capture_output=True, timeout=PROBE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return probe.returncode == 0
