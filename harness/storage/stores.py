"""Storage of results: a directory that all nodes can access, or an fsspec URL such as s3://bucket/prefix.

Both guarantee that a file appears whole or not at all, and that `create` succeeds for one caller only.
"""

from __future__ import annotations

import errno
import os
import stat
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from typing_extensions import override

from harness.errors import HarnessError, first_line
from harness.writing import inside

Item = TypeVar("Item")
Found = TypeVar("Found")
TRIES = 3


class StorageError(HarnessError):
    """Raised if storage cannot be read or written; the cause is not a trial."""


class Store(Protocol):
    """Reads and writes files by name (slashes between folders), relative to the results directory."""

    target: str
    """The path or URL that the user gave; `open_store(target)` opens the same files."""

    readers: int
    """How many reads to run concurrently, because each of them is mostly waiting."""

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None if it does not exist."""

    def write(self, name: str, data: bytes, lasting: bool = True) -> None:
        """Write a whole file, replacing any that exists.

        A file that is not `lasting` may be lost if the machine crashes; on a disk, writing it is much faster.
        """

    def create(self, name: str, data: bytes) -> bool:
        """Write a file unless it exists; return whether it was written."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def names(self, folder: str = "") -> list[str]:
        """Return the names of all files in the folder and its subfolders, sorted."""

    def tidy(self, folder: str) -> None:
        """Remove the unfinished files of killed writers; nothing else may be writing in the folder."""

    def path(self, name: str) -> Path | None:
        """Return the local path of a file to append to; None in an object store."""


def open_store(target: str | Path) -> Store:
    """Return the store at a path or URL, without creating anything."""
    text = str(target)
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    return ObjectStore(text) if "://" in text else DirectoryStore(text)


def absolute_target(store: Store) -> str:
    """Return the URL or absolute path of a store, for processes with another current directory."""
    return store.target if "://" in store.target else str(Path(store.target).absolute())


def map_concurrently(store: Store, read: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """Return `read(item)` of each item in order; items of an object store are read concurrently."""
    if store.readers == 1:
        return list(map(read, items))
    with ThreadPoolExecutor(store.readers) as pool:
        return list(pool.map(read, items))


def with_retries(action: Callable[[], Found], sleep: Callable[[float], None] = time.sleep) -> Found:
    """Retry twice, after 1 and 2 seconds, on a StorageError, because network storage may fail briefly."""
    for attempt in range(TRIES - 1):
        try:
            return action()
        except StorageError:
            sleep(2.0**attempt)
    return action()


@contextmanager
def operation(store: Store, verb: str, name: str) -> Iterator[None]:
    """Turn any error in the block into a StorageError that names the file."""
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:
        reason, advice = first_line(error), ""
        if isinstance(error, OSError):
            reason = error.strerror or reason
            advice = "; free some space there" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise StorageError(f"{store.target}: cannot {verb} {name} ({reason}){advice}") from error


class DirectoryStore(Store):
    """Stores results in a directory; files are written under another name, synced to disk and renamed."""

    readers = 1

    def __init__(self, target: str) -> None:
        self.target = target
        self.root = Path(target).absolute()

    @override
    def read(self, name: str) -> bytes | None:
        with operation(self, "read", name):
            path = self.root / name
            try:
                if not stat.S_ISREG(path.stat().st_mode):  # a FIFO would block, a device might never end
                    raise OSError(errno.EINVAL, "not a regular file")
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    @override
    def write(self, name: str, data: bytes, lasting: bool = True) -> None:
        with operation(self, "write", name):
            self._commit(name, data, os.replace, lasting)

    @override
    def create(self, name: str, data: bytes) -> bool:
        with operation(self, "write", name):
            try:
                self._commit(name, data, os.link)
            except FileExistsError:
                return False
        return True

    @override
    def remove(self, name: str) -> None:
        with operation(self, "remove", name):
            inside(self.root, name).unlink(missing_ok=True)

    @override
    def names(self, folder: str = "") -> list[str]:
        with operation(self, "list", folder or "."):
            start = len(f"{self.root}/")
            below = os.walk(self.root / folder, onerror=_raise_unless_missing)
            paths = (f"{parent}/{file}" for parent, _, files in below for file in files)
            return sorted(path[start:] for path in paths if not path.endswith(".tmp"))

    @override
    def tidy(self, folder: str) -> None:
        with operation(self, "remove unfinished files in", folder):
            for temporary in inside(self.root, f"{folder}/x").parent.glob(".*.tmp"):
                temporary.unlink(missing_ok=True)

    @override
    def path(self, name: str) -> Path | None:
        with operation(self, "write", name):
            path = inside(self.root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink() or (path.exists() and not path.is_file()):
                raise OSError(errno.EINVAL, "a link, or not a regular file")
            return path

    def _commit(
        self, name: str, data: bytes, put: Callable[[Path, Path], None], lasting: bool = True
    ) -> None:
        path = inside(self.root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        try:
            with temporary.open("wb") as file:
                file.write(data)
                if lasting:
                    file.flush()
                    os.fsync(file.fileno())
            put(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        if lasting:
            _sync_folder(path.parent)


class ObjectStore(Store):
    """Stores results in an object store through fsspec; there a PUT is atomic and can be conditional."""

    readers = 16

    def __init__(self, target: str) -> None:
        self.target = target.rstrip("/")
        with operation(self, "open", "the store"):
            from fsspec.core import url_to_fs

            self.filesystem: Any
            self.filesystem, self.root = url_to_fs(self.target, use_listings_cache=False)

    @override
    def read(self, name: str) -> bytes | None:
        with operation(self, "read", name):
            try:
                data: bytes = self.filesystem.cat_file(self._key(name))
                return data
            except FileNotFoundError:
                return None

    @override
    def write(self, name: str, data: bytes, lasting: bool = True) -> None:
        with operation(self, "write", name):
            self.filesystem.pipe_file(self._key(name), data)

    @override
    def create(self, name: str, data: bytes) -> bool:
        with operation(self, "write", name):
            try:
                self.filesystem.pipe_file(self._key(name), data, mode="create")
            except FileExistsError:
                return False
            except OSError as error:
                if not _is_failed_precondition(error):
                    raise
                return False
        return True

    @override
    def remove(self, name: str) -> None:
        with operation(self, "remove", name), suppress(FileNotFoundError):
            self.filesystem.rm_file(self._key(name))

    @override
    def names(self, folder: str = "") -> list[str]:
        with operation(self, "list", folder or "the store"):
            self.filesystem.invalidate_cache()
            found = self.filesystem.find(self._key(folder))
            prefix = self.root.rstrip("/") + "/"
            return sorted(key.removeprefix(prefix) for key in found if key.startswith(prefix))

    @override
    def tidy(self, folder: str) -> None:
        """Do nothing: an object store has no unfinished files."""

    @override
    def path(self, name: str) -> Path | None:
        return None

    def _key(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}".rstrip("/")


def _is_failed_precondition(error: OSError) -> bool:
    """Return whether a conditional PUT failed because the file exists (412) or is being written (409)."""
    code = getattr(error.__cause__, "response", {}).get("Error", {}).get("Code", "")
    return code in ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    with suppress(OSError):  # some network file systems cannot sync a folder
        os.fsync(descriptor)
    os.close(descriptor)
