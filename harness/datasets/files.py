"""Checksums of files, which show that they are unchanged, and the directory of caches."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from harness.errors import HarnessError
from harness.writing import NotWrittenError, write_text

SETTLED_SECONDS = 2.0  # a file younger than a clock tick can change without a new modification time


def cache_directory() -> Path:
    """Return $HARNESS_CACHE_DIR, or `offline-rl-harness` in the user's cache directory."""
    named = os.environ.get("HARNESS_CACHE_DIR")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "offline-rl-harness"


def record_path(path: Path) -> Path:
    """Return the file next to a dataset's with its checksum, in the format of `sha256sum --check`."""
    return path.with_name(path.name + ".sha256")


def recorded_digest(path: Path) -> str | None:
    """Return the SHA-256 that was recorded next to the file; None if none was."""
    try:
        digest = record_path(path).read_text(encoding="ascii", errors="replace").split()[0]
    except (OSError, IndexError):
        return None
    return digest if len(digest) == 64 else None


def record_digest(path: Path, digest: str) -> bool:
    """Record the file's digest next to it; return False if its directory cannot be written."""
    with suppress(NotWrittenError):
        write_text(record_path(path), f"{digest}  {path.name}\n")
        return True
    return False


def checked_digest(path: Path) -> str:
    """Return the file's SHA-256, which must be the recorded one if there is one."""
    digest = digest_of(path)
    recorded = recorded_digest(path)
    if recorded is not None and recorded != digest:
        record = record_path(path).name
        raise HarnessError(
            f"{path}: its SHA-256 is {digest[:12]}…, not {recorded[:12]}… as recorded in {record}; download "
            f"the file again, or delete {record} if you changed the file on purpose"
        )
    return digest


def check_same(path: Path, digest: str) -> None:
    """Check that a file still has the SHA-256 that it had when it was first read.

    HDF5 has checksums only for compressed arrays, and damage does not change a file's times.
    """
    found = sha256(path)
    if found != digest:
        raise HarnessError(
            f"{path}: its SHA-256 is {found[:12]}…, but was {digest[:12]}… when it was first read; it is "
            "damaged, or was just written; download or create it again"
        )


def digest_of(path: Path) -> str:
    """Return the file's SHA-256, cached as long as the file's size and times do not change."""
    try:
        status = path.stat()
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read ({error.strerror})") from None
    memory = _memory(path, status)
    with suppress(OSError, ValueError):
        known = memory.read_text()
        if len(known) == 64:  # else it is damaged
            return known
    digest = sha256(path)
    if time.time() - max(status.st_mtime, status.st_ctime) > SETTLED_SECONDS:
        with suppress(NotWrittenError):
            write_text(memory, digest)
    return digest


def _memory(path: Path, status: os.stat_result) -> Path:
    """Return the file that caches the digest of a file in this state."""
    state = (str(path.absolute()), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return cache_directory() / "digests" / hashlib.sha256(repr(state).encode()).hexdigest()[:32]


@contextmanager
def one_at_a_time(lock: Path, seconds: float = -1) -> Iterator[None]:
    """Hold a lock within the block; other processes wait for it.

    A process that has waited for `seconds`, or whose file system has no locks, continues without it.
    """
    held = FileLock(lock)
    with suppress(NotImplementedError, Timeout):
        held.acquire(timeout=seconds)
    try:
        yield
    finally:
        held.release()


def sha256(path: Path) -> str:
    """Return the SHA-256 of the whole file.

    Raises:
        HarnessError: if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read ({error.strerror})") from None
