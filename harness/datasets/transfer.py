"""Copies one file from a URL or a path, with retries, and not more bytes than the file should have."""

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
    """The number and duration of attempts at one place."""

    attempts: int = 5
    stall_seconds: float = 30.0
    pause_seconds: float = 1.0
    """The pause before the second attempt; it doubles with each further one."""


class RefusedError(HarnessError):
    """Raised if this place does not have the file; another may."""


class _InterruptedError(Exception):
    """Raised if the transfer was interrupted; another attempt may succeed."""


def transfer(
    place: str, part: Path, size: int | None, progress: ProgressCallback, policy: RetryPolicy
) -> None:
    """Copy the file at a URL or path to `part`; an interrupted attempt is repeated from the start.

    Args:
        size: the number of bytes that the file must have; None accepts the announced size.

    Raises:
        RefusedError: if the place does not deliver the file, or more or fewer bytes than it should have.
        OSError: if `part` cannot be written.
    """
    for attempt in range(1, policy.attempts + 1):
        try:
            _attempt(place, part, size, progress, policy)
            return
        except _InterruptedError as error:
            if attempt == policy.attempts:
                raise RefusedError(f"{error} ({attempt} attempts)") from None
        time.sleep(policy.pause_seconds * 2 ** (attempt - 1) * random.uniform(0.75, 1.25))


def _attempt(
    place: str, part: Path, size: int | None, progress: ProgressCallback, policy: RetryPolicy
) -> None:
    with _open(place, policy) as (stream, announced):
        if None not in (size, announced) and size != announced:
            raise RefusedError(f"has {announced} bytes, but {size} are published; --accept takes it anyway")
        total = announced if size is None else size
        _check_room(part, total)
        done = 0
        with part.open("wb") as file:
            while piece := _read(stream):
                done += len(piece)
                if total is not None and done > total:
                    raise RefusedError(f"sends more than the published {total} bytes; stopped there")
                file.write(piece)
                progress(done, total)
    if total is not None and done < total:
        raise _InterruptedError(f"the connection closed after {done} of {total} bytes")


def _read(stream: io.BufferedIOBase) -> bytes:
    try:
        return stream.read1(PIECE)
    except TimeoutError:
        raise _InterruptedError("the server stalled") from None
    except (OSError, http.client.HTTPException) as error:
        raise _InterruptedError(f"the connection was interrupted ({error})") from None


@contextmanager
def _open(place: str, policy: RetryPolicy) -> Iterator[tuple[io.BufferedIOBase, int | None]]:
    """Open the stream of a file; yield it, and the file's size if it is announced."""
    if not place.startswith(("http://", "https://")):
        try:
            file = Path(place).open("rb")  # noqa: SIM115  # the opening alone is to be caught
        except OSError as error:
            raise RefusedError(f"{error.strerror}") from None
        with file:
            yield file, Path(place).stat().st_size
        return
    with _respond(place, policy) as response:
        if response.headers.get_content_type() == "text/html":
            raise RefusedError("the server answered with a web page")
        length = response.headers.get("Content-Length", "")
        yield response, int(length) if length.isdigit() else None


def _respond(place: str, policy: RetryPolicy) -> http.client.HTTPResponse:
    try:
        request = urllib.request.Request(place, headers={"User-Agent": "offline-rl-harness"})
    except ValueError as error:
        raise RefusedError(f"not a valid URL ({error})") from None
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=policy.stall_seconds)
    except urllib.error.HTTPError as error:
        error.close()
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


def _check_room(part: Path, total: int | None) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total + SPARE_BYTES > free:
        raise OSError(errno.ENOSPC, f"{total} bytes are needed, but {free} are free")
