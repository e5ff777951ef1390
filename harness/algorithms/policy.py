"""Policies made of networks: in numpy if all layers are known, else in torch."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.algorithms import modules
from harness.policies import layers
from harness.policies.layers import Layer
from harness.policies.policy import NumpyPolicy, Policy
from harness.policies.torch_policy import TorchPolicy

KNOWN = (
    modules.Linear,
    nn.Linear,
    nn.LayerNorm,
    nn.ReLU,
    nn.Tanh,
    modules.Scale,
    modules.Clip,
    modules.Columns,
)
"""The layers with an equivalent in numpy."""
SEQUENCES = (nn.Sequential, modules.MLP)


def policy_of(module: nn.Module, state_mean: Tensor, state_scale: Tensor) -> Policy:
    """Make a policy from a module that maps normalised states to actions.

    A module made of known layers, by its `plain_layers()` (see `harness.algorithms.modules`) or as an
    `nn.Sequential`, runs in numpy; any other runs in torch, by its `deterministic_action` if it has one. The
    policy has a copy of the module, so that it does not change while training continues.
    """
    mean, scale = (_array(values) for values in (state_mean, state_scale))
    found = [layer_of(each) for each in _plain_layers(module)]
    known = [layer for layer in found if layer is not None]
    if len(known) == len(found):
        return NumpyPolicy(known, mean, scale)
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
    """Return the layers whose composition is the deterministic action, or else the module itself.

    A subclass that computes something else than its base class must not inherit its layers: `plain_layers`
    counts only if neither `forward` nor `deterministic_action` is defined further down.
    """
    plain = _definer(module, "plain_layers")
    action = [_definer(module, method) for method in ("forward", "deterministic_action")]
    if plain is not None and all(each is None or issubclass(plain, each) for each in action):
        found: Sequence[nn.Module] = module.plain_layers()  # type: ignore[operator]
        return found
    if isinstance(module, nn.Sequential) and action[0] in SEQUENCES and action[1] is None:
        return list(module)
    return [module]


def _definer(module: nn.Module, method: str) -> type | None:
    """Return the class that defines a method of a module."""
    return next((kind for kind in type(module).__mro__ if method in vars(kind)), None)


def layer_of(module: nn.Module) -> Layer | None:
    """Return the layer of a numpy policy that is equivalent to a module, with a copy of its parameters."""
    if _definer(module, "forward") not in KNOWN:
        return None
    match module:
        case modules.Linear():
            return layers.Affine(_array(module.weight), _array(module.bias))
        case nn.Linear() if module.bias is not None:
            return layers.Affine(_array(module.weight.mT), _array(module.bias))
        case nn.LayerNorm() if module.bias is not None and len(module.normalized_shape) == 1:
            return layers.LayerNorm(_array(module.weight), _array(module.bias), module.eps)
        case nn.ReLU():
            return layers.ReLU()
        case nn.Tanh():
            return layers.Tanh()
        case modules.Scale():
            return layers.Scale(module.factor)
        case modules.Clip():
            return layers.Clip(module.low, module.high)
        case modules.Columns():
            return layers.Columns(module.count)
    return None


def module_of(layer: Layer) -> nn.Module:
    """Return the torch module that is equivalent to a layer of a numpy policy."""
    match layer:
        case layers.Affine():
            return _with_parameters(modules.Linear(*layer.weight.shape), layer)
        case layers.LayerNorm():
            return _with_parameters(nn.LayerNorm(len(layer.weight), layer.epsilon), layer)
        case layers.ReLU():
            return nn.ReLU()
        case layers.Tanh():
            return nn.Tanh()
        case layers.Scale():
            return modules.Scale(layer.factor)
        case layers.Clip():
            return modules.Clip(layer.low, layer.high)
        case layers.Columns():
            return modules.Columns(layer.count)
    raise TypeError(f"no module for {type(layer).__name__}")


def _with_parameters(module: nn.Module, layer: layers.Affine | layers.LayerNorm) -> nn.Module:
    module.load_state_dict({"weight": torch.from_numpy(layer.weight), "bias": torch.from_numpy(layer.bias)})
    return module


def _array(tensor: Tensor) -> NDArray[np.float32]:
    """Return a copy."""
    return np.ascontiguousarray(tensor.detach().to("cpu", torch.float32, copy=True).contiguous().numpy())
