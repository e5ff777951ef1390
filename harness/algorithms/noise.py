"""The random numbers that updates draw: one stream for each seed and name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from harness.algorithms.streams import CHUNK, Stream
from harness.errors import HarnessError

MOST_NUMBERS_IN_A_CHUNK = 2**24
Sample = Callable[..., Tensor]
"""`torch.randn` or `torch.rand`."""


class SeedNoise:
    """Streams of noise for M seeds, each created when an update first draws from it.

    `prepare` draws the numbers of several gradient steps at once, so that a captured CUDA graph can take them
    as inputs; `draw` then returns those of one step.
    """

    def __init__(self, seeds: Sequence[int], dtype: torch.dtype, device: torch.device) -> None:
        self._seeds = seeds
        self._dtype = dtype
        self._device = device
        self._streams: dict[str, Stream] = {}
        self._drawn: dict[str, tuple[Sample, tuple[int, ...]]] = {}
        self._prepared: dict[str, Tensor] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The streams that updates have drawn from."""
        return tuple(self._streams)

    def prepare(self, first: int, count: int) -> list[Tensor]:
        """Draw the numbers of `count` gradient steps: [M, count * rows per step, ...] for each stream."""
        return [_of_steps(stream, first, count) for stream in self._streams.values()]

    def use(self, names: Sequence[str], numbers: Sequence[Tensor]) -> None:
        """Set the numbers, as returned by `prepare`, that `draw` takes from."""
        self._prepared = dict(zip(names, numbers, strict=True))

    def draw(self, name: str, shape: tuple[int, ...], sample: Sample, step: int, position: int) -> Tensor:
        """Return the numbers [M, *shape] of the gradient step after `step` others.

        It is the one at `position` among those whose numbers `use` was given.

        Raises:
            HarnessError: when the stream of that name has other numbers.
        """
        rows, *rest = shape or (1,)
        if name not in self._streams:
            self._streams[name] = self._new_stream(name, rows, rest, sample)
            self._drawn[name] = sample, shape
        if self._drawn[name] != (sample, shape):
            raise HarnessError(
                f"random numbers {name!r} were drawn before with another shape or distribution; rename them"
            )
        if name in self._prepared:
            numbers = self._prepared[name].narrow(1, position * rows, rows)
        else:
            numbers = self._streams[name].steps(step, 1)
        return numbers if shape else numbers.squeeze(1)

    def _new_stream(self, name: str, rows: int, rest: Sequence[int], sample: Sample) -> Stream:
        chunk = CHUNK
        while chunk > 1 and chunk * rows * math.prod(rest) > MOST_NUMBERS_IN_A_CHUNK:
            chunk //= 2

        def draw(_: int, generator: torch.Generator) -> Tensor:
            return sample(chunk * rows, *rest, generator=generator, dtype=self._dtype, device=self._device)

        return Stream(f"noise {name}", self._seeds, self._device, draw, chunk)


def _of_steps(stream: Stream, first: int, count: int) -> Tensor:
    """Return the numbers of some steps, which may span several chunks of a stream."""
    size = math.gcd(stream.chunk, first, count)
    parts = [stream.steps(at, size) for at in range(first, first + count, size)]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)
