"""A small process that outlives the driver, and prints how to resume if the driver no longer can.

The system kills a driver that uses too much memory. Ray's core ends it, without an exception, if its cluster
has stopped or another one answers at the same address. The process runs only this file, without the package.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

LAST_LINE_SECONDS = 5.0
SUDDEN_END = "the process was stopped abruptly, by a second signal, by the system, or by Ray"


class Watchdog:
    """Prints a line on standard error and removes Ray's files if this process ends within the block.

    If they contain logs, and a reason is reported, they are kept and named. The advice follows the reason.
    """

    def __init__(self, advice: str, scratch: Path, has_logs: bool) -> None:
        self._arguments = [advice, str(scratch), "logs" if has_logs else ""]

    def __enter__(self) -> Self:
        # Its standard input closes when this process ends. In its own session, Ctrl-C does not reach it.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def report(self, reason: str) -> None:
        """Print the line with this reason; called before this process ends."""
        with suppress(OSError, subprocess.TimeoutExpired):
            self._process.communicate(reason.encode(), timeout=LAST_LINE_SECONDS)


def _watch(advice: str, scratch: str, logs: str) -> None:
    """Wait for the end of the driver. Runs in the separate process."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # they are meant for the driver
        signal.signal(number, signal.SIG_IGN)
    reason = sys.stdin.buffer.read().decode()
    kept = f" (Ray's logs are in {scratch})" if reason and logs else ""
    show_cursor = "\x1b[?25h\n" if os.isatty(2) else ""  # a live display hides it
    with suppress(OSError):
        line = f"{show_cursor}harness: error: {reason or SUDDEN_END}{kept}. {advice}"
        print(line, file=sys.stderr, flush=True)
    os.close(2)  # its reader need not wait for the rest
    if not kept:
        remove(Path(scratch), tries=8)


def remove(scratch: Path, tries: int) -> bool:
    """Remove the folder, retrying while Ray's processes, which have not yet noticed the end, write to it."""
    for attempt in range(tries):
        shutil.rmtree(scratch, ignore_errors=True)
        if not scratch.exists():
            return True
        time.sleep(0.1 * 2**attempt)
    return False


if __name__ == "__main__":
    _watch(*sys.argv[1:])
