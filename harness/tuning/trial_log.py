"""What a trial says, in its own file."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path


class TrialLog:
    """Appends lines, with `capture` all that the process prints. A full disk loses lines, not the trial."""

    def __init__(self, path: Path, capture: bool = False) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._captured: list[tuple[int, int]] = []
        if capture:
            for stream in (1, 2):
                self._captured.append((stream, os.dup(stream)))
                os.dup2(self._descriptor, stream)

    def say(self, line: str) -> None:
        stamp = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        with suppress(OSError):
            os.write(self._descriptor, f"{stamp} {line}\n".encode())

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        for stream, original in self._captured:
            os.dup2(original, stream)
            os.close(original)
        os.close(self._descriptor)
