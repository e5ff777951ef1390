"""Fetching D4RL's files: resumed, retried, from mirrors, one process at a time, and whole or not at all."""

from __future__ import annotations

import http.client
import io
import os
import random
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from harness.datasets import files, hdf5
from harness.datasets.registry import RegisteredDataset
from harness.errors import HarnessError

MIRRORS_VARIABLE = "HARNESS_D4RL_MIRRORS"
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


class _RefusedError(Exception):
    """This place does not have the file; another may."""


class _InterruptedError(Exception):
    """The transfer broke; it may go on."""


def download(
    dataset: RegisteredDataset,
    mirrors: Sequence[str] = (),
    progress: Progress = lambda *_: None,
    patience: Patience = Patience(),
    accept: bool = False,
) -> Path:
    """Fetch the dataset's file unless it is here; what another process has fetched meanwhile is used.

    Args:
        mirrors: base URLs (http, https, file) or directories, tried in this order before those in
            $HARNESS_D4RL_MIRRORS (separated by spaces) and D4RL's own server.
        accept: take a file that is not the published one (its size or SHA-256 differ).

    Raises:
        HarnessError: when no place gave the file, naming what each said; the part that came is kept.
    """
    path = files.local_path(dataset)
    if path.exists() or dataset.url is None:
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.one_at_a_time(path.with_name(f".{path.name}.lock")):
            if not path.exists():
                _fetch(dataset, path, mirrors, progress, patience, accept)
    except OSError as error:
        raise HarnessError(
            f"{path}: cannot be written ({error.strerror or error}); free space there, or name another "
            "directory with D4RL_DATASET_DIR"
        ) from None
    return path


def partial_size(path: Path) -> int:
    """Bytes of an earlier download that was interrupted."""
    part = _part(path)
    return part.stat().st_size if part.exists() else 0


def _fetch(
    dataset: RegisteredDataset,
    path: Path,
    mirrors: Sequence[str],
    progress: Progress,
    patience: Patience,
    accept: bool,
) -> None:
    failures = []
    for place in _places(dataset, mirrors):
        for _ in range(2):  # a part left by another file is found out at the end; then once more from nothing
            resumed = partial_size(path) > 0
            try:
                _transfer(place, _part(path), dataset.size, progress, patience)
                digest = _check(dataset, _part(path), accept)
            except _RefusedError as refusal:
                failures.append(f"{place}: {refusal}")
                break
            except HarnessError as error:
                _part(path).unlink(missing_ok=True)
                if not resumed:
                    what = str(error).removeprefix(f"{_part(path)}: ").removesuffix(hdf5.FETCH_AGAIN)
                    failures.append(f"{place}: {what}")
                    break
            else:
                with _part(path).open("rb") as whole:
                    os.fsync(whole.fileno())
                _part(path).replace(path)
                files.record_digest(path, digest)
                return
    raise HarnessError(
        f"{dataset.name}: could not be downloaded ({'; '.join(failures)}); try later, name a mirror with "
        f"--mirror or {MIRRORS_VARIABLE}, or put the file at {path} yourself"
    )


def _places(dataset: RegisteredDataset, mirrors: Sequence[str]) -> Iterator[str]:
    """A mirror may keep D4RL's folders or all files side by side."""
    url = dataset.url or ""
    folder_and_file = "/".join(url.split("/")[-2:])
    for mirror in (*mirrors, *os.environ.get(MIRRORS_VARIABLE, "").split()):
        if mirror.startswith(("http://", "https://")):
            yield f"{mirror.rstrip('/')}/{folder_and_file}"
            yield f"{mirror.rstrip('/')}/{dataset.file}"
        else:
            directory = Path(urllib.request.url2pathname(mirror.removeprefix("file://"))).expanduser()
            nested = directory / folder_and_file
            yield str(nested if nested.exists() else directory / dataset.file)
    yield url


def _transfer(place: str, part: Path, size: int | None, progress: Progress, patience: Patience) -> None:
    failed = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _continue(place, part, size, progress, patience)
            return
        except _InterruptedError as interruption:
            after = part.stat().st_size if part.exists() else 0
            failed = 1 if after > before else failed + 1
            if failed >= patience.attempts:
                raise _RefusedError(f"{interruption} ({failed} attempts)") from None
        pause = patience.pause_seconds * 2 ** (failed - 1)
        time.sleep(pause * random.uniform(0.75, 1.25))


def _continue(place: str, part: Path, size: int | None, progress: Progress, patience: Patience) -> None:
    """Fetch what the part lacks, from where it ends."""
    have = part.stat().st_size if part.exists() else 0
    with _opened(place, have, patience) as (stream, start, total):
        total = total if total is not None else size
        _check_room(part, total, have)
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            done = start
            progress(done, total)
            while piece := _read(stream):
                file.write(piece)
                done += len(piece)
                progress(done, total)
    if total is not None and done < total:
        raise _InterruptedError(f"the connection closed after {done} of {total} bytes")


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(PIECE)
    except http.client.IncompleteRead as broken:
        raise _InterruptedError(f"the connection broke off ({broken})") from None
    except TimeoutError:
        raise _InterruptedError("the server stalled") from None
    except (OSError, http.client.HTTPException) as error:
        raise _InterruptedError(f"the connection broke off ({error})") from None


@contextmanager
def _opened(place: str, have: int, patience: Patience) -> Iterator[tuple[BinaryIO, int, int | None]]:
    """The stream, the byte that it starts with, and the bytes of the whole file where that is known."""
    if not place.startswith(("http://", "https://")):
        with _opened_local(Path(place), have) as opened:
            yield opened
        return
    request = urllib.request.Request(place, headers={"User-Agent": "offline-rl-harness"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=patience.stall_seconds)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:  # nothing lies behind what is here: it is whole, or of another file
                total = _total(error.headers.get("Content-Range"))
                if total == have:
                    yield io.BytesIO(), have, have
                    return
                raise HarnessError("the part of it here is longer than the file") from None
            reason = f"the server answered {error.code} {error.reason}"
            if error.code in (408, 425, 429) or error.code >= 500:
                raise _InterruptedError(reason) from None
            raise _RefusedError(reason) from None
    except TimeoutError:
        raise _InterruptedError("the server stalled") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _InterruptedError(f"no connection ({getattr(error, 'reason', error)})") from None
    with response:
        if response.status == 206:
            content_range = response.headers.get("Content-Range")
            yield response, _start(content_range, have), _total(content_range)
        else:
            length = response.headers.get("Content-Length")
            yield response, 0, int(length) if length is not None and length.isdigit() else None


@contextmanager
def _opened_local(path: Path, have: int) -> Iterator[tuple[BinaryIO, int, int]]:
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except OSError as error:
        raise _RefusedError(f"{error.strerror}") from None
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
        raise OSError(28, f"{total - have} bytes are still to come, {free} are free")


def _check(dataset: RegisteredDataset, part: Path, accept: bool) -> str:
    """The digest of a download that is what it should be."""
    with hdf5.open_file(part):
        pass
    digest = files.digest_of(part)
    if accept:
        return digest
    size = part.stat().st_size
    if dataset.size is not None and size != dataset.size:
        raise HarnessError(
            f"has {size} bytes, the published file {dataset.size}; --accept takes it all the same"
        )
    if dataset.sha256 is not None and digest != dataset.sha256:
        raise HarnessError(
            f"its SHA-256 is {digest[:12]}…, that of the published file {dataset.sha256[:12]}…; "
            "--accept takes it all the same"
        )
    return digest


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")
