"""Downloads D4RL's files from mirrors, one process at a time, and checks them before use."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from harness.datasets import files, hdf5
from harness.datasets.registry import RegisteredDataset
from harness.datasets.transfer import ProgressCallback, RefusedError, RetryPolicy, transfer
from harness.errors import HarnessError

MIRRORS_VARIABLE = "HARNESS_D4RL_MIRRORS"


def download(
    dataset: RegisteredDataset,
    mirrors: Sequence[str] = (),
    progress: ProgressCallback = lambda *_: None,
    policy: RetryPolicy = RetryPolicy(),  # noqa: B008  # immutable
    accept: bool = False,
) -> Path:
    """Download the dataset's file unless it is here, or another process has just downloaded it.

    Args:
        mirrors: base URLs (http, https, file) or directories, tried in this order before those in
            $HARNESS_D4RL_MIRRORS (separated by spaces) and D4RL's own server.
        accept: keep a file whose size or SHA-256 is not the published one.

    Raises:
        HarnessError: if no place has the file; it names each place's answer.
    """
    path = files.local_path(dataset)
    if path.exists() or dataset.url is None:
        return path

    def receive(place: str, part: Path) -> str:
        return _from_place(dataset, place, part, progress, policy, accept)

    places = _places(dataset, mirrors)
    advice = f"name a mirror with {MIRRORS_VARIABLE} (or data download --mirror)"
    return fetch(dataset.name, path, places, receive, "D4RL_DATASET_DIR", [advice])


def fetch(
    name: str,
    path: Path,
    places: Iterable[str],
    receive: Callable[[str, Path], str],
    variable: str,
    advice: Sequence[str] = (),
) -> Path:
    """Download a file from the first place that has it, unless another process has just done so.

    Args:
        name: the name of the dataset in messages.
        path: the destination.
        places: URLs and paths, tried in order.
        receive: copies the file at a place to a path and returns its SHA-256, or raises `RefusedError`.
        variable: the environment variable that names the directory of `path`.
        advice: what else to try if no place has it.

    Raises:
        HarnessError: when no place has the file, or `path` cannot be written.
    """
    part, failures = path.with_name(path.name + ".part"), []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.one_at_a_time(path.with_name(f".{path.name}.lock")):
            if path.exists():
                return path
            try:
                for place in places:
                    try:
                        digest = receive(place, part)
                    except RefusedError as refusal:
                        failures.append(f"{place}: {refusal}")
                        continue
                    with part.open("rb") as whole:
                        os.fsync(whole.fileno())
                    part.replace(path)
                    files.record_digest(path, digest)
                    return path
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise HarnessError(
            f"{path}: cannot be written ({error.strerror or error}); free space there, or set "
            f"{variable} to another directory"
        ) from None
    remedies = ", ".join(["try later", *advice, f"or put the file at {path} yourself"])
    raise HarnessError(f"{name}: could not be downloaded ({'; '.join(failures)}); {remedies}")


def _from_place(
    dataset: RegisteredDataset,
    place: str,
    part: Path,
    progress: ProgressCallback,
    policy: RetryPolicy,
    accept: bool,
) -> str:
    """Download the file from one place and return its SHA-256."""
    transfer(place, part, None if accept else dataset.size, progress, policy)
    try:
        return _check(dataset, part, accept)
    except HarnessError as error:
        reason = str(error).removeprefix(f"{part}: ").removesuffix(hdf5.FETCH_AGAIN)
        raise RefusedError(reason) from None


def _places(dataset: RegisteredDataset, mirrors: Sequence[str]) -> Iterator[str]:
    """Return the places to try; a mirror may have D4RL's folders or all files in one folder."""
    url = dataset.url or ""
    folder_and_file = "/".join(url.split("/")[-2:])
    for mirror in (*mirrors, *os.environ.get(MIRRORS_VARIABLE, "").split()):
        if mirror.startswith(("http://", "https://")):
            yield f"{mirror.rstrip('/')}/{folder_and_file}"
            yield f"{mirror.rstrip('/')}/{dataset.file}"
        else:
            directory = Path(urllib.request.url2pathname(mirror.removeprefix("file://"))).expanduser()
            nested = directory / folder_and_file
            # Unlike Path's, this is False without permission.
            yield str(nested if os.path.exists(nested) else directory / dataset.file)  # noqa: PTH110
    yield url


def _check(dataset: RegisteredDataset, part: Path, accept: bool) -> str:
    """Return the SHA-256 of a download that is HDF5 and, unless `accept`, the published file."""
    with hdf5.open_file(part):
        pass
    digest = files.digest_of(part)
    if not accept and dataset.sha256 not in (None, digest):
        raise HarnessError(
            f"has SHA-256 {digest[:12]}…, but {dataset.sha256[:12]}… is published; --accept takes it anyway"
        )
    return digest
