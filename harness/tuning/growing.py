"""Files that grow while a trial runs (its log, its curves), on storage that may only know whole files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness.storage.stores import StorageError, Store


class GrowingFile:
    """Lies in the results directory itself, or aside until `publish` where that is an object store."""

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.name = name
        in_place = store.path(name)
        self._aside: tempfile.TemporaryDirectory[str] | None = None
        self.path = in_place or self._fetched()

    def publish(self) -> None:
        if self._aside and self.path.exists():
            self.store.write(self.name, self.path.read_bytes())

    def close(self) -> None:
        if self._aside:
            self._aside.cleanup()

    def _fetched(self) -> Path:
        try:
            self._aside = tempfile.TemporaryDirectory(prefix="harness-")
            path = Path(self._aside.name) / self.name.rpartition("/")[2]
            path.write_bytes(self.store.read(self.name) or b"")
        except OSError as error:
            where = tempfile.gettempdir()
            raise StorageError(f"{where}: cannot hold {self.name} ({error.strerror or error})") from None
        return path
