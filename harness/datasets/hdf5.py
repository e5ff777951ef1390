"""Reading files in D4RL's layout, with every damage that they may have named in one line."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np
from numpy.typing import NDArray

from harness.datasets.chunks import LZF, UNDO, Blocks, extents, filters, has_checksums
from harness.errors import HarnessError
from harness.machine import cores

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
REQUIRED = ("observations", "actions", "rewards", "terminals")
OPTIONAL = ("timeouts", "next_observations")
CHUNK_CACHE = 64 * 2**20
THREADS = 8
SHARES_EACH = 4
FETCH_AGAIN = "; delete it and fetch it again"
LARGEST_COMPRESSION = 1100  # deflate reaches 1032 to 1


@dataclass(frozen=True)
class D4RLFile:
    """An open file whose arrays have been found to exist, to fit each other and to be whole."""

    path: Path
    arrays: Mapping[str, h5py.Dataset]
    attributes: Mapping[str, Any]

    def __len__(self) -> int:
        return int(self.arrays["observations"].shape[0])

    @property
    def observation_size(self) -> int:
        return int(self.arrays["observations"].shape[1])

    @property
    def action_size(self) -> int:
        return int(self.arrays["actions"].shape[1])

    @property
    def checksummed(self) -> bool:
        """Whether damage to any of its values shows."""
        return all(has_checksums(array) for array in self.arrays.values())

    def read(self, key: str) -> NDArray[np.float32]:
        """The array [N] or [N, size] as float32.

        Raises:
            HarnessError: for values that are not finite, or that cannot be read.
        """

        def check(start: int, block: NDArray[np.float32]) -> None:
            if not np.isfinite(block).all():
                row = start + int(np.argwhere(~np.isfinite(block))[0][0])
                raise HarnessError(
                    f"{self.path}: {key} has NaN or infinite values, the first in row {row}; mend the file"
                )

        return self._each_block(key, check)

    def count_non_finite(self, key: str) -> int:
        counts: list[int] = []
        self._each_block(key, lambda _, block: counts.append(int((~np.isfinite(block)).sum())))
        return sum(counts)

    def flags(self, key: str) -> NDArray[np.bool_]:
        """[N]; all False where the file has no such key."""
        if key not in self.arrays:
            return np.zeros(len(self), np.bool_)
        flags: NDArray[np.bool_] = self.read(key) != 0
        return flags

    def _each_block(self, key: str, check: Callable[[int, NDArray[np.float32]], None]) -> NDArray[np.float32]:
        """Read an array, several blocks of rows at once, and call `check(first row, values)` on each."""
        array = self.arrays[key]
        flat = key in ("rewards", "terminals", "timeouts")
        with one_line(self.path), closing(Blocks(self.path, array)) as blocks:
            values = np.empty((blocks.height, blocks.width), np.float32)

            def work(start: int) -> None:
                with np.errstate(over="ignore", invalid="ignore"):
                    check(start, blocks.read(start, values))

            each(work, blocks.starts, at_once=blocks.decoded_here)
        return values[:, 0] if flat else values


def each(work: Callable[[int], None], starts: Iterable[int], at_once: bool = True) -> None:
    """Call `work` with every start, on all cores where `at_once`; the first one that fails is raised."""
    starts = sorted(starts)
    threads = min(THREADS, cores()) if at_once else 1
    share = -(-len(starts) // (threads * SHARES_EACH)) or 1  # few, for handing one out takes time too

    def work_through(first: int) -> None:
        for start in starts[first : first + share]:
            work(start)

    with ThreadPoolExecutor(threads) as pool:
        deque(pool.map(work_through, range(0, len(starts), share)), maxlen=0)


@contextmanager
def open_file(path: Path) -> Iterator[D4RLFile]:
    """
    Raises:
        HarnessError: for a file that is missing, no HDF5, damaged, or not in D4RL's layout.
    """
    check_signature(path)
    with one_line(path):
        file = h5py.File(path, "r", rdcc_nbytes=CHUNK_CACHE, locking="best-effort")
    with file:
        with one_line(path):
            arrays = _arrays(path, file)
            attributes = {key: _plain(value) for key, value in file.attrs.items()}
        yield D4RLFile(path, arrays, attributes)


def check_signature(path: Path) -> None:
    """Whether the file's first bytes are those of HDF5; cheap.

    Raises:
        HarnessError: naming what the file is instead.
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
            behind = _user_block(file, path.stat().st_size)
    except FileNotFoundError:
        raise HarnessError(f"{path}: no such file") from None
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read ({error.strerror})") from None
    if head.startswith(HDF5_SIGNATURE):
        return
    if behind:
        raise HarnessError(
            f"{path}: has a block of {behind} bytes before its HDF5, as MATLAB's files do, "
            "which is not read; copy its arrays into a file without one"
        )
    if not head:
        raise HarnessError(f"{path}: is empty{FETCH_AGAIN}")
    if head.lstrip()[:1] == b"<":
        raise HarnessError(
            f"{path}: is a web page, not HDF5 (a download that saved an error page){FETCH_AGAIN}"
        )
    raise HarnessError(f"{path}: is not HDF5")


def _user_block(file: BinaryIO, size: int) -> int:
    """The bytes before the HDF5 signature, which is at 0, 512, 1024, 2048 and so on."""
    at = 512
    while at < size:
        file.seek(at)
        if file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE:
            return at
        at *= 2
    return 0


