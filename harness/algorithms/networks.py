"""Multi-layer perceptrons in stacks, with their derivatives written out.

All that is shaped by speed is here: tests/algorithms/test_networks.py holds it against plain modules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

ALIGNMENT = 16  # floats: every tensor begins on a cache line of its own
tanh_backward: Callable[[Tensor, Tensor], Tensor] = torch.ops.aten.tanh_backward.default
relu_backward = torch.ops.aten.threshold_backward.grad_input


class Layer(NamedTuple):
    """Weights [K, in, out] (of the last layer [K, out, in]) and biases [K, 1, out] of K networks or one."""

    weight: Tensor
    bias: Tensor


class Activations(NamedTuple):
    """What a pass through K networks leaves, until their next pass with as large a batch."""

    inputs: Tensor
    """[M, B, in]"""
    outputs: Tensor
    """[K, B, out]"""


class Hidden(NamedTuple):
    """Where the results of a hidden layer go: [B, hidden] or [K, B, hidden]."""

    outputs: Tensor
    transposed: Tensor
    """`outputs` once more, as [..., hidden, B]."""
    gradient: Tensor
    """The loss's derivative by the outputs, shared by all networks with the same buffers."""
    half: Hidden | None
    """The same in bfloat16, for the products between hidden layers."""


class Workspace(NamedTuple):
    """Where the results of one part go, for one size of batch."""

    kept: list[Hidden]
    """Of hidden layers whose outputs are needed later, for the derivatives."""
    passing: list[Hidden]
    """Of others: their outputs are shared by all networks with the same buffers."""
    outputs: Tensor


class Buffers:
    """Where results go: to allocate large tensors anew costs a tenth of a step in page faults.

    Networks that work one after the other share them, so that they stay in the cache.
    """

    def __init__(self) -> None:
        self._tensors: dict[tuple[object, tuple[int, ...]], Tensor] = {}

    def take(self, like: Tensor, name: object, shape: tuple[int, ...]) -> Tensor:
        """The tensor of that name and shape."""
        if (name, shape) not in self._tensors:
            self._tensors[name, shape] = like.new_empty(shape)
        return self._tensors[name, shape]


