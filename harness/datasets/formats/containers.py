"""Opens files of several container formats as plain Python values and arrays."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, BinaryIO

import h5py
import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from harness.datasets.formats import unpickling
from harness.datasets.formats.columns import Source
from harness.datasets.hdf5 import readable

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZIP_SIGNATURE = b"PK\x03\x04"
TORCH_MAGIC = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
"""The first bytes of torch files in the format before zip archives: a pickled number."""
OTHERS = {
    b"\x1f\x8b": "compressed with gzip; decompress it first",
    b"BZh": "compressed with bzip2; decompress it first",
    b"\xfd7zXZ": "compressed with xz; decompress it first",
    b"\x93NUMPY": "a single numpy array; save all arrays in one file with numpy.savez",
    b"<": "a web page, such as a download that saved an error page; download it again",
    b"": "not HDF5, npz, a pickle or torch-saved; save its arrays with numpy.savez (docs/import-data.md)",
}
"""What other files are, by their first bytes."""


@contextmanager
def opened(source: Source) -> Iterator[object]:
    """Open a file as nested mappings, lists and tuples of arrays; those of HDF5 are read on use.

    Errors while the block reads from it become a `HarnessError`, too.
    """
    if not source.path.is_file():
        raise source.error("is not a file" if source.path.exists() else "no such file")
    with readable(source.path), source.path.open("rb") as file:
        head = file.read(512)
        file.seek(0)
        if head.startswith(HDF5_SIGNATURE):
            with h5py.File(source.path, "r", locking="best-effort") as root:
                yield root
        elif head.startswith(ZIP_SIGNATURE):
            yield _archive(file, source)
        elif TORCH_MAGIC in head[:16]:
            yield _torch(file, source)
        elif head[:1] in (b"\x80", b"(", b"]", b"}", b"c"):
            yield _pickle(file, source)
        else:
            found = next(what for start, what in OTHERS.items() if head.lstrip().startswith(start))
            raise source.error(f"is {found if head else 'empty'}")


def _archive(file: BinaryIO, source: Source) -> object:
    """Read an npz file, or a torch file, which is another zip archive."""
    names = zipfile.ZipFile(file).namelist()
    file.seek(0)
    if any(name.endswith("/data.pkl") for name in names):
        return _torch(file, source)
    if "policy.pth" in names:
        raise source.error("is an agent, not its data; harness data collect --policy FILE collects that")
    if not any(name.endswith(".npy") for name in names):
        raise source.error(f"the zip archive contains {', '.join(names[:5])}, not numpy arrays")
    with np.load(file, allow_pickle=False) as archive:
        return {name: _member(archive, name) for name in archive.files}


def _member(archive: NpzFile, name: str) -> NDArray[Any]:
    """Return an array; one of objects, which numpy pickles, is not read."""
    try:
        array: NDArray[Any] = archive[name]
    except ValueError:
        return np.empty(0, object)
    return array


def _pickle(file: BinaryIO, source: Source) -> object:
    try:
        return unpickling.load(file)
    except pickle.UnpicklingError as error:
        raise source.error(_pickle_problem(str(error))) from None


def _pickle_problem(reason: str) -> str:
    if not reason.startswith("it contains "):
        return f"is damaged ({reason}); download or create it again"
    return (
        f"cannot be read safely: {reason}, and only plain values and numpy arrays are read from pickles; "
        "save its arrays with numpy.savez"
    )


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
        raise source.error(_pickle_problem(f"it contains {foreign[1]}")) from None


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
