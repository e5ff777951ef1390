"""The pieces that an HDF5 array is stored in, decompressed by several threads at once.

HDF5 decompresses one piece after the other and copies each a second time; most of reading a dataset is that.
It also takes some damaged pieces for zeros, or crashes on them. Arrays that are stored in one piece, or with
other filters than deflate, shuffle and Fletcher-32, go through HDF5 itself.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

ROWS_AT_ONCE = 65_536
LZF = h5py.h5z.FILTER_LZF
DEFLATE, SHUFFLE, CHECKSUM = (
    h5py.h5z.FILTER_DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
)


Content: TypeAlias = bytes | NDArray[np.uint8]


class Stored(NamedTuple):
    """A piece as it lies in the file."""

    column: int
    at: int
    bytes: int


class Blocks:
    """An array [N] or [N, n] in blocks of rows, each made of the pieces that lie side by side.

    Raises:
        ValueError: when the pieces do not make up the whole array.
    """

    def __init__(self, path: Path, array: h5py.Dataset) -> None:
        self.array = array
        self.filters = filters(array)
        self.dtype, self.chunks = array.dtype, array.chunks
        self.height, self.width = (*array.shape, 1)[:2]
        self.decoded_here = self.chunks is not None and set(UNDO).issuperset(self.filters)
        pieces = {} if self.chunks is None else self._pieces(path.stat().st_size)
        self.starts: dict[int, list[Stored]] = (
            pieces if self.decoded_here else {row: [] for row in range(0, self.height, ROWS_AT_ONCE)}
        )
        self.file = os.open(path, os.O_RDONLY)

    def close(self) -> None:
        os.close(self.file)

    def read(self, start: int, target: NDArray[Any]) -> NDArray[Any]:
        """Put the block that begins with row `start` into its place in `target` [N, n] (n = 1 for [N]).

        Returns:
            That part of `target`.

        Raises:
            ValueError: for a piece that does not decompress to what was compressed.
        """
        if not self.decoded_here:
            block = target[start : start + ROWS_AT_ONCE]
            block[:] = self.array[start : start + ROWS_AT_ONCE].reshape(block.shape)
            return block
        rows, columns = (*self.chunks, 1)[:2]
        block = target[start : start + rows]
        for piece in self.starts[start]:
            values = self._decoded(piece, rows * columns).reshape(rows, columns)
            last = min(piece.column + columns, self.width)
            block[:, piece.column : last] = values[: len(block), : last - piece.column]
        return block

    def _pieces(self, size: int) -> dict[int, list[Stored]]:
        """By the row that they begin with, found to be all of them, in a file of `size` bytes."""
        found: dict[tuple[int, ...], Stored] = {}

        def add(stored: Any) -> None:
            offset = stored.chunk_offset
            grid = zip(offset, self.chunks, self.array.shape, strict=True)
            misplaced = any(at % chunk or at >= length for at, chunk, length in grid)
            unfiltered = self.decoded_here and stored.filter_mask
            if misplaced or unfiltered or stored.byte_offset + stored.size > size:
                raise ValueError("its pieces are not stored as the file says")
            column = offset[1] if len(offset) > 1 else 0
            found[offset] = Stored(column, stored.byte_offset, stored.size)

        self.array.id.chunk_iter(add)
        sizes = zip(self.array.shape, self.chunks, strict=True)
        if len(found) != math.prod(-(-size // chunk) for size, chunk in sizes):
            raise ValueError("some of its pieces are missing")
        blocks: dict[int, list[Stored]] = {}
        for offset, stored in found.items():
            blocks.setdefault(offset[0], []).append(stored)
        return blocks

    def _decoded(self, piece: Stored, count: int) -> NDArray[Any]:
        content: Content = os.pread(self.file, piece.bytes, piece.at)
        for filter_ in reversed(self.filters):
            content = UNDO[filter_](content, count, self.dtype.itemsize)
        if len(content) != count * self.dtype.itemsize:
            raise ValueError("a piece has another size than the file says")
        return np.frombuffer(content, self.dtype)


def _inflated(content: Content, count: int, size: int) -> bytes:
    inflate = isal_zlib.decompressobj()
    inflated = inflate.decompress(content, count * size + 1)
    if not inflate.eof:
        raise ValueError("a piece is not whole")
    return inflated


def _unshuffled(content: Content, count: int, size: int) -> NDArray[np.uint8]:
    """From all first bytes of `count` numbers, all second ones, and so on, to one number behind the other."""
    numbers = np.empty((count, size), np.uint8)
    for place, part in enumerate(np.frombuffer(content, np.uint8).reshape(size, count)):
        numbers[:, place] = part
    return numbers.reshape(-1)


def _summed(content: Content, count: int, size: int) -> Content:
    """Without the Fletcher-32 sum at the end, which is two sums of big-endian words modulo 65535."""
    content, stored = content[:-4], content[-4:]
    words = np.frombuffer(bytes(content) + b"\0" * (len(content) % 2), ">u2").astype(np.uint64)
    weights = np.arange(len(words), 0, -1, dtype=np.uint64) % 65535
    sums = int(words.sum()) % 65535, int((words * weights).sum()) % 65535
    if len(stored) < 4 or tuple(half % 65535 for half in struct.unpack("<HH", bytes(stored))) != sums:
        raise ValueError("a piece is not what its sum says")
    return content


UNDO: Mapping[int, Callable[[Content, int, int], Content]] = {
    DEFLATE: _inflated,
    SHUFFLE: _unshuffled,
    CHECKSUM: _summed,
}


def extents(array: h5py.Dataset) -> list[tuple[int, int]]:
    """Where in the file its values lie: first byte and number of bytes of each piece."""
    if array.chunks is None:
        at = array.id.get_offset()  # None for values that are in the header itself, or in another file
        return [] if at is None else [(at, array.id.get_storage_size())]
    found: list[tuple[int, int]] = []

    def add(stored: Any) -> None:
        found.append((stored.byte_offset, stored.size))

    array.id.chunk_iter(add)
    return found


def has_checksums(array: h5py.Dataset) -> bool:
    """Deflate brings its own."""
    return not {DEFLATE, CHECKSUM}.isdisjoint(filters(array))


def filters(array: h5py.Dataset) -> tuple[int, ...]:
    properties = array.id.get_create_plist()
    return tuple(properties.get_filter(number)[0] for number in range(properties.get_nfilters()))
