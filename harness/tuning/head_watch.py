"""Notices when Ray itself is gone, which Ray would only say after a minute, and by aborting the process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence

import psutil

LOOK_SECONDS = 2.0
PATIENCE_SECONDS = 30.0
"""A head of a cluster that is set up for it may come back within this time."""
ESSENTIAL = ("gcs_server", "raylet")


class HeadWatch:
    """Calls `lost` with a reason, in a thread of its own, when the cluster's head cannot be reached any more.

    Args:
        address: of the head, HOST:PORT.
        processes: of Ray, on this machine; nothing goes on when one of them has ended.
    """

    def __init__(
        self, address: str, processes: Sequence[psutil.Process], lost: Callable[[str], None]
    ) -> None:
        self.address = address
        self.lost = lost
        self._processes = processes
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="head watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()

    def _watch(self) -> None:
        last_answer = time.monotonic()
        while not self._over.wait(LOOK_SECONDS):
            dead = next((process for process in self._processes if not _runs(process)), None)
            if dead is not None:
                return self._tell("a process of Ray's on this machine has ended")
            if self._answers():
                last_answer = time.monotonic()
            elif time.monotonic() - last_answer > PATIENCE_SECONDS:
                return self._tell(f"the head of the Ray cluster at {self.address} does not answer any more")
        return None

    def _tell(self, reason: str) -> None:
        if not self._over.is_set():
            self.lost(reason)

    def _answers(self) -> bool:
        host, _, port = self.address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=LOOK_SECONDS).close()
        except OSError:
            return False
        return True


def started_here() -> list[psutil.Process]:
    """The essential processes of the Ray that this process has started."""
    return [process for process in psutil.Process().children() if process.name() in ESSENTIAL]


def raylet(socket_name: str) -> list[psutil.Process]:
    """The one of this machine that listens there; it goes with its head, and does not come back with it."""
    argument = f"--raylet_socket_name={socket_name}"
    every = psutil.process_iter(["cmdline"])
    return [process for process in every if argument in (process.info["cmdline"] or ())]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
