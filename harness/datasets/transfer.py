"""Copying one file from a URL or a path, with retries, and without taking more bytes than it should have."""

from __future__ import annotations

import errno
import http.client
import io
import random
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from harness.errors import HarnessError

PIECE = 2**18
SPARE_BYTES = 2**20

ProgressCallback: TypeAlias = Callable[[int, int | None], None]
"""Called with the number of bytes received and the number of bytes of the file, if that is known."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long to try one place while nothing arrives."""

    attempts: int = 5
    """Attempts in a row that gain no byte before the place is given up."""
    stall_seconds: float = 30.0
    pause_seconds: float = 1.0
    """The pause before the second attempt; it doubles with each further one."""


class RefusedError(HarnessError):
    """This place does not have the file; another may."""


class _InterruptedError(Exception):
    """The transfer broke off; another attempt may succeed."""


def transfer(
    place: str, part: Path, size: int | None, progress: ProgressCallback, policy: RetryPolicy, resume: bool
) -> None:
    """Copy the file at a URL or path to `part`.

    Args:
        size: the number of bytes that the file must have; None takes what the place announces.
        resume: whether to continue from the bytes that are in `part` already. They may be of another file, so
            this is for files whose checksum is compared afterwards.

    Raises:
        RefusedError: if the place does not give the file, or gives more or fewer bytes than it should have.
        OSError: if `part` cannot be written.
    """
    failed = 0
    while True:
        before = size_of(part)
        try:
            return _attempt(place, part, size, progress, policy, before if resume else 0)
        except _InterruptedError as error:
            failed = 1 if size_of(part) > before else failed + 1
            if failed >= policy.attempts:
                raise RefusedError(f"{error} ({failed} attempts)") from None
        time.sleep(policy.pause_seconds * 2 ** (failed - 1) * random.uniform(0.75, 1.25))


def size_of(path: Path) -> int:
    """Return the number of bytes of a file, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def _attempt(
    place: str, part: Path, size: int | None, progress: ProgressCallback, policy: RetryPolicy, have: int
) -> None:
    """Copy the bytes from `have` on."""
    with _open(place, have, policy) as (stream, start, announced):
        if None not in (size, announced) and size != announced:
            raise RefusedError(f"has {announced} bytes, but {size} are published; --accept takes it anyway")
        total = announced if size is None else size
        _check_room(part, total, start)
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            done = start
            progress(done, total)
            while piece := _read(stream):
                done += len(piece)
                if total is not None and done > total:
                    file.truncate(0)
                    raise RefusedError(f"sends more than the {total} bytes that are published; stopped there")
                file.write(piece)
                progress(done, total)
    if total is not None and done < total:
        raise _InterruptedError(f"the connection closed after {done} of {total} bytes")


def _read(stream: io.BufferedIOBase) -> bytes:
    try:
        return stream.read1(PIECE)  # whatever has arrived, so that an interruption does not lose it
    except TimeoutError:
        raise _InterruptedError("the server stalled") from None
    except (OSError, http.client.HTTPException) as error:
        raise _InterruptedError(f"the connection broke off ({error})") from None


@contextmanager
def _open(place: str, have: int, policy: RetryPolicy) -> Iterator[tuple[io.BufferedIOBase, int, int | None]]:
    """Open the stream of a file; yield it, the byte it starts at, and the file's size if it is announced."""
    if not place.startswith(("http://", "https://")):
        try:
            file = Path(place).open("rb")  # noqa: SIM115  # the opening alone is to be caught
        except OSError as error:
            raise RefusedError(f"{error.strerror}") from None
        with file:
            yield file, 0, Path(place).stat().st_size
        return
    with _respond(place, have, policy) as response:
        if response.headers.get_content_type() == "text/html":
            raise RefusedError("the server answered with a web page")
        if response.status != 206:
            length = response.headers.get("Content-Length", "")
            yield response, 0, int(length) if length.isdigit() else None
            return
        start, total = _content_range(response.headers.get("Content-Range", ""))
        if start != have:
            raise _InterruptedError(f"the server sent from byte {start} on, not from {have}")
        yield response, have, total


def _respond(place: str, have: int, policy: RetryPolicy) -> http.client.HTTPResponse:
    headers = {"User-Agent": "offline-rl-harness"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        request = urllib.request.Request(place, headers=headers)
    except ValueError as error:
        raise RefusedError(f"not a valid URL ({error})") from None
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=policy.stall_seconds)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:  # the part is as long as the file, or longer
            return _respond(place, 0, policy)
        reason = " ".join(f"the server answered {error.code} {error.reason}".split())
        if error.code in (408, 425, 429) or error.code >= 500:
            raise _InterruptedError(reason) from None
        raise RefusedError(reason) from None
    except TimeoutError:
        raise _InterruptedError("the server stalled") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise _InterruptedError(f"no connection ({reason})") from None
    return response


def _content_range(header: str) -> tuple[int | None, int | None]:
    """Read the first byte and the size of the whole file from `bytes FIRST-LAST/SIZE`."""
    first, size = header.removeprefix("bytes ").partition("-")[0], header.rpartition("/")[2]
    return int(first) if first.isdigit() else None, int(size) if size.isdigit() else None


def _check_room(part: Path, total: int | None, have: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - have + SPARE_BYTES > free:
        raise OSError(errno.ENOSPC, f"{total - have} bytes are needed, {free} are free")
