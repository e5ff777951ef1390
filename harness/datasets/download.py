"""Downloads the files of datasets from mirrors, one process at a time, and verifies files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import h5py

from harness.datasets import files, hdf5
from harness.datasets.progress import ProgressCallback
from harness.datasets.registry import RegisteredDataset
from harness.datasets.transfer import RejectedError, transfer
from harness.errors import HarnessError

MIRRORS_VARIABLE = "HARNESS_D4RL_MIRRORS"


def download(
    dataset: RegisteredDataset,
    mirrors: Sequence[str] = (),
    progress: ProgressCallback = lambda *_: None,
    accept: bool = False,
) -> Path:
    """Download the dataset's file unless it is here, and return its path.

    Args:
        mirrors: base URLs (http, https, file) or directories, tried in this order before those in
            $HARNESS_D4RL_MIRRORS (separated by spaces) and D4RL's own server.
        accept: keep a file whose SHA-256 (or size, where no SHA-256 is known) is not the published one.

    Raises:
        HarnessError: if no URL has the file; it gives the reason for each.
    """

    def reject_larger(done: int, total: int | None) -> None:
        """Stop before the rest of a file arrives that is larger than the published one."""
        if not accept and dataset.size is not None and max(done, total or 0) > dataset.size:
            raise RejectedError(
                f"the file is larger than the published {dataset.size} bytes; --accept takes it anyway"
            )
        progress(done, total)

    def check(part: Path, digest: str) -> None:
        if not h5py.is_hdf5(part):
            raise RejectedError("the downloaded file is not HDF5")
        if accept:
            return
        size = part.stat().st_size
        if dataset.sha256 is None and dataset.size not in (None, size):
            raise RejectedError(
                f"has {size} bytes, but {dataset.size} are published; --accept takes it anyway"
            )
        if dataset.sha256 not in (None, digest):
            raise RejectedError(
                f"has SHA-256 {digest[:12]}…, but {dataset.sha256[:12]}… is published; --accept takes it "
                "anyway"
            )

    return fetch(
        dataset.name,
        dataset.local_path,
        _urls(dataset, mirrors),
        check,
        reject_larger,
        variable="D4RL_DATASET_DIR",
        advice=f"name a mirror with {MIRRORS_VARIABLE} (or data download --mirror), ",
    )


def fetch(
    dataset: str,
    path: Path,
    urls: Iterable[str],
    check: Callable[[Path, str], None],
    progress: ProgressCallback,
    variable: str,
    advice: str = "",
) -> Path:
    """Download a file from the first URL that has it, unless it is here, and return its path.

    Args:
        dataset: the name of the dataset in messages.
        check: takes a downloaded file and its SHA-256, and raises `RejectedError` for another file.
        variable: the environment variable that names the directory of `path`.
        advice: what else to try if no URL has the file.
    """
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.one_at_a_time(path.with_name(f".{path.name}.lock")):
            if path.exists():  # another process has downloaded it just now
                return path
            failures = _download(urls, path, check, progress)
    except OSError as error:
        raise HarnessError(
            f"{path}: cannot be written ({error.strerror or error}); free space there, or set "
            f"{variable} to another directory"
        ) from None
    if not path.exists():
        raise HarnessError(
            f"{dataset}: could not be downloaded ({'; '.join(failures)}); try later, {advice}or put the file "
            f"at {path} yourself"
        )
    return path


def _download(
    urls: Iterable[str], path: Path, check: Callable[[Path, str], None], progress: ProgressCallback
) -> list[str]:
    """Download the file from the first URL that has it, and return why the URLs before it do not."""
    part, failures = path.with_name(f"{path.name}.part"), []
    try:
        for url in urls:
            try:
                transfer(url, part, progress)
                digest = files.sha256(part)
                check(part, digest)
            except RejectedError as rejection:
                failures.append(f"{url}: {rejection}")
            else:
                part.replace(path)
                files.record_digest(path, digest)
                break
    finally:
        part.unlink(missing_ok=True)
    return failures


def _urls(dataset: RegisteredDataset, mirrors: Sequence[str]) -> Iterator[str]:
    """Yield the URLs to try; a mirror may have D4RL's folders or all files in one folder."""
    url = dataset.url or ""
    for mirror in (*mirrors, *os.environ.get(MIRRORS_VARIABLE, "").split()):
        base = mirror if "://" in mirror else Path(mirror).expanduser().absolute().as_uri()
        yield f"{base.rstrip('/')}/{'/'.join(url.split('/')[-2:])}"
        yield f"{base.rstrip('/')}/{dataset.file}"
    yield url


def verify(path: Path, dataset: RegisteredDataset | None = None) -> str:
    """Read every value of the file and compare its SHA-256 with the recorded and the published one.

    The checksum of a file without a record is recorded for later, unless it is not the published one. The
    findings are returned as text, or raised as a HarnessError.
    """
    with hdf5.open_file(path) as file:
        file.read()
        whole = f"whole, {len(file)} steps"
    digest = files.checked_digest(path)
    files.check_same(path, digest)
    if dataset is not None and dataset.url is None:
        return f"{whole}, comes with this package"
    published = dataset.sha256 if dataset else None
    if published is not None and digest != published:
        raise HarnessError(
            f"{path}: its SHA-256 is {digest[:12]}…, that of the published file {published[:12]}…; move it "
            f"away and download it again, or compare it with its own record: harness data verify {path}"
        )
    known = files.recorded_digest(path) is not None
    recorded = known or files.record_digest(path, digest)
    if published is not None:
        return f"{whole}, the published file"
    if known:
        return f"{whole}, as recorded"
    return f"{whole}, its SHA-256 {'is now' if recorded else 'cannot be'} recorded next to it"
