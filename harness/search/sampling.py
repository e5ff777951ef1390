"""Draws the samples of a search, independently of the machine and the versions of numpy and scipy."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from harness.search.search import Value
from harness.search.spaces import Space

Sampling = Literal["sobol", "random"]
BITS = 30
"""The number of bits of each coordinate of a point."""
CELLS: int = 2**BITS
Point = tuple[float, ...]


def draw(
    spaces: Mapping[str, Space], count: int, sampling: Sampling, seed: int, name: str
) -> tuple[dict[str, Value], ...]:
    """Return the values of each sample of an algorithm, by the path of the hyper-parameter.

    A larger count adds samples without changing the first ones; other algorithms do not affect them.
    `sobol`, Sobol's sequence with a digital shift by the seed, covers the space more evenly than `random`.
    """
    if not spaces:
        return ()
    points = _POINTS[sampling](tuple(spaces), count, f"{seed}/{name}")
    return tuple(
        {path: space.value(position) for (path, space), position in zip(spaces.items(), point, strict=True)}
        for point in points
    )


def size(spaces: Mapping[str, Space]) -> int | None:
    """Return how many different samples there are; None if any range is continuous."""
    sizes = [space.size for space in spaces.values()]
    return None if None in sizes else math.prod(number for number in sizes if number is not None)


def sample_name(index: int) -> str:
    """Return the name of the variant of a sample: `td3_bc@s07` is the eighth sample of td3_bc."""
    return f"s{index:02d}"


def _random(paths: Sequence[str], count: int, stream: str) -> Iterator[Point]:
    for index in range(count):
        yield tuple(_fraction(_bits(f"{stream}/{path}/{index}")) for path in paths)


def _sobol(paths: Sequence[str], count: int, stream: str) -> Iterator[Point]:
    from scipy.stats import qmc

    power = math.ceil(math.log2(count))
    points = qmc.Sobol(len(paths), scramble=False, bits=BITS).random_base2(power)[:count]
    shifts = [_bits(f"{stream}/{path}") for path in paths]
    for point in points:
        yield tuple(
            _fraction(int(position * CELLS) ^ shift) for position, shift in zip(point, shifts, strict=True)
        )


_POINTS: dict[Sampling, Callable[[Sequence[str], int, str], Iterator[Point]]] = {
    "sobol": _sobol,
    "random": _random,
}


def _bits(text: str) -> int:
    """Return random bits that depend only on the text, because generators differ between versions."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> (64 - BITS)


def _fraction(bits: int) -> float:
    """Return the midpoint of the cell of [0, 1) with this index."""
    return (bits + 0.5) / CELLS