def _arrays(path: Path, file: h5py.File) -> dict[str, h5py.Dataset]:
    arrays = {}
    if len(set(file)) != len(file):
        raise HarnessError(f"{path}: is damaged (two arrays have one name){FETCH_AGAIN}")
    for key in (*REQUIRED, *OPTIONAL):
        array = file.get(key)
        if array is None and key in OPTIONAL:
            continue
        if not isinstance(array, h5py.Dataset):
            found = ", ".join(sorted(str(name) for name in file)[:20]) or "nothing"
            raise HarnessError(
                f"{path}: key {key} is missing; D4RL's layout needs {', '.join(REQUIRED)}, "
                f"the file has {found}"
            )
        if array.file.filename != file.filename or array.external or array.is_virtual:
            raise HarnessError(f"{path}: {key} lies in another file; write its values into this one")
        _check_array(path, key, array)
        arrays[key] = array
    count = len(arrays["observations"])
    for key, array in arrays.items():
        if len(array) != count:
            raise HarnessError(
                f"{path}: {key} has {len(array)} rows, observations {count}; they must be equal"
            )
    if "next_observations" in arrays and arrays["next_observations"].shape != arrays["observations"].shape:
        raise HarnessError(
            f"{path}: next_observations has shape {arrays['next_observations'].shape}, "
            f"observations {arrays['observations'].shape}; they must be equal"
        )
    if count < 2:
        raise HarnessError(f"{path}: has {count} steps; a dataset needs two at least")
    _check_apart(path, arrays)
    return arrays


def _check_apart(path: Path, arrays: Mapping[str, h5py.Dataset]) -> None:
    """What leads to the values has no checksum in most files; led astray, it meets what belongs to others."""
    alone = {h5py.h5o.get_info(array.id).addr: (key, array) for key, array in arrays.items()}
    places = [(at, size, key) for key, array in alone.values() for at, size in extents(array)]
    for key, array in alone.values():
        header = h5py.h5o.get_info(array.id)
        size = header.hdr.space.total if header.hdr.nchunks == 1 else 1  # others go on elsewhere
        places.append((header.addr, size, f"the header of {key}"))
    places = [*sorted(places), (path.stat().st_size, 0, "the end of the file")]
    for (at, size, key), (following, _, other) in pairwise(places):
        if at + size > following:
            raise HarnessError(f"{path}: is damaged ({key} reaches into {other}){FETCH_AGAIN}")


def _check_array(path: Path, key: str, array: h5py.Dataset) -> None:
    if array.dtype.kind not in "fiub":
        raise HarnessError(f"{path}: {key} holds {array.dtype}, not numbers")
    if array.dtype.kind != "b" and not array.id.get_type().equal(h5py.h5t.py_create(array.dtype)):
        raise HarnessError(f"{path}: {key} holds numbers of an unknown form; fetch or make the file again")
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:  # what one flipped bit makes of floats
        raise HarnessError(
            f"{path}: {key} holds {array.dtype}, which no numbers in D4RL's layout are{FETCH_AGAIN}"
        )
    shape: tuple[int, ...] = array.shape or ()
    if key in ("rewards", "terminals", "timeouts"):
        if not (len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)):
            raise HarnessError(f"{path}: {key} has shape {shape}, not (steps,)")
    elif len(shape) != 2 or shape[1] == 0:
        raise HarnessError(f"{path}: {key} has shape {shape}, not (steps, size)")
    elif array.maxshape[1] not in (None, shape[1]):
        raise HarnessError(f"{path}: {key} has shape {shape}, but was made for {array.maxshape}{FETCH_AGAIN}")
    unknown = set(filters(array)) - {*UNDO, LZF}  # HDF5 crashes on some of its own that are not set up
    if unknown:
        raise HarnessError(
            f"{path}: {key} is stored with HDF5's filter {min(unknown)}; of its filters gzip, shuffle, "
            "fletcher32 and lzf are read: store it with gzip"
        )
    _check_whole(path, key, array)


def _check_whole(path: Path, key: str, array: h5py.Dataset) -> None:
    """HDF5 gives zeros for what was never written, so what is stored is held against what is declared."""
    stored, declared = array.id.get_storage_size(), int(array.nbytes)
    if array.chunks is None:
        whole = stored >= declared
    else:
        chunks = math.prod(-(-size // chunk) for size, chunk in zip(array.shape, array.chunks, strict=True))
        whole = array.id.get_num_chunks() == chunks and stored * LARGEST_COMPRESSION >= declared
    if not whole or stored > path.stat().st_size:
        raise HarnessError(
            f"{path}: {key} is not whole (parts of it were never written); fetch or make it again"
        )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.item() if isinstance(value, np.generic) else value


@contextmanager
def one_line(path: Path) -> Iterator[None]:
    """What HDF5 says of damage, as one line; its library raises whatever its depths find."""
    try:
        yield
    except HarnessError:
        raise
    except MemoryError:
        raise HarnessError(f"{path}: declares more data than this machine's memory holds") from None
    except BlockingIOError:
        raise HarnessError(f"{path}: another process is writing it; try again when it is done") from None
    except Exception as error:
        reason = " ".join(str(error).split())
        what = "is truncated" if "truncated" in reason else "is damaged"
        raise HarnessError(f"{path}: {what} ({reason}){FETCH_AGAIN}") from None
