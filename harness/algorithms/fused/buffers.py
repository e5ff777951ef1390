"""The memory that fused networks work in: inputs, results of hidden layers, and how they are aligned.

Results go to tensors that are kept, since allocating large ones costs a tenth of a step in page faults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

ALIGNMENT = 16
"""Floats in a cache line, at which every tensor begins."""


class InputBatch:
    """Inputs of networks, with the views of them that are needed: made once for memory that stays."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        """[M, B, 1 + in], the first column 1"""
        self._rows = [tensor.select(0, index) for index in range(len(tensor))]
        self._rows_transposed = [row.mT for row in self._rows]

    def for_network(self, index: int) -> tuple[Tensor, Tensor]:
        """Return the inputs of network `index`, and the same transposed."""
        index %= len(self._rows)
        return self._rows[index], self._rows_transposed[index]

    def stacked(self, count: int) -> tuple[Tensor, Tensor]:
        """Return the inputs of `count` networks, and the same transposed."""
        inputs = repeated(self.tensor, count)
        return inputs, inputs.mT


class HiddenBuffers(NamedTuple):
    """Where the results of a hidden layer go, for B rows: [B, hidden] or [K, B, hidden]."""

    outputs: Tensor
    """Later the loss's derivative before ReLU takes their place."""
    next_inputs: Tensor
    """What the layer above takes: the outputs, after a column of ones if biases are one more weight."""
    transposed: Tensor
    """`next_inputs` once more, with its last two dimensions exchanged."""
    scratch: Tensor
    """Shared by all layers and networks with the same buffers."""
    half: HiddenBuffers | None
    """The same in bfloat16, for the products between hidden layers."""


class Workspace(NamedTuple):
    """Where the results of one kernel go, for one size of batch."""

    hidden: list[HiddenBuffers]
    outputs: Tensor


class BufferPool:
    """Tensors shared by networks that work one after the other, so that they stay in the cache."""

    def __init__(self) -> None:
        self._tensors: dict[tuple[object, ...], Tensor] = {}

    def hidden(
        self, like: Tensor, depth: int, shape: tuple[int, ...], *, shared: bool, ones: bool
    ) -> HiddenBuffers:
        """Return buffers for outputs of that shape; `ones` as in `HiddenBuffers.next_inputs`.

        Those that nobody needs later are `shared` by all networks.
        """

        def new_above() -> Tensor:
            return _after_ones(like, shape) if ones else like.new_empty(shape)

        above = self._take((depth, like.dtype, shape, ones), new_above) if shared else new_above()
        outputs = above[..., 1:] if ones else above
        scratch = self._take((like.dtype, shape), lambda: like.new_empty(shape))
        return HiddenBuffers(outputs, above, above.mT, scratch, half=None)

    def _take(self, name: tuple[object, ...], new: Callable[[], Tensor]) -> Tensor:
        if name not in self._tensors:
            self._tensors[name] = new()
        return self._tensors[name]


def repeated(batch: Tensor, count: int) -> Tensor:
    """Return [M, B, n] repeated to [count, B, n], with rows as far apart as the batch's."""
    times = count // batch.shape[0]
    if times == 1:
        return batch
    room = batch.new_empty(times, *batch.shape[:-1], batch.stride(-2))[..., : batch.shape[-1]]
    return room.copy_(batch).flatten(0, 1)


def aligned(count: int) -> int:
    """Round a number of columns up so that every row begins where a GPU can load several numbers at once."""
    return -(-count // ALIGNMENT) * ALIGNMENT


def aligned_rows(*shape: int, device: torch.device) -> Tensor:
    """Return ones whose rows begin where a GPU can load four numbers at once."""
    return torch.ones(*shape[:-1], -(-shape[-1] // 4) * 4, device=device)[..., : shape[-1]]


def _after_ones(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return [..., 1 + columns] whose first column is 1 and whose others are aligned."""
    rows = like.new_zeros(*shape[:-1], ALIGNMENT + aligned(shape[-1]))
    rows[..., ALIGNMENT - 1] = 1
    return rows[..., ALIGNMENT - 1 : ALIGNMENT + shape[-1]]
