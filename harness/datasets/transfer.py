"""Bringing a file from one place, a URL or a path: tried again, and gone on with where it ended."""

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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from harness.errors import HarnessError

PIECE = 2**18
SPARE_BYTES = 2**20

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes here and the bytes in all, where that is known."""


@dataclass(frozen=True)
class Patience:
    """How long to try one place for, while nothing comes."""

    attempts: int = 5
    """Without a byte gained; any progress starts the count anew."""
    stall_seconds: float = 30.0
    pause_seconds: float = 1.0
    """Before the second attempt; doubled before each further one."""


PATIENCE = Patience()


class RefusedError(Exception):
    """This place does not have the file; another may."""


class _BrokenOffError(Exception):
    """The transfer broke; it may go on."""


def transfer(
    place: str, part: Path, size: int | None, progress: Progress, patience: Patience, checked: bool
) -> None:
    """Bring what the part lacks of the file, which has `size` bytes unless the place knows better.

    Args:
        checked: whether a part of another file would be found out later. If not, none is gone on with unless
            the place says itself that it is of this one.

    Raises:
        RefusedError: when the place does not give it.
        HarnessError: when the part is none of this file.
        OSError: when the part cannot be written.
    """
    failed = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _continue(place, part, size, progress, patience, checked)
            _origin(part).unlink(missing_ok=True)
            return
        except _BrokenOffError as broken:
            after = part.stat().st_size if part.exists() else 0
            failed = 1 if after > before else failed + 1
            if failed >= patience.attempts:
                raise RefusedError(f"{broken} ({failed} attempts)") from None
        pause = patience.pause_seconds * 2 ** (failed - 1)
        time.sleep(pause * random.uniform(0.75, 1.25))


def _continue(
    place: str, part: Path, size: int | None, progress: Progress, patience: Patience, checked: bool
) -> None:
    """Fetch what the part lacks, from where it ends."""
    known = _validator(part, place)
    have = part.stat().st_size if part.exists() and (checked or known) else 0
    with _opened(place, have, known, patience) as (stream, start, total, validator):
        total = total if total is not None else size
        _check_room(part, total, have)
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            _origin(part).write_text(f"{place}\n{validator or ''}", encoding="utf-8")
            done = start
            progress(done, total)
            while piece := _read(stream):
                file.write(piece)
                done += len(piece)
                progress(done, total)
    if total is not None and done < total:
        raise _BrokenOffError(f"the connection closed after {done} of {total} bytes")


def _origin(part: Path) -> Path:
    """Where the part is from, and what stood there for the file's state."""
    return part.with_name(part.name + ".origin")


def _validator(part: Path, place: str) -> str | None:
    with suppress(OSError, ValueError):
        origin, validator = _origin(part).read_text(encoding="utf-8").split("\n")
        return validator or None if origin == place else None
    return None


def _read(stream: io.BufferedIOBase) -> bytes:
    try:
        return stream.read1(PIECE)  # what has come by now, so that a connection that breaks off leaves it
    except http.client.IncompleteRead as broken:
        raise _BrokenOffError(f"the connection broke off ({broken})") from None
    except TimeoutError:
        raise _BrokenOffError("the server stalled") from None
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOffError(f"the connection broke off ({error})") from None


@contextmanager
def _opened(
    place: str, have: int, validator: str | None, patience: Patience
) -> Iterator[tuple[io.BufferedIOBase, int, int | None, str | None]]:
    """The stream, the byte that it starts with, and, where they are known, the bytes of the whole file and
    what tells it from another that may come in its place.

    Args:
        validator: of the file that the bytes here are from; where it has changed, the stream is all of it.
    """
    if not place.startswith(("http://", "https://")):
        with _opened_local(Path(place), have) as (file, start, size):
            yield file, start, size, None
        return
    try:
        request = urllib.request.Request(place, headers={"User-Agent": "offline-rl-harness"})
    except ValueError as error:
        raise RefusedError(f"no URL ({error})") from None
    if have:
        request.add_header("Range", f"bytes={have}-")
        if validator is not None:
            request.add_header("If-Range", validator)
    try:
        response = urllib.request.urlopen(request, timeout=patience.stall_seconds)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:  # nothing lies behind what is here: it is whole, or of another file
                total = _total(error.headers.get("Content-Range"))
                if total == have:
                    yield io.BytesIO(), have, have, validator
                    return
                raise HarnessError("the part of it here is longer than the file") from None
            reason = " ".join(f"the server answered {error.code} {error.reason}".split())
            if error.code in (408, 425, 429) or error.code >= 500:
                raise _BrokenOffError(reason) from None
            raise RefusedError(reason) from None
    except TimeoutError:
        raise _BrokenOffError("the server stalled") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise _BrokenOffError(f"no connection ({reason})") from None
    with response:
        etag, modified = response.headers.get("ETag", ""), response.headers.get("Last-Modified")
        found = etag if etag and not etag.startswith("W/") else modified  # If-Range takes no weak ones
        if response.headers.get_content_type() == "text/html":
            raise RefusedError("the server answered with a web page")
        if response.status == 206:
            content_range = response.headers.get("Content-Range")
            start = _start(content_range, have)
            if start > have:
                raise _BrokenOffError(f"the server sent from byte {start} on, where {have} was asked for")
            yield response, start, _total(content_range), found or validator
        else:
            length = response.headers.get("Content-Length")
            yield response, 0, int(length) if length is not None and length.isdigit() else None, found


@contextmanager
def _opened_local(path: Path, have: int) -> Iterator[tuple[io.BufferedIOBase, int, int]]:
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except OSError as error:
        raise RefusedError(f"{error.strerror}") from None
    with file:
        start = have if have <= size else 0
        file.seek(start)
        yield file, start, size


def _start(content_range: str | None, asked: int) -> int:
    with suppress(AttributeError, ValueError, IndexError):
        return int(content_range.split()[1].split("-")[0])  # type: ignore[union-attr]
    return asked


def _total(content_range: str | None) -> int | None:
    tail = (content_range or "").rpartition("/")[2]
    return int(tail) if tail.isdigit() else None


def _check_room(part: Path, total: int | None, have: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - have + SPARE_BYTES > free:
        raise OSError(errno.ENOSPC, f"{total - have} bytes are still to come, {free} are free")
