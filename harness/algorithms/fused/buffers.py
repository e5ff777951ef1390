"""The memory of fused networks: inputs, outputs of hidden layers, and their alignment.

Results go to tensors that are reused: allocating large ones costs a tenth of a step in page faults.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

ALIGNMENT = 16
"""Floats in a cache line; every tensor begins at a multiple of it."""


class InputBatch:
    """Inputs of networks, and the views of them that kernels need, created once for memory that is reused."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        """[M, B, 1 + in]; the first column is 1."""
        self._rows = [tensor.select(0, index) for index in range(len(tensor))]
        self._rows_transposed = [row.mT for row in self._rows]

    def for_network(self, index: int) -> tuple[Tensor, Tensor]:
        """Return the inputs of network `index`, and their transpose."""
        index %= len(self._rows)
        return self._rows[index], self._rows_transposed[index]

    def stacked(self, count: int) -> tuple[Tensor, Tensor]:
        """Return the inputs of `count` networks, and their transpose."""
        inputs = repeated(self.tensor, count)
        return inputs, inputs.mT


class HiddenBuffers(NamedTuple):
    """Buffers for the results of a hidden layer with B rows: [B, hidden] or [K, B, hidden]."""

    outputs: Tensor
    """The backward pass overwrites them with the derivative of the loss before ReLU."""
    next_inputs: Tensor
    """Inputs of the layer above: the outputs, preceded by a column of ones if the biases are a weight row."""
    transposed: Tensor
    """`next_inputs` with its last two dimensions transposed."""
    scratch: Tensor
    """Shared by all layers and networks with the same buffers."""
    half: HiddenBuffers | None
    """The same in bfloat16, for the products between hidden layers."""


class Workspace(NamedTuple):
    """Buffers for the results of one kernel, for one batch size."""

    hidden: list[HiddenBuffers]
    outputs: Tensor


class BufferPool:
    """Tensors shared by networks that run one after the other, so that they stay in the cache."""

    def __init__(self) -> None:
        self._tensors: dict[tuple[object, ...], Tensor] = {}

    def hidden(
        self, like: Tensor, depth: int, shape: tuple[int, ...], *, shared: bool, ones: bool
    ) -> HiddenBuffers:
        """Return buffers for outputs of that shape; `ones` as in `HiddenBuffers.next_inputs`.

        Buffers that are not needed later are `shared` by all networks.
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
    """Return [M, B, n] repeated to [count, B, n], with the row stride of the batch."""
    times = count // batch.shape[0]
    if times == 1:
        return batch
    room = batch.new_empty(times, *batch.shape[:-1], batch.stride(-2))[..., : batch.shape[-1]]
    return room.copy_(batch).flatten(0, 1)


def aligned(count: int) -> int:
    """Round a number of columns up so that every row begins at an address that a GPU loads efficiently."""
    return -(-count // ALIGNMENT) * ALIGNMENT


def aligned_rows(*shape: int, device: torch.device) -> Tensor:
    """Return ones whose rows begin at addresses from which a GPU loads four numbers at once."""
    return torch.ones(*shape[:-1], -(-shape[-1] // 4) * 4, device=device)[..., : shape[-1]]


def _after_ones(like: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return [..., 1 + columns] whose first column is 1 and whose other columns are aligned."""
    rows = like.new_zeros(*shape[:-1], ALIGNMENT + aligned(shape[-1]))
    rows[..., ALIGNMENT - 1] = 1
    return rows[..., ALIGNMENT - 1 : ALIGNMENT + shape[-1]]
