"""Opens files of several container formats as plain Python values and arrays."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, BinaryIO

import h5py
import numpy as np
from numpy.typing import NDArray

from harness.datasets.formats import unpickling
from harness.datasets.formats.columns import Source
from harness.errors import HarnessError, one_line

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZIP_SIGNATURE = b"PK\x03\x04"
TORCH_MAGIC = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
"""The first bytes of torch files in the format before zip archives: a pickled number."""
LARGEST_COMPRESSION = 1100
"""The highest ratio of deflate is 1032 to 1; a file that declares more values is incomplete."""
OTHERS = {
    b"\x1f\x8b": "compressed with gzip; decompress it first",
    b"BZh": "compressed with bzip2; decompress it first",
    b"\xfd7zXZ": "compressed with xz; decompress it first",
    b"\x93NUMPY": "a single numpy array; save all arrays in one file with numpy.savez",
    b"<": "a web page, such as a download that saved an error page; download it again",
}


@dataclass
class NpzArray:
    """One array of an npz file, of which only the header has been read."""

    archive: zipfile.ZipFile
    name: str

    def __post_init__(self) -> None:
        with self.archive.open(self.name) as file:
            version = np.lib.format.read_magic(file)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            self.shape, _, self.dtype = read(file)

    def __getitem__(self, _: tuple[()]) -> NDArray[Any]:
        with self.archive.open(self.name) as file:
            return np.lib.format.read_array(file, allow_pickle=False)


@contextmanager
def opened(source: Source) -> Iterator[object]:
    """Open a file as nested dictionaries, lists and tuples of arrays, which are read on use.

    Raises:
        HarnessError: if the file is missing, damaged, or not in a known container; also for errors while the
            block reads from it.
    """
    if not source.path.is_file():
        raise source.error("is not a file" if source.path.exists() else "no such file")
    try:
        with source.path.open("rb") as file, _content(file, source) as content:
            yield content
    except HarnessError:
        raise
    except BlockingIOError:
        raise source.error("another process is writing it; try again when it is done") from None
    except MemoryError:
        raise source.error("declares more data than fits into this machine's memory") from None
    except Exception as error:  # zlib, pickle, numpy and HDF5 raise various exceptions for damaged files
        raise source.error(f"is damaged ({one_line(error)}); download or create it again") from None


@contextmanager
def _content(file: BinaryIO, source: Source) -> Iterator[object]:
    head = file.read(512)
    file.seek(0)
    if head.startswith(HDF5_SIGNATURE):
        with h5py.File(source.path, "r", locking="best-effort") as root:
            yield _tree(root, source)
    elif head.startswith(ZIP_SIGNATURE):
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
        file.seek(0)
        if any(name.endswith("/data.pkl") for name in names):
            yield _torch(file, source)
        elif any(name.endswith(".npy") for name in names):
            with zipfile.ZipFile(file) as archive:
                members = [name for name in names if name.endswith(".npy")]
                yield {name.removesuffix(".npy"): NpzArray(archive, name) for name in members}
        else:
            raise source.error(f"the zip archive contains {', '.join(names[:5])}, not numpy arrays")
    elif TORCH_MAGIC in head[:16]:
        yield _torch(file, source)
    elif head[:1] == b"\x80" or head[:1] in (b"(", b"]", b"}", b"c"):
        try:
            content = unpickling.load(file)
        except pickle.UnpicklingError as error:
            raise source.error(_refusal(str(error))) from None
        yield content
    else:
        start = next((start for start in OTHERS if head.lstrip().startswith(start)), None)
        unknown = "neither HDF5, npz, a pickle nor torch-saved" if head else "empty"
        what = OTHERS[start] if start else unknown
        raise source.error(f"is {what}")


def _refusal(reason: str) -> str:
    if not reason.startswith("it contains "):
        return f"is damaged ({reason}); download or create it again"
    return (
        f"cannot be read safely: {reason}, and only plain values and numpy arrays are read from pickles; "
        "save its arrays with numpy.savez"
    )


def _tree(group: h5py.Group, source: Source) -> dict[str, Any]:
    """Return the arrays of a group; they are read later.

    Raises:
        HarnessError: for arrays that are in other files or incomplete.
    """
    tree: dict[str, Any] = {}
    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
            raise source.error(f"{name} is in another file; copy its values into this one")
        item = group[name]
        if isinstance(item, h5py.Group):
            tree[name] = _tree(item, source)
            continue
        if item.shape is None:
            continue
        if item.external or item.is_virtual:
            raise source.error(f"{item.name} is in another file; copy its values into this one")
        if item.nbytes > LARGEST_COMPRESSION * source.path.stat().st_size:
            raise source.error(f"{item.name} is incomplete (parts of it were never written)")
        tree[name] = item
    return tree


def _torch(file: BinaryIO, source: Source) -> object:
    import torch

    try:
        with torch.serialization.safe_globals(_numpy_types()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _without_tensors(torch.load(file, map_location="cpu", weights_only=True))
    except Exception as error:  # weights_only raises various exceptions
        foreign = re.search(r"GLOBAL (\S+)", str(error))
        if foreign is None:
            raise
        raise source.error(_refusal(f"it contains {foreign[1]}")) from None


def _without_tensors(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_tensors(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_tensors(item) for item in value]
    if not hasattr(value, "detach"):
        return value
    value = value.detach()
    return (value.double() if value.is_floating_point() else value).numpy()  # numpy has no bfloat16


def _numpy_types() -> list[Any]:
    """Return the types in pickled numpy arrays and numbers, under the names of numpy 1 and numpy 2."""
    here = "core" if np.__version__.startswith("1.") else "_core"
    multiarray = import_module(f"numpy.{here}.multiarray")
    dtypes = {type(np.dtype(code)) for code in "?bBhHiIlLqQfde"}
    named = [
        (function, f"numpy.{core}.multiarray.{function.__name__}")
        for function in (multiarray._reconstruct, multiarray.scalar)
        for core in ("core", "_core")
    ]
    return [np.ndarray, np.dtype, *dtypes, *named]
