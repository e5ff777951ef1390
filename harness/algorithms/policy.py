"""Policies made of networks: in numpy if all layers are known, else in torch."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.policies import layers as numpy_layers
from harness.policies.policy import NumpyPolicy, Policy
from harness.policies.torch_policy import TorchPolicy


def policy_of(module: nn.Module, state_mean: Tensor, state_scale: Tensor) -> Policy:
    """Make a policy from a module that maps normalised states to actions.

    A module made of known layers, by its `plain_layers()` (see `harness.algorithms.modules`) or as an
    `nn.Sequential`, runs in numpy; any other runs in torch, by its `deterministic_action` if it has one. The
    policy has a copy of the module, so that it does not change while training continues.
    """
    mean, scale = (_array(values) for values in (state_mean, state_scale))
    known = list(_translated(_plain_layers(module)))
    if all(layer is not None for layer in known):
        return NumpyPolicy([layer for layer in known if layer is not None], mean, scale)
    return TorchPolicy(_DeterministicAction(copy.deepcopy(module)).cpu().float().eval(), mean, scale)


class _DeterministicAction(nn.Module):
    """Returns the module's deterministic action if it has one, else its output."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, state: Tensor) -> Tensor:
        action = getattr(self.module, "deterministic_action", self.module)
        result: Tensor = action(state)
        return result


def _plain_layers(module: nn.Module) -> Sequence[nn.Module]:
    plain = getattr(module, "plain_layers", None)
    if plain is not None:
        found: Sequence[nn.Module] = plain()
        return found
    return list(module) if isinstance(module, nn.Sequential) else [module]


def _translated(modules: Sequence[nn.Module]) -> Iterator[numpy_layers.Layer | None]:
    from harness.algorithms import modules as own

    for module in modules:
        match module:
            case own.Linear():
                yield numpy_layers.Affine(_array(module.weight), _array(module.bias))
            case nn.Linear() if module.bias is not None:
                yield numpy_layers.Affine(_array(module.weight.mT), _array(module.bias))
            case nn.LayerNorm() if module.bias is not None and len(module.normalized_shape) == 1:
                yield numpy_layers.LayerNorm(_array(module.weight), _array(module.bias), module.eps)
            case nn.ReLU():
                yield numpy_layers.ReLU()
            case nn.Tanh():
                yield numpy_layers.Tanh()
            case own.Scale():
                yield numpy_layers.Scale(module.factor)
            case own.Clip():
                yield numpy_layers.Clip(module.low, module.high)
            case own.Columns():
                yield numpy_layers.Columns(module.count)
            case _:
                yield None


def _array(tensor: Tensor) -> NDArray[np.float32]:
    """Return a copy."""
    return np.ascontiguousarray(tensor.detach().to("cpu", torch.float32, copy=True).contiguous().numpy())
