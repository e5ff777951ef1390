"""Writing documents to files."""

from __future__ import annotations

from pathlib import Path

from harness.storage.stores import DirectoryStore


def write_text(path: Path | str, text: str) -> None:
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path | str, content: bytes) -> None:
    """Put the file in place whole or not at all.

    Raises:
        HarnessError: where it cannot be written.
    """
    path = Path(path)
    DirectoryStore(str(path.parent)).write(path.name, content)
