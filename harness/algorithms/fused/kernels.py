"""The forward and backward pass of perceptrons, written out operation by operation.

All optimised code is here; tests/algorithms/fused/test_networks.py compares it with plain modules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from harness.algorithms.fused.buffers import HiddenBuffers

tanh_backward: Callable[[Tensor, Tensor], Tensor] = torch.ops.aten.tanh_backward.default
relu_backward: Callable[..., Tensor] = torch.ops.aten.threshold_backward.grad_input


class Layer:
    """Views of one layer's parameters, [..., 1 + in, out]: the biases, then the weights."""

    def __init__(self, joined: Tensor) -> None:
        self.joined = joined
        self.bias = joined[..., :1, :]
        self.weight = joined[..., 1:, :]
        self.backward_weight = self.weight.mT


class MLPKernel:
    """Runs batches through networks with one matrix product per layer.

    It computes either a single network with matrices, whose biases are an additional row of the weights that
    multiplies a column of ones in the inputs (this saves two passes over memory), or all networks with stacks
    of matrices, as suits a GPU. In the latter, biases are separate in all layers but the first, because
    products on a GPU need aligned rows.

    `rows` are those of this kernel's networks in the layers and gradients of all K, [K, 1 + in, out].
    """

    def __init__(
        self, rows: int | slice, layers: Sequence[Tensor], gradients: Sequence[Tensor], bound: float | None
    ) -> None:
        self.rows = rows
        self._layers = [Layer(joined[rows]) for joined in layers]
        self._gradients = [Layer(joined[rows]) for joined in gradients]
        self._bound = bound
        single = isinstance(rows, int)
        self._product = torch.mm if single else torch.bmm
        self._joined = [single or index == 0 for index in range(len(layers))]

    def forward(self, inputs: Tensor, hidden: list[HiddenBuffers], outputs: Tensor) -> None:
        """Fill the outputs of the hidden layers, and `outputs`."""
        for index, into in enumerate(hidden):
            self._hidden_outputs(index, inputs, hidden)
            inputs = into.next_inputs
        self._affine(-1, inputs, outputs)
        if self._bound is not None:
            outputs.tanh_()
            if self._bound != 1:
                outputs.mul_(self._bound)

    def backward(
        self, transposed: Tensor, hidden: list[HiddenBuffers], outputs: Tensor, gradient: Tensor
    ) -> None:
        """Fill the gradients of the parameters from those of the outputs; `hidden` is overwritten.

        `transposed` is the transpose of the inputs.
        """
        gradient = self._before_bound(gradient, outputs)
        self._by_parameters(-1, hidden[-1].transposed, gradient)
        for index in range(len(hidden) - 1, -1, -1):
            gradient = self._hidden_gradient(index, hidden, gradient)
            self._by_hidden_parameters(index, transposed, hidden)

    def input_gradient(
        self, hidden: list[HiddenBuffers], outputs: Tensor, gradient: Tensor, columns: slice, into: Tensor
    ) -> None:
        """Fill `into` with the gradient of some columns of the inputs; `hidden` is overwritten."""
        gradient = self._before_bound(gradient, outputs)
        for index in range(len(hidden) - 1, -1, -1):
            gradient = self._hidden_gradient(index, hidden, gradient)
        self._product(gradient, self._layers[0].backward_weight[..., columns], out=into)

    def _affine(self, index: int, inputs: Tensor, into: Tensor) -> Tensor:
        layer = self._layers[index]
        if self._joined[index]:
            return self._product(inputs, layer.joined, out=into)
        # baddbmm, which first copies the biases to every row, takes a ninth longer.
        return torch.bmm(inputs, layer.weight, out=into).add_(layer.bias)

    def _by_parameters(self, index: int, below: Tensor, gradient: Tensor) -> None:
        into = self._gradients[index]
        if self._joined[index]:
            self._product(below, gradient, out=into.joined)
        else:
            torch.bmm(below, gradient, out=into.weight)
            torch.sum(gradient, -2, keepdim=True, out=into.bias)

    def _hidden_outputs(self, index: int, inputs: Tensor, hidden: list[HiddenBuffers]) -> None:
        self._affine(index, inputs, hidden[index].outputs).clamp_min_(0)

    def _hidden_gradient(self, index: int, hidden: list[HiddenBuffers], gradient: Tensor) -> Tensor:
        """Return a hidden layer's gradient from that of the layer above it before ReLU, or of the outputs."""
        outputs, scratch = hidden[index].outputs, hidden[index].scratch
        if gradient.shape[-1] == 1:
            weight = self._layers[index + 1].backward_weight.expand_as(outputs)
            return relu_backward(weight, outputs, 0, grad_input=outputs).mul_(gradient)
        self._product_backward(index, hidden, gradient)
        return relu_backward(scratch, outputs, 0, grad_input=outputs)

    def _product_backward(self, index: int, hidden: list[HiddenBuffers], gradient: Tensor) -> None:
        self._product(gradient, self._layers[index + 1].backward_weight, out=hidden[index].scratch)

    def _by_hidden_parameters(self, index: int, transposed: Tensor, hidden: list[HiddenBuffers]) -> None:
        """Fill the gradients of a hidden layer's parameters from the gradient before its ReLU."""
        below = hidden[index - 1].transposed if index > 0 else transposed
        self._by_parameters(index, below, hidden[index].outputs)

    def _before_bound(self, gradient: Tensor, outputs: Tensor) -> Tensor:
        """Multiply the gradient by d (bound tanh z) / dz = bound (1 - tanh^2 z)."""
        if self._bound is None:
            return gradient
        if self._bound == 1:
            return tanh_backward(gradient, outputs)
        return tanh_backward(gradient, outputs / self._bound).mul_(self._bound)


