"""Writes files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import HarnessError


class NotWrittenError(HarnessError):
    """Raised if a file cannot be written, for example for lack of space or permission."""


def require_writable(directory: Path) -> None:
    """Create the directory and check that files can be written in it, before the work starts.

    Raises:
        NotWrittenError: if the directory, or a file in it, cannot be created.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise NotWrittenError(f"{directory}: cannot be written ({error.strerror or error})") from None


def inside(directory: Path, name: str) -> Path:
    """Return the path of `name` in a directory that may come from someone else.

    Raises:
        PermissionError: if a link in the directory points outside it, where a file would be written.
    """
    path = directory / name
    if not Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(directory)):
        raise PermissionError(errno.EPERM, f"a link there points outside {directory}", str(path))
    return path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary file next to `path` that replaces it, synced to disk, if the block succeeds.

    Raises:
        NotWrittenError: if the disk is full, the directory cannot be written, or `path` is a device or pipe.
    """
    scratch = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    try:
        is_special = path.exists() and not path.is_file() and not path.is_dir()
        if is_special or path.absolute().parent == Path("/dev"):  # root could replace /dev/null by a file
            raise NotWrittenError(f"{path}: not a regular file; name another file to write")
        path.parent.mkdir(parents=True, exist_ok=True)
        yield scratch
        with scratch.open("rb") as written:
            os.fsync(written.fileno())
        scratch.replace(path)
    except OSError as error:
        raise NotWrittenError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write a text file whole or not at all, as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path | str, content: bytes) -> None:
    """Write a file whole or not at all, with the errors of `written_whole`."""
    with written_whole(Path(path)) as scratch:
        scratch.write_bytes(content)
