"""Tells a worker that its driver asks it to stop, by the driver's file in the results directory."""

from __future__ import annotations

import threading
from contextlib import suppress

from harness.storage import lease
from harness.storage.stores import StorageError, Store

LOCAL_PAUSE, REMOTE_PAUSE = 0.5, 3.0
"""Seconds between two looks in a directory, and in an object store, where each is a paid request."""


class StopRequest:
    """Looks for the request in a separate thread; calling it returns at once whether it has come.

    Args:
        store: the results directory.
        driver: the number of the driver's lease.
    """

    def __init__(self, store: Store, driver: int) -> None:
        self._store = store
        self._driver = driver
        self._pause = REMOTE_PAUSE if "://" in store.target else LOCAL_PAUSE
        self._asked = threading.Event()
        self._closed = threading.Event()
        self._look()
        self._thread = threading.Thread(target=self._watch, name="stop request", daemon=True)
        self._thread.start()

    def __call__(self) -> bool:
        """Return whether the driver has asked for a stop."""
        return self._asked.is_set()

    def close(self) -> None:
        """Stop the thread."""
        self._closed.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._asked.is_set() and not self._closed.wait(self._pause):
            self._look()

    def _look(self) -> None:
        with suppress(StorageError):  # a lost network may come back
            if lease.asks_to_stop(self._store, self._driver):
                self._asked.set()
