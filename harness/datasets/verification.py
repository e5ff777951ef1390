"""Verifies that a dataset's file is complete and unchanged."""

from __future__ import annotations

from pathlib import Path

from harness.datasets import files, hdf5
from harness.datasets.registry import RegisteredDataset
from harness.errors import HarnessError


def verify(path: Path, dataset: RegisteredDataset | None = None) -> str:
    """Read every value of the file and compare its SHA-256 with the recorded and the published one.

    The checksum of a file without a record is recorded for later, unless it is not the published one.

    Returns:
        The findings as text.

    Raises:
        HarnessError: for a file that is missing, damaged, changed or not the published one.
    """
    with hdf5.open_file(path) as file:
        file.read()
        whole = f"whole, {len(file)} steps"
    digest = files.checked_digest(path)
    files.check_same(path, digest)
    if dataset is not None and dataset.url is None:
        return f"{whole}, comes with this package"
    published = dataset.sha256 if dataset is not None else None
    if published is not None and digest != published:
        raise HarnessError(
            f"{path}: its SHA-256 is {digest[:12]}…, that of the published file {published[:12]}…; move it "
            f"away and download it again, or compare it with its own record: harness data verify {path}"
        )
    known = files.recorded_digest(path) is not None
    recorded = known or files.record_digest(path, digest)
    if published is not None:
        return f"{whole}, the published file"
    if known:
        return f"{whole}, as recorded"
    return f"{whole}, its SHA-256 {'is now' if recorded else 'cannot be'} recorded next to it"
