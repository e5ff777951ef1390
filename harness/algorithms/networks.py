"""Multi-layer perceptrons in stacks, with their derivatives written out.

All that is shaped by speed is here: tests/algorithms/test_networks.py holds it against plain modules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

ALIGNMENT = 16  # floats: every tensor begins on a cache line of its own
relu_backward = torch.ops.aten.threshold_backward.grad_input


class Layer(NamedTuple):
    """The weights [K, in, out] (of the last layer [K, out, in]) and biases [K, 1, out] of K networks."""

    weight: Tensor
    bias: Tensor


class MLPs:
    """K perceptrons of one shape with ReLU between their layers, computed side by side.

    `parameters` is [K, P], a network a row, so that an optimiser, a target update or a norm is one operation.
    The last weight is kept [out, in]: a product of few columns is three times as fast that way round.
    """

    def __init__(self, sizes: Sequence[int], parameters: Tensor, bound: float | None = None) -> None:
        """`sizes` from inputs to outputs; with `bound`, the outputs are bound * tanh(last layer)."""
        self.sizes = tuple(sizes)
        self.bound = bound
        self.parameters = parameters
        self.gradients = torch.zeros_like(parameters)
        self._layers = self._views(parameters)
        self._layer_gradients = self._views(self.gradients)

    @classmethod
    def initial(
        cls, sizes: Sequence[int], generators: Sequence[torch.Generator], bound: float | None = None
    ) -> MLPs:
        """A network for each generator, uniform within 1 / sqrt(in) as torch.nn.Linear's default is."""
        networks = cls(sizes, torch.zeros(len(generators), _parameter_count(sizes)), bound)
        for index, generator in enumerate(generators):
            for layer, fan_in in zip(networks._layers, sizes, strict=False):
                limit = 1 / math.sqrt(fan_in)
                layer.weight[index].uniform_(-limit, limit, generator=generator)
                layer.bias[index].uniform_(-limit, limit, generator=generator)
        return networks

    def to(self, device: torch.device) -> MLPs:
        return MLPs(self.sizes, self.parameters.to(device), self.bound)

    def copy(self) -> MLPs:
        return MLPs(self.sizes, self.parameters.clone(), self.bound)

    def first(self, count: int) -> MLPs:
        """The first `count` networks; they share their parameters with these."""
        return MLPs(self.sizes, self.parameters[:count], self.bound)

    def forward(self, inputs: Tensor) -> list[Tensor]:
        """From `inputs` [K, B, in] through what each layer gives to the outputs [K, B, out], all of them."""
        *hidden, last = self._layers
        activations = [inputs]
        for layer in hidden:
            activations.append(torch.baddbmm(layer.bias, activations[-1], layer.weight).relu_())
        outputs = torch.baddbmm(last.bias, activations[-1], last.weight.mT)
        activations.append(outputs if self.bound is None else outputs.tanh_().mul_(self.bound))
        return activations

    def __call__(self, inputs: Tensor) -> Tensor:
        """[K, B, in] to [K, B, out]"""
        return self.forward(inputs)[-1]

    def backward(self, activations: list[Tensor], gradient: Tensor) -> None:
        """Fill `gradients` from the loss's derivative by the outputs [K, B, out]."""
        last = len(self._layers) - 1
        gradient = self._before_tanh(gradient, activations[-1])
        for index in range(last, -1, -1):
            inputs, into = activations[index], self._layer_gradients[index]
            torch.sum(gradient, 1, keepdim=True, out=into.bias)
            if index == last:
                torch.bmm(gradient.mT, inputs, out=into.weight)
            else:
                torch.bmm(inputs.mT, gradient, out=into.weight)
            if index > 0:
                gradient = self._through(index, gradient, inputs)

    def input_gradient(self, activations: list[Tensor], gradient: Tensor, columns: slice) -> Tensor:
        """The derivative by some columns of the inputs, from that by the outputs [K, B, out]."""
        gradient = self._before_tanh(gradient, activations[-1])
        for index in range(len(self._layers) - 1, 0, -1):
            gradient = self._through(index, gradient, activations[index])
        return torch.bmm(gradient, self._layers[0].weight[:, columns].mT)

    def _before_tanh(self, gradient: Tensor, outputs: Tensor) -> Tensor:
        """d (bound tanh z) / dz = bound - (bound tanh z)^2 / bound"""
        if self.bound is None:
            return gradient
        return gradient * (self.bound - outputs.square() / self.bound)

    def _through(self, index: int, gradient: Tensor, inputs: Tensor) -> Tensor:
        """From the derivative by a layer's outputs to that by the outputs of the one below, unrectified."""
        weight = self._layers[index].weight
        if index < len(self._layers) - 1:
            gradient = torch.bmm(gradient, weight.mT)
        elif gradient.shape[2] == 1:
            gradient = gradient * weight
        else:
            gradient = torch.bmm(gradient, weight)
        relu_backward(gradient, inputs, 0, grad_input=gradient)
        return gradient

    def named(self, index: int, values: Tensor | None = None) -> dict[str, Tensor]:
        """One network's tensors, or what `values` [K, P] holds for them, by the names and shapes that
        torch.nn.Sequential gives: views, to be read or written."""
        layers = self._layers if values is None else self._views(values)
        names: dict[str, Tensor] = {}
        for number, layer in enumerate(layers):
            weight = layer.weight[index]
            names[f"{2 * number}.weight"] = weight if number == len(layers) - 1 else weight.mT
            names[f"{2 * number}.bias"] = layer.bias[index, 0]
        return names

    def _views(self, values: Tensor) -> list[Layer]:
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


def _aligned(count: int) -> int:
    return -(-count // ALIGNMENT) * ALIGNMENT


def _parameter_count(sizes: Sequence[int]) -> int:
    return sum(_aligned(fan_in * fan_out) + _aligned(fan_out) for fan_in, fan_out in pairwise(sizes))
