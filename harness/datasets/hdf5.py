"""Reads files in D4RL's layout: HDF5 with one array for each part of a step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from harness.datasets.episode_marks import DONES, NAMES, TERMINALS
from harness.datasets.layout import FINAL, REQUIRED, VECTORS, check_shapes, checked
from harness.errors import HarnessError, one_line

FETCH_AGAIN = "; download or create it again"


@dataclass(frozen=True)
class D4RLFile:
    """An open file with all required arrays, whose shapes are consistent."""

    path: Path
    arrays: Mapping[str, h5py.Dataset]
    """Observations, actions, rewards, next observations if any, and arrays that mark ends of episodes."""
    attributes: Mapping[str, Any]

    def __len__(self) -> int:
        return int(self.arrays["observations"].shape[0])

    def read(self, names: Iterable[str] | None = None) -> dict[str, NDArray[Any]]:
        """Read all arrays, or those of some names, in the form of `layout.checked`.

        Raises:
            HarnessError: for an array that cannot be read, or that `layout.checked` rejects.
        """
        with readable(self.path):
            stored = {name: self.arrays[name][...] for name in (self.arrays if names is None else names)}
        return checked(stored, self.path)


@contextmanager
def open_file(path: Path) -> Iterator[D4RLFile]:
    """Open a file, which must be HDF5, whole and in D4RL's layout."""
    check_signature(path)
    with readable(path):
        file = h5py.File(path, "r", locking="best-effort")
    with file:
        with readable(path):
            arrays = _arrays(path, file)
            attributes = {key: _plain(value) for key, value in file.attrs.items()}
        yield D4RLFile(path, arrays, attributes)


def check_signature(path: Path) -> None:
    """Check that the file is HDF5 by its signature alone, which is cheap."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except FileNotFoundError:
        raise HarnessError(f"{path}: no such file") from None
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read ({error.strerror})") from None
    if h5py.is_hdf5(path):
        return
    if not head:
        raise HarnessError(f"{path}: is empty{FETCH_AGAIN}")
    if head.lstrip()[:1] == b"<":
        raise HarnessError(f"{path}: is a web page, not HDF5 (the download saved an error page){FETCH_AGAIN}")
    raise HarnessError(f"{path}: is not HDF5; `harness data import` reads other formats")


def _arrays(path: Path, file: h5py.File) -> dict[str, h5py.Dataset]:
    arrays = {
        key: file[key]
        for key in (*VECTORS, FINAL, "rewards", *NAMES)
        if key in file and isinstance(file[key], h5py.Dataset)
    }
    missing = [key for key in REQUIRED if key not in arrays]
    if not missing and arrays.keys().isdisjoint((*TERMINALS, *DONES)):
        missing = ["terminals"]
    if missing:
        found = ", ".join(sorted(str(name) for name in file)[:20]) or "nothing"
        raise HarnessError(
            f"{path}: key {missing[0]} is missing; D4RL's layout needs {', '.join(REQUIRED)} and terminals, "
            f"the file has {found}"
        )
    check_shapes({key: array.shape or () for key, array in arrays.items()}, path)
    for key, array in arrays.items():
        if array.file.filename != file.filename or array.external or array.is_virtual:
            raise HarnessError(f"{path}: {key} is in another file; copy its values into this one")
        check_whole(key, array, path)
    return arrays


def check_whole(key: str, array: h5py.Dataset, path: Path) -> None:
    """Check that all parts of an array were written; HDF5 reads zeros for those that were not."""
    if array.chunks is None:
        whole = array.id.get_storage_size() >= array.nbytes
    else:
        chunks = math.prod(-(-size // chunk) for size, chunk in zip(array.shape, array.chunks, strict=True))
        whole = array.id.get_num_chunks() == chunks
    if not whole:
        raise HarnessError(f"{path}: {key} is incomplete (parts of it were never written){FETCH_AGAIN}")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.item() if isinstance(value, np.generic) else value


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Convert the various exceptions of libraries for damaged files to one-line errors."""
    try:
        yield
    except HarnessError:
        raise
    except MemoryError:
        raise HarnessError(f"{path}: declares more data than fits into this machine's memory") from None
    except BlockingIOError:
        raise HarnessError(f"{path}: another process is writing it; try again when it is done") from None
    except Exception as error:
        raise HarnessError(f"{path}: is damaged ({one_line(error)}){FETCH_AGAIN}") from None
