"""Detects that Ray has stopped: without the head the driver would abort, without its node wait forever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable


class RayWatch:
    """Calls `lost` with a reason, in a separate thread, when Ray's head or the driver's node stops answering.

    Args:
        head: the address of the cluster's head, HOST:PORT.
        node: the address of the driver's own node, HOST:PORT.
        lost: called once.
        pause: seconds between two checks.
        head_seconds: how long the head may be silent; a fault-tolerant head may restart.
        node_seconds: how long the node may be silent.
    """

    def __init__(
        self,
        head: str,
        node: str,
        lost: Callable[[str], None],
        pause: float = 2.0,
        head_seconds: float = 30.0,
        node_seconds: float = 5.0,
    ) -> None:
        self._lost = lost
        self._pause = pause
        self._watched = (
            (node, node_seconds, "Ray on this machine has stopped"),
            (head, head_seconds, f"the head of the Ray cluster at {head} no longer answers"),
        )
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="ray watch", daemon=True)

    def start(self) -> None:
        """Start to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def _watch(self) -> None:
        answered = dict.fromkeys((address for address, _, _ in self._watched), time.monotonic())
        while not self._stopped.wait(self._pause):
            for address, patience, reason in self._watched:
                if _answers(address):
                    answered[address] = time.monotonic()
                elif time.monotonic() - answered[address] > patience and not self._stopped.is_set():
                    self._lost(reason)
                    return


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2.0).close()
    except OSError:
        return False
    return True
