"""Detects that Ray has stopped: without the head the driver would abort, without its node wait forever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def ray_watched(
    head: str,
    node: str,
    lost: Callable[[str], None],
    pause: float = 2.0,
    head_seconds: float = 30.0,
    node_seconds: float = 5.0,
) -> Iterator[None]:
    """Call `lost` with a reason when Ray's head or the driver's node stops answering during the block.

    It is called once, in a separate thread. The head may be silent for longer than the node, because a
    fault-tolerant head may restart.
    """
    watched = (
        (node, node_seconds, "Ray on this machine has stopped"),
        (head, head_seconds, f"the head of the Ray cluster at {head} no longer answers"),
    )
    ended = threading.Event()

    def watch() -> None:
        answered = dict.fromkeys((node, head), time.monotonic())
        while not ended.wait(pause):
            for address, patience, reason in watched:
                if _answers(address):
                    answered[address] = time.monotonic()
                elif time.monotonic() - answered[address] > patience and not ended.is_set():
                    lost(reason)
                    return

    threading.Thread(target=watch, name="ray watch", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2.0).close()
    except OSError:
        return False
    return True
