"""Where Ray writes on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from harness.errors import HarnessError
from harness.writing import NotWrittenError, require_writable

SCRATCH_BYTES = 50_000_000


def require_places_for_ray() -> None:
    """Ray waits for half a minute where it cannot write, and then says something else.

    Raises:
        HarnessError: where its files, or the token of its processes, cannot be written.
    """
    scratch = Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp")
    home = Path.home() / ".ray"
    try:
        require_writable(scratch)
    except NotWrittenError as error:
        raise HarnessError(f"{error}; Ray needs a place for its files: name one with TMPDIR") from None
    free = shutil.disk_usage(scratch).free
    if free < SCRATCH_BYTES:
        raise HarnessError(
            f"{scratch}: {free / 1e6:.0f} MB are free, Ray needs {SCRATCH_BYTES / 1e6:.0f} MB for its files; "
            "free some, or name another place with TMPDIR"
        )
    if (home / "auth_token").exists() or any(name.startswith("RAY_AUTH_") for name in os.environ):
        return
    try:
        require_writable(home)
    except NotWrittenError as error:
        raise HarnessError(f"{error}; Ray keeps a token there: set HOME to a directory that can be") from None
