"""Networks for one seed, as `AutogradLearner.networks` builds them: MLPs, ensembles, policies, scalars.

Any other `torch.nn.Module` works as well. These are faster: weights are stored as [in, out], which a CPU
multiplies without a transposition, and policies made of `plain_layers()` are evaluated in numpy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, TypedDict, Unpack

import torch
from torch import Tensor, nn
from torch.nn import functional

ROWS_IN_CACHE = 512
"""Rows of a batch that a CPU maps through all layers at a time, so that they stay in its cache."""


class Linear(nn.Module):
    """Computes x W + b, with W [in, out]; initialised as `nn.Linear` is: uniform within 1 / sqrt(in)."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        limit = 1 / math.sqrt(fan_in)
        self.weight = nn.Parameter(torch.empty(fan_in, fan_out).uniform_(-limit, limit))
        self.bias = nn.Parameter(torch.empty(fan_out).uniform_(-limit, limit))

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [..., in] to [..., out]."""
        if inputs.dim() == 2:
            return torch.addmm(self.bias, inputs, self.weight)
        return inputs @ self.weight + self.bias


class MLPOptions(TypedDict, total=False):
    """Keyword arguments of `MLP`, which networks made of MLPs take as well."""

    activation: Callable[[], nn.Module]
    layer_norm: Literal["before", "after"] | None
    layer_norm_epsilon: float
    hidden_bias: float | None
    output_limit: float | None


class MLP(nn.Sequential):
    """A multi-layer perceptron: `MLP(17, 256, 256, 6)` maps [n, 17] to [n, 6].

    Args:
        sizes: of the inputs, the hidden layers and the outputs.
        activation: creates the non-linearity after each hidden layer.
        layer_norm: whether hidden layers are normalised, before or after their activation.
        layer_norm_epsilon: added to the variance in layer normalisation.
        hidden_bias: initial bias of the hidden layers; None draws it as `nn.Linear` does.
        output_limit: bound of the uniform initial last layer; None draws it as `nn.Linear` does.
    """

    def __init__(
        self,
        *sizes: int,
        activation: Callable[[], nn.Module] = lambda: nn.ReLU(inplace=True),
        layer_norm: Literal["before", "after"] | None = None,
        layer_norm_epsilon: float = 1e-5,
        hidden_bias: float | None = None,
        output_limit: float | None = None,
    ) -> None:
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes[:-1]):
            linear = Linear(fan_in, fan_out)
            if hidden_bias is not None:
                nn.init.constant_(linear.bias, hidden_bias)
            norm = [nn.LayerNorm(fan_out, layer_norm_epsilon)] if layer_norm else []
            before, after = (norm, []) if layer_norm == "before" else ([], norm)
            layers += [linear, *before, activation(), *after]
        output = Linear(*sizes[-2:])
        if output_limit is not None:
            for parameter in output.parameters():
                nn.init.uniform_(parameter, -output_limit, output_limit)
        super().__init__(*layers, output)

    def forward(self, inputs: Tensor, kept: Tensor | None = None) -> Tensor:
        """Map [..., in] to [..., out]; `kept` [..., hidden units] multiplies hidden units for dropout."""
        if kept is not None:
            return self._with_dropout(inputs, kept)
        flat = inputs if inputs.dim() == 2 else inputs.reshape(-1, inputs.shape[-1])
        on_cpu = flat.device.type == "cpu"
        parts = torch.split(flat, ROWS_IN_CACHE) if on_cpu and len(flat) > ROWS_IN_CACHE else (flat,)
        outputs = []
        for rows in parts:
            for layer in self:
                rows = layer(rows)
            outputs.append(rows)
        joined = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
        return joined if inputs.dim() == 2 else joined.view(*inputs.shape[:-1], -1)

    def _with_dropout(self, units: Tensor, kept: Tensor) -> Tensor:
        first, *others = self
        units = first(units)
        for layer in others:
            if isinstance(layer, Linear):
                width = units.shape[-1]
                units, kept = units * kept[..., :width], kept[..., width:]
            units = layer(units)
        return units


class Ensemble(nn.Module):
    """Several networks of one shape on the same inputs: `Ensemble(2, 23, 256, 256, 1)` gives [n, 2].

    With a last size of 1 the outputs are [n, k], else [n, k, out]. A learner's `self.critics[0](inputs)`
    calls the first member alone. Keyword arguments are those of `MLP`.
    """

    def __init__(self, count: int, *sizes: int, **options: Unpack[MLPOptions]) -> None:
        super().__init__()
        self.members = nn.ModuleList(MLP(*sizes, **options) for _ in range(count))

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map [..., in] to [..., k] or [..., k, out]."""
        return join_members([member(*inputs) for member in self.members])


def join_members(outputs: Sequence[Tensor]) -> Tensor:
    """Put the outputs of k members [..., out] side by side: [..., k], or [..., k, out] where out is not 1."""
    if outputs[0].shape[-1] == 1:
        return torch.cat(list(outputs), dim=-1)
    return torch.stack(list(outputs), dim=-2)


def orthogonal_(network: nn.Module, output_gain: float) -> None:
    """Draw orthogonal weights for an `MLP`, with gain sqrt(2) for its hidden layers, and set biases to 0."""
    layers = [layer for layer in network.modules() if isinstance(layer, Linear)]
    for layer in layers:
        nn.init.orthogonal_(layer.weight, gain=output_gain if layer is layers[-1] else math.sqrt(2))
        nn.init.zeros_(layer.bias)


class Scale(nn.Module):
    """Multiplies by a fixed number, such as the largest action."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [...] to [...]."""
        return inputs * self.factor


