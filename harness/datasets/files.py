"""Where dataset files lie, and whether they are still the files that they were."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from harness.datasets.registry import RegisteredDataset
from harness.errors import HarnessError
from harness.writing import NotWrittenError, write_text

SETTLED_SECONDS = 2.0  # a file younger than a clock's tick can change without its time changing


def dataset_directory() -> Path:
    """D4RL's own: $D4RL_DATASET_DIR, or ~/.d4rl/datasets."""
    named = os.environ.get("D4RL_DATASET_DIR")
    return Path(named) if named else Path.home() / ".d4rl" / "datasets"


def cache_directory() -> Path:
    """$HARNESS_CACHE_DIR, or `offline-rl-harness` in the user's cache directory."""
    named = os.environ.get("HARNESS_CACHE_DIR")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "offline-rl-harness"


def local_path(dataset: RegisteredDataset) -> Path:
    """Where the dataset's file is, or will be once it is downloaded."""
    return dataset.shipped or dataset_directory() / dataset.file


def record_path(path: Path) -> Path:
    """The file beside a dataset's that `sha256sum --check` reads."""
    return path.with_name(path.name + ".sha256")


def recorded_digest(path: Path) -> str | None:
    try:
        digest = record_path(path).read_text(encoding="ascii", errors="replace").split()[0]
    except (OSError, IndexError):
        return None
    return digest if len(digest) == 64 else None


def record_digest(path: Path, digest: str) -> bool:
    """Record the file's digest, unless its directory cannot be written."""
    with suppress(NotWrittenError):
        write_text(record_path(path), f"{digest}  {path.name}\n")
        return True
    return False


def checked_digest(path: Path) -> str:
    """The file's SHA-256, held against the one that was recorded when it was downloaded.

    Raises:
        HarnessError: when the file is not the one that it was.
    """
    digest = digest_of(path)
    recorded = recorded_digest(path)
    if recorded is not None and recorded != digest:
        raise HarnessError(changed(path, digest, recorded))
    return digest


def check_same(path: Path, digest: str) -> None:
    """Hold every byte of a file that was read against the digest that stands for it.

    HDF5 itself has checksums only where arrays are compressed, and damage leaves a file's times as they were.

    Raises:
        HarnessError: when the file is not the one that it was.
    """
    found = sha256(path)
    if found != digest:
        raise HarnessError(
            f"{path}: its SHA-256 is {found[:12]}…, but was {digest[:12]}… when it was first read; it is "
            "damaged, or was written just now: fetch or make it again"
        )


def changed(path: Path, digest: str, recorded: str) -> str:
    return (
        f"{path}: its SHA-256 is {digest[:12]}…, not {recorded[:12]}… as recorded in "
        f"{record_path(path).name}; fetch the file again, or delete that record if you changed it"
    )


def digest_of(path: Path) -> str:
    """SHA-256 of the file, remembered in the cache directory for as long as size and times stay."""
    remembered = remembered_digest(path)
    if remembered is not None:
        return remembered
    status, signature = _signature(path)
    digest = sha256(path)
    if time.time() - max(status.st_mtime, status.st_ctime) > SETTLED_SECONDS:
        with suppress(NotWrittenError):
            entry = {"signature": signature, "sha256": digest, "path": str(path)}
            write_text(_memory(path), json.dumps(entry))
    return digest


def remembered_digest(path: Path) -> str | None:
    _, signature = _signature(path)
    with suppress(OSError, ValueError, TypeError, KeyError):
        entry = json.loads(_memory(path).read_text())
        if entry["signature"] == signature:
            return str(entry["sha256"])
    return None


def _signature(path: Path) -> tuple[os.stat_result, list[int]]:
    try:
        status = path.stat()
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read ({error.strerror})") from None
    return status, [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _memory(path: Path) -> Path:
    name = hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:32]
    return cache_directory() / "digests" / f"{name}.json"


@contextmanager
def one_at_a_time(lock: Path, seconds: float = -1) -> Iterator[None]:
    """Other processes wait, for so long at most; where locks do not work, each does the work itself."""
    held = FileLock(lock)
    with suppress(NotImplementedError, Timeout):
        held.acquire(timeout=seconds)
    try:
        yield
    finally:
        held.release()


def sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read ({error.strerror})") from None
