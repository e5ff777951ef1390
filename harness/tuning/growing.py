"""Files that grow while a trial runs (its log, its curves), on storage that may only know whole files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness.storage.stores import Store


class GrowingFile:
    """Lies in the results directory itself, or aside until `publish` where that is an object store."""

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.name = name
        in_place = store.path(name)
        self._aside = None if in_place else tempfile.TemporaryDirectory(prefix="harness-")
        self.path = in_place or self._fetched(Path(self._aside.name) if self._aside else Path())

    def publish(self) -> None:
        if self._aside and self.path.exists():
            self.store.write(self.name, self.path.read_bytes())

    def close(self) -> None:
        if self._aside:
            self._aside.cleanup()

    def _fetched(self, folder: Path) -> Path:
        path = folder / self.name.rpartition("/")[2]
        path.write_bytes(self.store.read(self.name) or b"")
        return path
