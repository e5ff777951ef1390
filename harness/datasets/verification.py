"""Whether a dataset's file is whole and the one that it was."""

from __future__ import annotations

from pathlib import Path

from harness.datasets import files, hdf5
from harness.datasets.registry import RegisteredDataset
from harness.errors import HarnessError


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
        rows = len(file)
    digest = files.sha256(path)
    recorded = files.recorded_digest(path)
    if recorded is not None and recorded != digest:
        raise HarnessError(files.changed(path, digest, recorded))
    if dataset is not None and dataset.shipped:
        return f"whole, {rows} steps, comes with this package"
    if recorded is None:
        files.record_digest(path, digest)
    if dataset is None or dataset.sha256 is None:
        return f"whole, {rows} steps, " + ("as recorded" if recorded else "its SHA-256 is recorded now")
    if digest != dataset.sha256:
        hashes = f"SHA-256 {digest[:12]}…, {dataset.sha256[:12]}…"
        return f"whole, {rows} steps, but not the published file ({hashes})"
    return f"whole, {rows} steps, the published file"
