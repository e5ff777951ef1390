"""Whether a dataset's file is whole and the one that it was."""

from __future__ import annotations

from pathlib import Path

from harness.datasets import files, hdf5
from harness.datasets.registry import RegisteredDataset


def verify(path: Path, dataset: RegisteredDataset | None = None) -> str:
    """Read every value of the file and hold its SHA-256 against the recorded and the published one.

    A file without a record gets one, so that later damage shows.

    Returns:
        What was found, in words.

    Raises:
        HarnessError: for a file that is missing, damaged or changed.
    """
    with hdf5.open_file(path) as file:
        for key in file.arrays:
            file.read(key)
        whole, checksummed = f"whole, {len(file)} steps", file.checksummed
    digest = files.checked_digest(path)
    files.check_same(path, digest)
    if dataset is not None and dataset.shipped:
        return f"{whole}, comes with this package"
    known = files.recorded_digest(path) is not None
    recorded = known or files.record_digest(path, digest)
    if dataset is not None and dataset.sha256 is not None:
        hashes = f"SHA-256 {digest[:12]}…, {dataset.sha256[:12]}…"
        same = digest == dataset.sha256
        return f"{whole}, " + ("the published file" if same else f"but not the published file ({hashes})")
    if known:
        return f"{whole}, as recorded"
    now = "its SHA-256 is recorded now" if recorded else "its SHA-256 cannot be recorded beside it"
    return f"{whole}, {now}" + ("" if checksummed else "; earlier damage would not show, it has no checksums")
