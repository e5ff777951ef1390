"""The pieces that an HDF5 array is stored in, decompressed by several threads at once.

HDF5 decompresses one piece after the other and copies each a second time; most of reading a dataset is that.
Arrays stored in another way than D4RL's (deflate, with or without shuffle) go through HDF5 itself.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

ROWS_AT_ONCE = 65_536
DEFLATE, SHUFFLE = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE


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
        self.filters = _filters(array)
        self.dtype, self.chunks = array.dtype, array.chunks
        self.height, self.width = (*array.shape, 1)[:2]
        self.decoded_here = self.filters in ((DEFLATE,), (SHUFFLE, DEFLATE))
        self.starts: dict[int, list[Stored]] = (
            self._pieces() if self.decoded_here else {row: [] for row in range(0, len(array), ROWS_AT_ONCE)}
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
            raw = self._decompress(os.pread(self.file, piece.bytes, piece.at), rows * columns)
            last = min(piece.column + columns, self.width)
            block[:, piece.column : last] = raw.reshape(rows, columns)[: len(block), : last - piece.column]
        return block

    def _pieces(self) -> dict[int, list[Stored]]:
        found: dict[tuple[int, ...], Stored] = {}

        def add(stored: Any) -> None:
            offset = stored.chunk_offset
            if stored.filter_mask or any(at % size for at, size in zip(offset, self.chunks, strict=True)):
                raise ValueError("its pieces are not stored as the file says")
            found[offset] = Stored(offset[1] if len(offset) > 1 else 0, stored.byte_offset, stored.size)

        self.array.id.chunk_iter(add)
        sizes = zip(self.array.shape, self.chunks, strict=True)
        if len(found) != math.prod(-(-size // chunk) for size, chunk in sizes):
            raise ValueError("some of its pieces are missing")
        blocks: dict[int, list[Stored]] = {}
        for offset, stored in found.items():
            blocks.setdefault(offset[0], []).append(stored)
        return blocks

    def _decompress(self, stored: bytes, count: int) -> NDArray[Any]:
        expected = count * self.dtype.itemsize
        inflate = isal_zlib.decompressobj()
        content: bytes | NDArray[np.uint8] = inflate.decompress(stored, expected + 1)
        if len(content) != expected or not inflate.eof:
            raise ValueError("a piece has another size than the file says")
        if SHUFFLE in self.filters and self.dtype.itemsize > 1:
            joined = np.empty((count, self.dtype.itemsize), np.uint8)
            for place, part in enumerate(np.frombuffer(content, np.uint8).reshape(-1, count)):
                joined[:, place] = part
            content = joined
        return np.frombuffer(content, self.dtype)


def _filters(array: h5py.Dataset) -> tuple[int, ...]:
    properties = array.id.get_create_plist()
    return tuple(properties.get_filter(number)[0] for number in range(properties.get_nfilters()))