class MLPs:
    """K perceptrons of one shape with ReLU between their layers, computed side by side.

    `parameters` is [K, P], a network a row, so that an optimiser, a target update or a norm is one operation.
    The last weight is kept [out, in]: a product of few columns is three times as fast that way round.
    Inputs are [M, B, in] where K is a multiple of M: network k takes the batch k mod M.

    Args:
        sizes: from the inputs' to the outputs'.
        parameters: as `initial` makes them.
        bound: if given, the outputs are bound * tanh(last layer).
        stacked: whether a layer of all K networks is one batched product, as a GPU likes it, or each network
            is computed for itself, as a CPU's cache does.
        half: whether products between hidden layers are in bfloat16; all else is as the parameters.
        buffers: to be shared with other networks.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        parameters: Tensor,
        *,
        bound: float | None = None,
        stacked: bool = False,
        half: bool = False,
        buffers: Buffers | None = None,
    ) -> None:
        self.sizes = tuple(sizes)
        self.parameters = parameters
        self.gradients = torch.zeros_like(parameters)
        self._bound = bound
        self._stacked = stacked
        self._half = half
        self._buffers = Buffers() if buffers is None else buffers
        self._workspaces: dict[int, tuple[Tensor, list[Workspace]]] = {}
        rows: list[int | slice] = [slice(None)] if stacked else list(range(len(parameters)))
        layers, gradients = self._layers(parameters), self._layers(self.gradients)
        part = _HalfPart if half else _Part
        self._parts = [part(row, layers, gradients, bound) for row in rows]

    @staticmethod
    def initial(sizes: Sequence[int], generators: Sequence[torch.Generator]) -> Tensor:
        """Parameters [K, P], one row from each generator, uniform within 1 / sqrt(in) as nn.Linear's are."""
        networks = MLPs(sizes, torch.zeros(len(generators), _parameter_count(sizes)))
        for index, generator in enumerate(generators):
            for fan_in, (weight, bias) in zip(sizes, networks._layers(networks.parameters), strict=False):
                limit = 1 / math.sqrt(fan_in)
                weight[index].uniform_(-limit, limit, generator=generator)
                bias[index].uniform_(-limit, limit, generator=generator)
        return networks.parameters

    def copy(self) -> MLPs:
        return self._with(self.parameters.clone())

    def first(self, count: int) -> MLPs:
        """The first `count` networks; they share their parameters with these."""
        return self._with(self.parameters[:count])

    def __call__(self, inputs: Tensor) -> Tensor:
        """[M, B, in] to [K, B, out], which the next call with as large a batch overwrites."""
        outputs, workspaces = self._workspace(inputs.shape[1])
        for part, workspace in zip(self._parts, workspaces, strict=True):
            part.forward(self._own(inputs, part), workspace.passing, workspace.outputs)
        return outputs

    def forward(self, inputs: Tensor) -> Activations:
        """The same, with all that the derivatives need."""
        outputs, workspaces = self._workspace(inputs.shape[1])
        for part, workspace in zip(self._parts, workspaces, strict=True):
            part.forward(self._own(inputs, part), workspace.kept, workspace.outputs)
        return Activations(inputs, outputs)

    def backward(self, activations: Activations, gradient: Tensor) -> None:
        """Fill `gradients` from the loss's derivative by the outputs [K, B, out]."""
        for part, workspace in zip(self._parts, self._workspace(gradient.shape[1])[1], strict=True):
            own = self._own(activations.inputs, part)
            part.backward(own, workspace.kept, workspace.outputs, gradient[part.rows])

    def input_gradient(self, activations: Activations, gradient: Tensor, columns: slice) -> Tensor:
        """The derivative by some columns of the inputs, from that by the outputs [K, B, out]."""
        result = gradient.new_empty(*gradient.shape[:2], len(range(self.sizes[0])[columns]))
        for part, workspace in zip(self._parts, self._workspace(gradient.shape[1])[1], strict=True):
            own, into = gradient[part.rows], result[part.rows]
            part.input_gradient(workspace.kept, workspace.outputs, own, columns, into)
        return result

    def fit(self, inputs: Tensor, targets: Tensor, gradient: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Forward and backward, part by part; `gradient` gives a loss's derivative by the outputs.

        It is called with the outputs and the targets [M, B, ...] of a part. Returns the outputs [K, B, out].
        """
        all_outputs, workspaces = self._workspace(inputs.shape[1])
        for part, (_, hidden, outputs) in zip(self._parts, workspaces, strict=True):
            own = self._own(inputs, part)
            part.forward(own, hidden, outputs)
            part.backward(own, hidden, outputs, gradient(outputs, self._own(targets, part)))
        return all_outputs

    def named(self, index: int, values: Tensor | None = None) -> dict[str, Tensor]:
        """One network's tensors, or what `values` [K, P] holds for them, by the names and shapes that
        torch.nn.Sequential gives: views, to be read or written."""
        *hidden, last = self._layers(self.parameters if values is None else values)
        weights = [layer.weight[index].mT for layer in hidden] + [last.weight[index]]
        names: dict[str, Tensor] = {}
        for number, (weight, layer) in enumerate(zip(weights, [*hidden, last], strict=True)):
            names[f"{2 * number}.weight"] = weight
            names[f"{2 * number}.bias"] = layer.bias[index, 0]
        return names

    def _own(self, batch: Tensor, part: _Part) -> Tensor:
        """What of a batch [M, B, ...] the networks of a part take."""
        if isinstance(part.rows, int):
            return batch[part.rows % len(batch)]
        times = len(self.parameters) // len(batch)
        return batch if times == 1 else batch.repeat(times, 1, 1)

    def _workspace(self, size: int) -> tuple[Tensor, list[Workspace]]:
        """The outputs for so large a batch, and the workspaces of the parts."""
        if size not in self._workspaces:
            with torch.inference_mode(False):  # so that it can be written outside of that mode too
                outputs = self.parameters.new_empty(len(self.parameters), size, self.sizes[-1])
                parts = [self._new_workspace(outputs[part.rows]) for part in self._parts]
            self._workspaces[size] = outputs, parts
        return self._workspaces[size]

    def _new_workspace(self, outputs: Tensor) -> Workspace:
        shapes = [(*outputs.shape[:-1], size) for size in self.sizes[1:-1]]
        kept = [self._new_hidden(outputs, depth, shape, shared=False) for depth, shape in enumerate(shapes)]
        passing = [self._new_hidden(outputs, depth, shape, shared=True) for depth, shape in enumerate(shapes)]
        return Workspace(kept, passing, outputs)

    def _new_hidden(self, like: Tensor, depth: int, shape: tuple[int, ...], shared: bool) -> Hidden:
        half = None
        if self._half and like.dtype != torch.bfloat16:
            half = self._new_hidden(like.new_empty(0, dtype=torch.bfloat16), depth, shape, shared)
        take = self._buffers.take if shared else lambda like, _, shape: like.new_empty(shape)
        outputs = take(like, ("outputs", depth, like.dtype), shape)
        gradient = self._buffers.take(like, ("gradient", depth, like.dtype), shape)
        return Hidden(outputs, outputs.mT, gradient, half)

    def _with(self, parameters: Tensor) -> MLPs:
        return MLPs(
            self.sizes,
            parameters,
            bound=self._bound,
            stacked=self._stacked,
            half=self._half,
            buffers=self._buffers,
        )

    def _layers(self, values: Tensor) -> list[Layer]:
        """`values` [K, P] as weights and biases."""
        count = len(values)
        layers = []
        start = 0
        for fan_in, fan_out in pairwise(self.sizes):
            weight = values[:, start : start + fan_in * fan_out]
            start += _aligned(fan_in * fan_out)
            bias = values[:, start : start + fan_out]
            start += _aligned(fan_out)
            layers.append(Layer(weight.view(count, fan_in, fan_out), bias.view(count, 1, fan_out)))
        layers[-1] = layers[-1]._replace(weight=layers[-1].weight.view(count, self.sizes[-1], self.sizes[-2]))
        return layers


class _Part:
    """Networks whose layers are one product each: a single one in matrices, or all in stacks of matrices."""

    def __init__(
        self, rows: int | slice, layers: list[Layer], gradients: list[Layer], bound: float | None
    ) -> None:
        self.rows = rows
        *self._hidden, last = (Layer(layer.weight[rows], layer.bias[rows]) for layer in layers)
        self._last = last._replace(weight=last.weight.mT)
        self._backward_weights = [layer.weight.mT for layer in (*self._hidden, self._last)]
        self._gradients = [Layer(layer.weight[rows], layer.bias[rows]) for layer in gradients]
        self._bound = bound
        single = isinstance(rows, int)
        self._product = torch.mm if single else torch.bmm
        self._affine = torch.addmm if single else torch.baddbmm

    def forward(self, inputs: Tensor, hidden: list[Hidden], outputs: Tensor) -> None:
        """Fill the outputs of the hidden layers, and `outputs`."""
        for index, into in enumerate(hidden):
            self._hidden_outputs(index, inputs, hidden)
            inputs = into.outputs
        self._affine(self._last.bias, inputs, self._last.weight, out=outputs)
        if self._bound is not None:
            outputs.tanh_()
            if self._bound != 1:
                outputs.mul_(self._bound)

    def backward(self, inputs: Tensor, hidden: list[Hidden], outputs: Tensor, gradient: Tensor) -> None:
        """Fill the gradients of the parameters from the derivative by the outputs."""
        gradient = self._before_bound(gradient, outputs)
        into = self._gradients[-1]
        torch.sum(gradient, -2, keepdim=True, out=into.bias)
        self._product(gradient.mT, hidden[-1].outputs, out=into.weight)
        for index in range(len(hidden) - 1, -1, -1):
            gradient = self._hidden_gradient(index, hidden, gradient)
            torch.sum(gradient, -2, keepdim=True, out=self._gradients[index].bias)
            self._weight_gradient(index, inputs, hidden)

    def input_gradient(
        self, hidden: list[Hidden], outputs: Tensor, gradient: Tensor, columns: slice, into: Tensor
    ) -> None:
        """Fill `into` with the derivative by some columns of the inputs, from that by the outputs."""
        gradient = self._before_bound(gradient, outputs)
        for index in range(len(hidden) - 1, -1, -1):
            gradient = self._hidden_gradient(index, hidden, gradient)
        self._product(gradient, self._backward_weights[0][..., columns], out=into)

    def _hidden_outputs(self, index: int, inputs: Tensor, hidden: list[Hidden]) -> None:
        weight, bias = self._hidden[index]
        self._affine(bias, inputs, weight, out=hidden[index].outputs).relu_()

    def _hidden_gradient(self, index: int, hidden: list[Hidden], gradient: Tensor) -> Tensor:
        """From the derivative by the outputs of the layer above to that by a hidden layer's before ReLU."""
        into = hidden[index].gradient
        if gradient.shape[-1] == 1:
            torch.mul(gradient, self._backward_weights[index + 1], out=into)
        else:
            self._product_backward(index, hidden, gradient)
        relu_backward(into, hidden[index].outputs, 0, grad_input=into)
        return into

    def _product_backward(self, index: int, hidden: list[Hidden], gradient: Tensor) -> None:
        self._product(gradient, self._backward_weights[index + 1], out=hidden[index].gradient)

    def _weight_gradient(self, index: int, inputs: Tensor, hidden: list[Hidden]) -> None:
        below = hidden[index - 1].transposed if index > 0 else inputs.mT
        self._product(below, hidden[index].gradient, out=self._gradients[index].weight)

    def _before_bound(self, gradient: Tensor, outputs: Tensor) -> Tensor:
        """d (bound tanh z) / dz = bound (1 - tanh^2 z)"""
        if self._bound is None:
            return gradient
        if self._bound == 1:
            return tanh_backward(gradient, outputs)
        return tanh_backward(gradient, outputs / self._bound).mul_(self._bound)


class _HalfPart(_Part):
    """The same with products between hidden layers in bfloat16; weights, gradients and sums stay as they are.

    Every result goes to its place in full precision, so that all other code is that of `_Part`.
    """

    def __init__(
        self, rows: int | slice, layers: list[Layer], gradients: list[Layer], bound: float | None
    ) -> None:
        super().__init__(rows, layers, gradients, bound)
        self._half = [Layer(*(tensor.bfloat16() for tensor in layer)) for layer in self._hidden]
        self._half_backward = [layer.weight.mT for layer in self._half]
        self._half_gradients = [torch.empty_like(layer.weight) for layer in self._half]

    def _hidden_outputs(self, index: int, inputs: Tensor, hidden: list[Hidden]) -> None:
        into = hidden[index]
        if index == 0:
            super()._hidden_outputs(index, inputs, hidden)
            _half(into).outputs.copy_(into.outputs)
            return
        weight, bias = self._half[index]
        weight.copy_(self._hidden[index].weight)
        bias.copy_(self._hidden[index].bias)
        self._affine(bias, _half(hidden[index - 1]).outputs, weight, out=_half(into).outputs).relu_()
        into.outputs.copy_(_half(into).outputs)

    def _hidden_gradient(self, index: int, hidden: list[Hidden], gradient: Tensor) -> Tensor:
        gradient = super()._hidden_gradient(index, hidden, gradient)
        _half(hidden[index]).gradient.copy_(gradient)
        return gradient

    def _product_backward(self, index: int, hidden: list[Hidden], gradient: Tensor) -> None:
        if index == len(hidden) - 1:
            super()._product_backward(index, hidden, gradient)
            return
        above, into = _half(hidden[index + 1]), _half(hidden[index])
        self._product(above.gradient, self._half_backward[index + 1], out=into.gradient)
        hidden[index].gradient.copy_(into.gradient)

    def _weight_gradient(self, index: int, inputs: Tensor, hidden: list[Hidden]) -> None:
        if index == 0:
            super()._weight_gradient(index, inputs, hidden)
            return
        below, gradient = _half(hidden[index - 1]).transposed, _half(hidden[index]).gradient
        self._product(below, gradient, out=self._half_gradients[index])
        self._gradients[index].weight.copy_(self._half_gradients[index])


def _half(hidden: Hidden) -> Hidden:
    assert hidden.half is not None
    return hidden.half


def _aligned(count: int) -> int:
    return -(-count // ALIGNMENT) * ALIGNMENT


def _parameter_count(sizes: Sequence[int]) -> int:
    return sum(_aligned(fan_in * fan_out) + _aligned(fan_out) for fan_in, fan_out in pairwise(sizes))
