"""The folder for the logs and sockets of the Ray instance that a run starts on this machine."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from harness.errors import HarnessError, warn
from harness.tuning.signals import exit_immediately
from harness.tuning.watchdog import Watchdog, remove
from harness.writing import NotWrittenError, require_writable

FREE_BYTES = 50_000_000
LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107
"""The longest path of a socket that the system allows, in bytes."""
SOCKET_SUFFIX_LENGTH = len("/ray-xxxxxxxx/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store")


class RaySession:
    """A folder that is removed after a successful run, and kept after a failure."""

    def __init__(self, folder: Path, watchdog: Watchdog, on_loss: Callable[[], None]) -> None:
        self.folder = folder
        self.failed = False
        """Whether the folder is kept."""
        self._watchdog = watchdog
        self._on_loss = on_loss

    def end_process(self, reason: str) -> NoReturn:
        """End this process, which can neither continue nor stop cleanly once Ray has stopped."""
        self._on_loss()
        self._watchdog.report(reason)
        exit_immediately(1)


@contextmanager
def ray_session(
    advice: str, has_logs: bool = True, on_loss: Callable[[], None] = lambda: None
) -> Iterator[RaySession]:
    """Create a folder for Ray with a path short enough for its sockets; keep it if the block raises an error.

    Args:
        advice: what the user should do if this process ends abruptly; printed after the reason.
        has_logs: whether Ray writes its logs there; after a failure they are kept, and a warning names them.
        on_loss: called before this process ends because Ray has stopped.
    """
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir=_parent_folder()))
    watchdog = Watchdog(advice, folder, has_logs)
    session = RaySession(folder, watchdog, on_loss)
    try:
        with watchdog:
            yield session
    except Exception:
        session.failed = True
        raise
    finally:
        if session.failed and has_logs:
            warn(f"Ray's logs are kept in {folder}")
        elif not remove(folder, tries=5):
            warn(f"{folder}: cannot remove Ray's files; remove them by hand")


def require_ray_directories_writable() -> None:
    """Raise a HarnessError if Ray cannot write its files or a token; it would hang for half a minute."""
    _parent_folder()
    home = Path.home() / ".ray"
    if (home / "auth_token").exists() or any(name.startswith("RAY_AUTH_") for name in os.environ):
        return
    try:
        require_writable(home)
    except NotWrittenError as error:
        raise HarnessError(
            f"{error}; Ray stores a token there, so set HOME to a writable directory"
        ) from None


def _parent_folder() -> Path:
    """Return the temporary directory, or one with a shorter path if socket paths would be too long."""
    wanted = Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp")
    fits = len(os.fsencode(wanted.absolute())) + SOCKET_SUFFIX_LENGTH <= LONGEST_SOCKET
    place = wanted if fits else Path("/tmp")
    try:
        require_writable(place)
    except NotWrittenError as error:
        raise HarnessError(
            f"{error}; Ray needs a directory for its files, so set TMPDIR to a writable one with a short path"
        ) from None
    if shutil.disk_usage(place).free < FREE_BYTES:
        raise HarnessError(
            f"{place}: less than {FREE_BYTES / 1e6:.0f} MB are free, which Ray needs for its files; free "
            "some space, or set TMPDIR to another directory with a short path"
        )
    return place