class Clip(nn.Module):
    """Limits values to [low, high]."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.low = low
        self.high = high

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [...] to [...]."""
        return inputs.clamp(self.low, self.high)


class Columns(nn.Module):
    """Keeps the first `count` columns."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [..., in] to [..., count]."""
        return inputs[..., : self.count]


class Scalar(nn.Module):
    """A learnable number, such as the logarithm of a temperature; called without inputs it gives []."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(float(value)))

    def forward(self) -> Tensor:
        """Return the number."""
        return self.value


class DeterministicActor(nn.Module):
    """pi(s) = max_action * tanh(MLP(s)): the policy of TD3, TD3+BC and BC.

    The sizes are those of the state, the hidden layers and the action; options are those of `MLP`.
    """

    def __init__(self, *sizes: int, max_action: float, **options: Unpack[MLPOptions]) -> None:
        super().__init__()
        self.body = MLP(*sizes, **options)
        self.max_action = max_action

    def forward(self, state: Tensor, kept: Tensor | None = None) -> Tensor:
        """Return actions [..., A] for states [..., S], with dropout as in `MLP.forward`."""
        action: Tensor = torch.tanh(self.body(state, kept))
        return action if self.max_action == 1.0 else action * self.max_action

    def plain_layers(self) -> list[nn.Module]:
        """Return the layers whose composition is the deterministic action."""
        return [*self.body, nn.Tanh(), Scale(self.max_action)]


class GaussianActor(nn.Module):
    """A normal distribution of actions whose deviation does not depend on the state.

    The sizes are those of the state, the hidden layers and the action. The mean is max_action * tanh(MLP(s))
    with `tanh_mean`, else MLP(s). The logarithm of the deviation is learnable, one number per action
    dimension, within `log_std_range`.
    """

    def __init__(
        self,
        *sizes: int,
        max_action: float,
        tanh_mean: bool = True,
        log_std_range: tuple[float, float] = (-20.0, 2.0),
        initial_log_std: float = 0.0,
    ) -> None:
        super().__init__()
        self.body = MLP(*sizes)
        self.log_std = nn.Parameter(torch.full((sizes[-1],), initial_log_std))
        self.max_action = max_action
        self.tanh_mean = tanh_mean
        self.log_std_range = log_std_range

    def forward(self, state: Tensor, kept: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the mean and the log-deviation of the action, [..., A] each, in states [..., S].

        Dropout is as in `MLP.forward`.
        """
        mean = self.body(state, kept)
        if self.tanh_mean:
            mean = torch.tanh(mean) * self.max_action
        return mean, self.log_std.clamp(*self.log_std_range).expand_as(mean)

    def plain_layers(self) -> list[nn.Module]:
        """Return the layers whose composition is the deterministic action: the clipped mean."""
        squashed = [nn.Tanh(), Scale(self.max_action)] if self.tanh_mean else []
        return [*self.body, *squashed, Clip(-self.max_action, self.max_action)]


class TanhGaussianActor(nn.Module):
    """A normal distribution squashed by tanh (SAC, arXiv 1801.01290): mean and deviation depend on the state.

    The sizes are those of the state, the hidden layers and the action; options are those of `MLP`. The
    logarithm of the deviation is within `log_std_range`. `tanh_gaussian_sample` draws from what it returns.
    """

    def __init__(
        self,
        *sizes: int,
        max_action: float,
        log_std_range: tuple[float, float] = (-20.0, 2.0),
        **options: Unpack[MLPOptions],
    ) -> None:
        super().__init__()
        *inner, action_size = sizes
        self.body = MLP(*inner, 2 * action_size, **options)
        self.action_size = action_size
        self.max_action = max_action
        self.log_std_range = log_std_range

    def forward(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the deviation before tanh, [..., A] each, in states [..., S]."""
        mean, log_std = self.body(state).chunk(2, dim=-1)
        return mean, log_std.clamp(*self.log_std_range)

    def plain_layers(self) -> list[nn.Module]:
        """Return the layers whose composition is the deterministic action: max_action * tanh(mean)."""
        return [*self.body, Columns(self.action_size), nn.Tanh(), Scale(self.max_action)]


def gaussian_log_prob(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    """Return the log-density of actions [..., A] under independent normals, summed over A: [...]."""
    standardised = (action - mean) * torch.exp(-log_std)
    density = -0.5 * standardised.square() - log_std - 0.5 * math.log(2 * math.pi)
    return density.sum(-1)


def tanh_gaussian_log_prob(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    """Return the log-density [...] of actions [..., A] within [-1, 1] under normals squashed by tanh.

    It is infinite at -1 and 1, so actions are clipped to 1e-6 from them.
    """
    inside = action.clamp(-1 + 1e-6, 1 - 1e-6)
    correction = torch.log(1 - inside.square()).sum(-1)
    return gaussian_log_prob(mean, log_std, torch.atanh(inside)) - correction


def tanh_gaussian_sample(
    mean: Tensor, log_std: Tensor, noise: Tensor, epsilon: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Squash normal samples by tanh.

    Args:
        mean: [..., A]
        log_std: [..., A]
        noise: standard normal numbers [..., A].
        epsilon: added to 1 - tanh(x)^2, whose logarithm is part of the density, as in many code bases;
            without it that logarithm is computed in a form that is exact for any x.

    Returns:
        Actions within (-1, 1), [..., A], and their log-density [...].
    """
    before = mean + torch.exp(log_std) * noise
    action = torch.tanh(before)
    if epsilon:
        correction = torch.log(1 - action.square() + epsilon)
    else:
        correction = 2 * (math.log(2.0) - before - functional.softplus(-2 * before))
    log_density = -0.5 * (noise.square() + math.log(2 * math.pi)) - log_std - correction
    return action, log_density.sum(-1)
