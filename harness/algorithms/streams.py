"""Random numbers that depend on a seed, the name of a stream and the gradient step, and on nothing else.

A stream is drawn in chunks of `CHUNK` gradient steps, each from a generator seeded by a hash, so that a
run can continue from its step counter alone and no two seeds share random numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

CHUNK = 256
"""Gradient steps drawn at a time."""


def generator(seed: int, stream: str, chunk: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """Make the generator of one chunk of one stream of one seed."""
    return torch.Generator(device).manual_seed(stream_seed(seed, stream, chunk))


def stream_seed(seed: int, stream: str, chunk: int = 0) -> int:
    """Return the seed of a generator: 64 bits of a hash of its seed, stream and chunk."""
    digest = hashlib.sha256(f"{seed}/{stream}/{chunk}".encode()).digest()
    return int.from_bytes(digest[:8], "little")


class Stream:
    """One random stream for each of M seeds.

    `draw(index, generator)` returns the numbers of `chunk` gradient steps for the seed at `index`, a tensor
    [chunk * rows per step, ...].
    """

    def __init__(
        self,
        name: str,
        seeds: Sequence[int],
        device: torch.device,
        draw: Callable[[int, torch.Generator], Tensor],
        chunk: int = CHUNK,
    ) -> None:
        self._name = name
        self._seeds = seeds
        self._device = device
        self._draw = draw
        self.chunk = chunk
        self._chunk = -1
        self._numbers = torch.empty(0)

    def steps(self, first: int, count: int) -> Tensor:
        """Return the numbers of `count` steps from `first`: [M, count * rows per step, ...].

        They must lie within one chunk.
        """
        chunk, offset = divmod(first, self.chunk)
        if chunk != self._chunk:
            self._numbers = torch.stack(
                [
                    self._draw(index, generator(seed, self._name, chunk, self._device))
                    for index, seed in enumerate(self._seeds)
                ]
            )
            self._chunk = chunk
        rows = self._numbers.shape[1] // self.chunk
        return self._numbers[:, offset * rows : (offset + count) * rows]
