"""Stacks of multi-layer perceptrons with hand-written derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from harness.algorithms.fused.buffers import (
    ALIGNMENT,
    BufferPool,
    HiddenBuffers,
    InputBatch,
    Workspace,
    aligned,
    repeated,
)
from harness.algorithms.fused.kernels import Bf16MLPKernel, MLPKernel


class MLPs:
    """K perceptrons of equal shape with ReLU between their layers, computed side by side.

    `parameters` is [K, P], one network per row, so that an optimiser, a target update or a norm is one
    operation. A layer is its biases followed by its weights, [1 + in, out]. The last layer is stored as
    [out, 1 + in]: a product with few columns is three times as fast that way.
    K is a multiple of the M batches of the inputs: network k takes the batch k mod M.

    Args:
        sizes: of the inputs, the hidden layers and the outputs.
        parameters: [K, P], as `zeros` returns them.
        bound: if given, the outputs are bound * tanh(last layer).
        stacked: whether a layer of all K networks is one batched product, which suits a GPU, or each network
            is computed separately, which suits a CPU's cache.
        half: whether products between hidden layers are in bfloat16; all else has the parameters' precision.
        buffers: memory to share with other networks.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        parameters: Tensor,
        *,
        bound: float | None = None,
        stacked: bool = False,
        half: bool = False,
        buffers: BufferPool | None = None,
    ) -> None:
        self.sizes = tuple(sizes)
        self.parameters = parameters
        self.gradients = torch.zeros_like(parameters)
        self._stacked = stacked
        self._half = half
        self._buffers = BufferPool() if buffers is None else buffers
        self._workspaces: dict[tuple[int, bool], tuple[Tensor, list[Workspace]]] = {}
        self._with = partial(MLPs, self.sizes, bound=bound, stacked=stacked, half=half, buffers=self._buffers)
        rows: list[int | slice] = [slice(None)] if stacked else list(range(len(parameters)))
        layers, gradients = self._layers(parameters), self._layers(self.gradients)
        kernel = Bf16MLPKernel if half else MLPKernel
        self._parts = [kernel(row, layers, gradients, bound) for row in rows]

    @staticmethod
    def zeros(sizes: Sequence[int], count: int) -> Tensor:
        """Return parameters [K, P] of 0 for `count` networks."""
        return torch.zeros(count, sum(aligned(math.prod(shape)) for shape, _ in _stored_shapes(sizes)))

    def copy(self) -> MLPs:
        """Return networks with a copy of these parameters."""
        return self._with(self.parameters.clone())

    def view_of_first(self, count: int) -> MLPs:
        """Return the first `count` networks, which share their parameters with these."""
        return self._with(self.parameters[:count])

    def __call__(self, inputs: InputBatch, *, kept: bool = False) -> Tensor:
        """Return the outputs [K, B, out]; the next call with the same batch size and `kept` overwrites them.

        With `kept`, the outputs of the hidden layers are kept too. Derivatives can be computed from them only
        once, because they overwrite them.
        """
        outputs, workspaces = self._workspace(inputs.tensor.shape[1], kept)
        for part, (hidden, into) in zip(self._parts, workspaces, strict=True):
            part.forward(self._inputs(inputs, part)[0], hidden, into)
        return outputs

    def backward(self, inputs: InputBatch, gradient: Tensor) -> None:
        """Fill `gradients` from the gradient of the loss with respect to the kept outputs [K, B, out]."""
        _, workspaces = self._workspace(gradient.shape[1], kept=True)
        for part, (hidden, outputs) in zip(self._parts, workspaces, strict=True):
            _, transposed = self._inputs(inputs, part)
            part.backward(transposed, hidden, outputs, gradient[part.rows])

    def input_gradient(self, gradient: Tensor, columns: slice) -> Tensor:
        """Return the gradient of some columns of the inputs from that of the kept outputs [K, B, out]."""
        result = gradient.new_empty(*gradient.shape[:2], len(range(self.sizes[0])[columns]))
        _, workspaces = self._workspace(gradient.shape[1], kept=True)
        for part, (hidden, outputs) in zip(self._parts, workspaces, strict=True):
            part.input_gradient(hidden, outputs, gradient[part.rows], columns, result[part.rows])
        return result

    def forward_backward(
        self, inputs: InputBatch, targets: Tensor, gradient: Callable[[Tensor, Tensor], Tensor]
    ) -> Tensor:
        """Run the forward and the backward pass, part by part, and return the outputs [K, B, out].

        `gradient` is called with the outputs and the targets [M, B, ...] of a part, and returns the gradient
        of the loss with respect to the outputs.
        """
        all_outputs, workspaces = self._workspace(inputs.tensor.shape[1], kept=False)
        for part, (hidden, outputs) in zip(self._parts, workspaces, strict=True):
            own, transposed = self._inputs(inputs, part)
            part.forward(own, hidden, outputs)
            part.backward(transposed, hidden, outputs, gradient(outputs, self._targets(targets, part)))
        return all_outputs

    def named(self, index: int, values: Tensor | None = None) -> dict[str, Tensor]:
        """Return views of one network's tensors in the parameters, or in `values` [K, P].

        Names and shapes are those of `harness.algorithms.modules.MLP`.
        """
        names: dict[str, Tensor] = {}
        for number, layer in enumerate(self._layers(self.parameters if values is None else values)):
            names[f"{2 * number}.weight"] = layer[index, 1:]
            names[f"{2 * number}.bias"] = layer[index, 0]
        return names

    def _inputs(self, inputs: InputBatch, part: MLPKernel) -> tuple[Tensor, Tensor]:
        """Return the inputs of the networks of a part, and their transpose."""
        if isinstance(part.rows, int):
            return inputs.for_network(part.rows)
        return inputs.stacked(len(self.parameters))

    def _targets(self, targets: Tensor, part: MLPKernel) -> Tensor:
        if isinstance(part.rows, int):
            return targets.select(0, part.rows % targets.shape[0])
        return repeated(targets, len(self.parameters))

    def _workspace(self, size: int, kept: bool) -> tuple[Tensor, list[Workspace]]:
        """Return buffers for the outputs of a batch of `size` rows, and the workspaces of the parts."""
        if (size, kept) not in self._workspaces:
            with torch.inference_mode(False):  # so that it can be written outside of that mode too
                # Column-major: the last product takes a quarter less time.
                outputs = self.parameters.new_empty(len(self.parameters), self.sizes[-1], size).mT
                parts = [self._new_workspace(outputs[part.rows], kept) for part in self._parts]
            self._workspaces[size, kept] = outputs, parts
        return self._workspaces[size, kept]

    def _new_workspace(self, outputs: Tensor, kept: bool) -> Workspace:
        shapes = [(*outputs.shape[:-1], size) for size in self.sizes[1:-1]]
        hidden = [self._new_hidden(outputs, depth, shape, not kept) for depth, shape in enumerate(shapes)]
        return Workspace(hidden, outputs)

    def _new_hidden(self, like: Tensor, depth: int, shape: tuple[int, ...], shared: bool) -> HiddenBuffers:
        hidden = self._buffers.hidden(like, depth, shape, shared=shared, ones=not self._stacked)
        if self._half:
            half = self._buffers.hidden(like.bfloat16(), depth, shape, shared=shared, ones=False)
            hidden = hidden._replace(half=half)
        return hidden

    def _layers(self, values: Tensor) -> list[Tensor]:
        """Return `values` [K, P] as layers [K, 1 + in, out], each at an aligned address."""
        layers = []
        start = 0
        for shape, is_last in _stored_shapes(self.sizes):
            size = math.prod(shape)
            stored = values[:, start : start + size].view(-1, *shape)
            layers.append(stored[..., ALIGNMENT - 1 :].mT if is_last else stored)
            start += aligned(size)
        return layers


def _stored_shapes(sizes: Sequence[int]) -> list[tuple[tuple[int, int], bool]]:
    """Return the stored shape of each layer, and whether it is the last, whose columns are padded."""
    *hidden, (last_in, last_out) = pairwise(sizes)
    stored = [((1 + fan_in, fan_out), False) for fan_in, fan_out in hidden]
    return [*stored, ((last_out, ALIGNMENT + last_in), True)]
