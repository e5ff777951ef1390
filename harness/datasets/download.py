"""Fetching D4RL's files: resumed, retried, from mirrors, one process at a time, and whole or not at all."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.datasets import files, hdf5
from harness.datasets.registry import RegisteredDataset
from harness.datasets.transfer import PATIENCE, Patience, Progress, RefusedError, transfer
from harness.errors import HarnessError

MIRRORS_VARIABLE = "HARNESS_D4RL_MIRRORS"


def download(
    dataset: RegisteredDataset,
    mirrors: Sequence[str] = (),
    progress: Progress = lambda *_: None,
    patience: Patience = PATIENCE,
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
    checked = dataset.sha256 is not None and not accept
    for place in _places(dataset, mirrors):
        for _ in range(2):  # a part left by another file is found out at the end; then once more from nothing
            resumed = partial_size(path) > 0
            try:
                transfer(place, _part(path), dataset.size, progress, patience, checked)
                digest = _check(dataset, _part(path), accept)
            except RefusedError as refusal:
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
            # Unlike Path's, this is False for what may not be looked at.
            yield str(nested if os.path.exists(nested) else directory / dataset.file)  # noqa: PTH110
    yield url


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
