"""Reads files in D4RL's layout: HDF5 with one array for each part of a step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from harness.datasets.episode_marks import DONES, ENDS, NAMES, TERMINALS
from harness.datasets.layout import FINAL, next_observations
from harness.errors import HarnessError

REQUIRED = ("observations", "actions", "rewards")
VECTORS = ("observations", "actions", "next_observations", FINAL)
FETCH_AGAIN = "; delete it and download it again"
LARGEST_COMPRESSION = 1100  # the highest ratio of deflate is 1032 to 1


@dataclass(frozen=True)
class D4RLFile:
    """An open file with all required arrays, whose shapes are consistent."""

    path: Path
    arrays: Mapping[str, h5py.Dataset]
    """Observations, actions, rewards, next observations if any, and arrays that mark ends of episodes."""
    attributes: Mapping[str, Any]

    def __len__(self) -> int:
        return int(self.arrays["observations"].shape[0])

    @property
    def observation_size(self) -> int:
        """Return S."""
        return int(self.arrays["observations"].shape[1])

    @property
    def action_size(self) -> int:
        """Return A."""
        return int(self.arrays["actions"].shape[1])

    @property
    def checksummed(self) -> bool:
        """Return whether checksums protect all values; deflate has checksums as well."""
        return all(array.fletcher32 or array.compression == "gzip" for array in self.arrays.values())

    def read(self, key: str) -> NDArray[np.float32]:
        """Read the array [N, size], or [N] for rewards and marks, as float32.

        Raises:
            HarnessError: for values that are not finite, or that cannot be read.
        """
        values = self._values(key)
        finite = np.isfinite(values)
        if not finite.all():
            row = int(np.argwhere(~finite)[0][0])
            raise HarnessError(f"{self.path}: {key} has NaN or infinite values, the first in row {row}")
        return values

    def read_next_observations(self, observations: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Read the next observations [N, S], given the file's observations; None if they are not recorded.

        Raises:
            HarnessError: for values that are not finite, cannot be read, or do not fit the episodes.
        """
        if "next_observations" in self.arrays:
            return self.read("next_observations")
        if FINAL not in self.arrays:
            return None
        marks = self.read_marks(("terminals", "timeouts")).values()
        ends = np.any([values.reshape(-1) != 0 for values in marks], axis=0)
        try:
            return next_observations(observations, self.read(FINAL), ends)
        except ValueError as error:
            raise HarnessError(f"{self.path}: {error}") from None

    def read_marks(self, names: tuple[str, ...] = NAMES) -> dict[str, NDArray[Any]]:
        """Read the arrays that mark ends of episodes in their stored form.

        Raises:
            HarnessError: for values that are not finite, or that cannot be read.
        """
        found: dict[str, NDArray[Any]] = {}
        for key in self.arrays:
            if key in names:
                exact = self.arrays[key].dtype.kind in "iub"
                with one_line(self.path):
                    found[key] = self.arrays[key][...] if exact else self.read(key)
        return found

    def count_non_finite(self, key: str) -> int:
        """Return how many values of an array are NaN or infinite."""
        return int((~np.isfinite(self._values(key))).sum())

    def _values(self, key: str) -> NDArray[np.float32]:
        with one_line(self.path), np.errstate(over="ignore"):
            values: NDArray[np.float32] = self.arrays[key][...].astype(np.float32, copy=False)
        return values if key in VECTORS else values.reshape(-1)


@contextmanager
def open_file(path: Path) -> Iterator[D4RLFile]:
    """Open a file in D4RL's layout.

    Raises:
        HarnessError: for a file that is missing, not HDF5, damaged, or not in D4RL's layout.
    """
    check_signature(path)
    with one_line(path):
        file = h5py.File(path, "r", locking="best-effort")
    with file:
        with one_line(path):
            arrays = _arrays(path, file)
            attributes = {key: _plain(value) for key, value in file.attrs.items()}
        yield D4RLFile(path, arrays, attributes)


def check_signature(path: Path) -> None:
    """Check that the file is HDF5 by its signature alone, which is cheap.

    Raises:
        HarnessError: if it is not; it describes the file.
    """
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
        for key in (*VECTORS, "rewards", *NAMES)
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
    for key, array in arrays.items():
        _check_array(path, key, array, file.filename)
    count = len(arrays["observations"])
    for key, array in arrays.items():
        if len(array) != count and key not in (*ENDS, FINAL):
            raise HarnessError(
                f"{path}: {key} has {len(array)} rows, observations {count}; they must be equal"
            )
    if "next_observations" in arrays and arrays["next_observations"].shape != arrays["observations"].shape:
        raise HarnessError(
            f"{path}: next_observations has shape {arrays['next_observations'].shape}, "
            f"observations {arrays['observations'].shape}; they must be equal"
        )
    if count < 2:
        raise HarnessError(f"{path}: has {count} steps; a dataset needs at least two")
    return arrays


def _check_array(path: Path, key: str, array: h5py.Dataset, filename: str) -> None:
    if array.file.filename != filename or array.external or array.is_virtual:
        raise HarnessError(f"{path}: {key} is in another file; copy its values into this one")
    if array.dtype.kind not in "fiub":
        raise HarnessError(f"{path}: {key} has type {array.dtype}, not numbers")
    shape: tuple[int, ...] = array.shape or ()
    if key in VECTORS:
        if len(shape) != 2 or shape[1] == 0:
            raise HarnessError(f"{path}: {key} has shape {shape}, not (steps, size)")
    elif not (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)):
        raise HarnessError(f"{path}: {key} has shape {shape}, not (steps,)")
    _check_whole(path, key, array)


def _check_whole(path: Path, key: str, array: h5py.Dataset) -> None:
    """Compare the stored size with the declared size: HDF5 reads zeros for parts that were never written."""
    stored, declared = array.id.get_storage_size(), int(array.nbytes)
    if array.chunks is None:
        whole = stored >= declared
    else:
        chunks = math.prod(-(-size // chunk) for size, chunk in zip(array.shape, array.chunks, strict=True))
        whole = array.id.get_num_chunks() == chunks and stored * LARGEST_COMPRESSION >= declared
    if not whole or stored > path.stat().st_size:
        raise HarnessError(
            f"{path}: {key} is incomplete (parts of it were never written); download or create it again"
        )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.item() if isinstance(value, np.generic) else value


@contextmanager
def one_line(path: Path) -> Iterator[None]:
    """Convert exceptions of HDF5 to one-line errors."""
    try:
        yield
    except HarnessError:
        raise
    except MemoryError:
        raise HarnessError(f"{path}: declares more data than fits into this machine's memory") from None
    except BlockingIOError:
        raise HarnessError(f"{path}: another process is writing it; try again when it is done") from None
    except Exception as error:
        reason = " ".join(str(error).split())
        what = "is truncated" if "truncated" in reason else "is damaged"
        raise HarnessError(f"{path}: {what} ({reason}){FETCH_AGAIN}") from None
