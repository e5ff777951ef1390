"""Detects that the driver has asked its workers to stop, by its file in the results directory."""

from __future__ import annotations

import threading
from contextlib import suppress

from harness.storage import lease
from harness.storage.stores import StorageError, Store

LOCAL_PAUSE, REMOTE_PAUSE = 0.5, 3.0
"""Seconds between two checks in a directory, and in an object store, where each is a paid request."""


class StopRequest:
    """Checks for the request in a separate thread; calling the object returns whether it was made."""

    def __init__(self, store: Store, driver: int) -> None:
        self._store = store
        self._driver = driver
        self._pause = REMOTE_PAUSE if "://" in store.target else LOCAL_PAUSE
        self._asked = threading.Event()
        self._closed = threading.Event()
        self._check()
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
            self._check()

    def _check(self) -> None:
        with suppress(StorageError):  # the network may be down for a while
            if lease.asks_to_stop(self._store, self._driver):
                self._asked.set()
