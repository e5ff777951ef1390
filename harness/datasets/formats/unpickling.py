"""Reads pickles of numpy arrays and plain Python values without running any code that they name.

A pickle names functions and classes, and Python's unpickler calls them. Here every name is either mapped to a
function or class of this module or rejected, and arrays are created from their bytes alone. Objects of a few
libraries, such as a replay buffer of stable-baselines3, become an `Opaque` with their attributes.
"""

from __future__ import annotations

import pickle
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

OPAQUE = ("gym", "gymnasium", "numpy.random", "sb3_contrib", "stable_baselines3", "torch")
"""The packages whose objects become an `Opaque`."""
NUMBER = re.compile(r"[?bBhHiIlLqQefdg]|[biuf][1248]")


class Opaque:
    """Replaces an object of a library, which is not imported. Its attributes are in `state`."""

    origin = ""
    """The full name of its class."""

    def __init__(self, *_: object) -> None:
        self.state: Any = {}

    def __setstate__(self, state: object) -> None:
        self.state = state


def load(file: BinaryIO) -> Any:
    """Read a pickle of numbers, text, containers and numpy arrays, of any protocol and either Python.

    Raises:
        pickle.UnpicklingError: if it names any other class or function, or is damaged. Damaged pickles can
            also raise other exceptions.
    """
    content = _Unpickler(file, encoding="latin1").load()
    return list(content) if isinstance(content, np.ndarray) and content.dtype == object else content


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy.core", "numpy._core")  # numpy 1
        known = _KNOWN.get((module, name))
        if known is not None:
            return known
        if any(module == package or module.startswith(f"{package}.") for package in OPAQUE):
            return type(name, (Opaque,), {"origin": f"{module}.{name}"})
        raise pickle.UnpicklingError(f"it contains {module}.{name}")


class _Dtype:
    """A numpy dtype as a pickle describes it, restricted to numbers.

    Attributes of a pickled `numpy.dtype` reach its C structure unchecked, so they are not used to create one.
    """

    def __init__(self, code: str, *_: object) -> None:
        self.code = code
        self.order = "<"

    def __setstate__(self, state: Sequence[Any]) -> None:
        self.order = state[1]

    def numbers(self) -> np.dtype[Any]:
        if not NUMBER.fullmatch(self.code):
            raise pickle.UnpicklingError(f"it contains an array of {self.code}, not of numbers")
        return np.dtype(self.code).newbyteorder(">" if self.order == ">" else "<")


class _Array(np.ndarray[Any, Any]):
    """A numpy array that takes its state only from an array of numbers, or from a list of objects."""

    def __new__(cls, *_: object) -> _Array:
        return super().__new__(cls, 0)

    def __setstate__(self, state: Sequence[Any]) -> None:
        _, shape, dtype, fortran, content = state
        if isinstance(content, list):
            super().__setstate__((1, (len(content),), np.dtype(object), fortran, content))
        else:
            values = _array(content, dtype, shape, "F" if fortran else "C")
            super().__setstate__((1, values.shape, values.dtype, fortran, values.tobytes("A")))


def _array(content: Any, dtype: _Dtype, shape: Any, order: Any = "C") -> NDArray[Any]:
    content = content.encode("latin1") if isinstance(content, str) else content  # Python 2
    return np.frombuffer(content, dtype.numbers()).reshape(shape, order=order)


_KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "scalar"): lambda dtype, content: _array(content, dtype, ())[()],
    ("numpy._core.numeric", "_frombuffer"): _array,
    ("_codecs", "encode"): lambda text, _: text.encode("latin1"),  # with it, protocol 2 writes bytes
    ("__builtin__", "bytes"): lambda: b"",  # protocols 0 to 2 call it only for empty bytes
    ("collections", "OrderedDict"): OrderedDict,
}