class Bf16MLPKernel(MLPKernel):
    """Computes products between hidden layers in bfloat16; weights, gradients and sums stay in fp32.

    Every result is stored in full precision, so that all other code is that of `MLPKernel`.
    """

    def __init__(
        self, rows: int | slice, layers: Sequence[Tensor], gradients: Sequence[Tensor], bound: float | None
    ) -> None:
        super().__init__(rows, layers, gradients, bound)
        self._half = [layer.weight.bfloat16() for layer in self._layers]
        self._half_backward = [weight.mT for weight in self._half]
        self._half_gradients = [torch.empty_like(weight) for weight in self._half]

    def _hidden_outputs(self, index: int, inputs: Tensor, hidden: list[HiddenBuffers]) -> None:
        into = hidden[index]
        if index == 0:
            super()._hidden_outputs(index, inputs, hidden)
        else:
            self._half[index].copy_(self._layers[index].weight)
            self._product(_half(hidden[index - 1]).outputs, self._half[index], out=_half(into).outputs)
            torch.add(_half(into).outputs, self._layers[index].bias, out=into.outputs).clamp_min_(0)
        if index < len(hidden) - 1:
            _half(into).outputs.copy_(into.outputs)

    def _hidden_gradient(self, index: int, hidden: list[HiddenBuffers], gradient: Tensor) -> Tensor:
        gradient = super()._hidden_gradient(index, hidden, gradient)
        if index > 0:
            _half(hidden[index]).outputs.copy_(gradient)
        return gradient

    def _product_backward(self, index: int, hidden: list[HiddenBuffers], gradient: Tensor) -> None:
        if index == len(hidden) - 1:
            super()._product_backward(index, hidden, gradient)
            return
        above, into = _half(hidden[index + 1]), _half(hidden[index])
        self._product(above.outputs, self._half_backward[index + 1], out=into.scratch)
        hidden[index].scratch.copy_(into.scratch)

    def _by_hidden_parameters(self, index: int, transposed: Tensor, hidden: list[HiddenBuffers]) -> None:
        if index == 0:
            super()._by_hidden_parameters(index, transposed, hidden)
            return
        below, gradient = _half(hidden[index - 1]).transposed, _half(hidden[index]).outputs
        self._product(below, gradient, out=self._half_gradients[index])
        self._gradients[index].weight.copy_(self._half_gradients[index])
        torch.sum(hidden[index].outputs, -2, keepdim=True, out=self._gradients[index].bias)


def _half(hidden: HiddenBuffers) -> HiddenBuffers:
    assert hidden.half is not None
    return hidden.half
