"""Plain torch of one seed, in double precision: what the tests of an algorithm write its update in again."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tests.algorithms.make import ACTIONS, STATES, make, statistics, transitions


@dataclass
class PlainBatch:
    """[n, ...] each; rewards and flags are [n]."""

    step: int
    state: Tensor
    action: Tensor
    reward: Tensor
    next_state: Tensor
    not_terminal: Tensor
    next_action: Tensor


def learner_in_double(algorithm, **settings):
    return make(algorithm, "autograd", rows=transitions(dtype=torch.float64), **settings)


def mlp(state, prefix, activation=nn.ReLU) -> nn.Sequential:
    """The multi-layer perceptron of that name in a learner's state; with LayerNorm after its activations."""
    layers: list[nn.Module] = []
    for weight in [name for name in state if re.fullmatch(rf"{re.escape(prefix)}\.\d+\.weight", name)]:
        norm = state[weight].dim() == 1
        layer = (nn.LayerNorm if norm else nn.Linear)(*state[weight].shape, dtype=torch.float64)
        layer.weight.data = state[weight].t().clone()
        layer.bias.data = state[weight.removesuffix("weight") + "bias"].clone()
        layers += [layer] if norm else [layer, activation()]
    return nn.Sequential(*layers[:-1])


def target_of(*networks: nn.Module) -> list[nn.Module]:
    return [copy.deepcopy(network).requires_grad_(False) for network in networks]


def polyak(slow: list[nn.Module], fast: list[nn.Module], tau: float) -> None:
    for old, new in zip(nn.ModuleList(slow).parameters(), nn.ModuleList(fast).parameters(), strict=True):
        old.data = (1 - tau) * old.data + tau * new.data


def adam(*parts: nn.Module | Tensor, learning_rate=3e-4) -> torch.optim.Adam:
    """Adam on the parameters of several networks and on single tensors."""
    parameters = [
        parameter
        for part in parts
        for parameter in (part.parameters() if isinstance(part, nn.Module) else [part])
    ]
    return torch.optim.Adam(parameters, lr=learning_rate)


def descend(optimizer, loss: Tensor, largest_norm: float | None = None) -> None:
    gradients = torch.autograd.grad(loss, optimizer.param_groups[0]["params"], retain_graph=True)
    for parameter, gradient in zip(optimizer.param_groups[0]["params"], gradients, strict=True):
        parameter.grad = gradient
    if largest_norm is not None:
        torch.nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], largest_norm)
    optimizer.step()


def batches(learner, steps) -> Iterator[PlainBatch]:
    """The batches of a learner's first steps, which it takes one by one.

    After each, `learner.normal` and `learner.uniform` give what the learner has drawn in this step.
    """
    mean, scale = (values.double() for values in statistics())
    for step in range(steps):
        rows = learner._data.transitions[learner._sampler.indices.steps(step, 1)[0]]
        state, action, reward, next_state, terminal, next_action = rows.split(
            [STATES, ACTIONS, 1, STATES, 1, ACTIONS], 1
        )
        learner.train(1)
        yield PlainBatch(
            step,
            (state - mean) / scale,
            action,
            reward.squeeze(1),
            (next_state - mean) / scale,
            1 - terminal.squeeze(1),
            next_action,
        )


def assert_same_weights(state, prefix, network: nn.Sequential, tolerance=1e-9) -> None:
    expected = mlp(state, prefix)
    for ours, plain in zip(expected.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(ours, plain, atol=tolerance, rtol=0, msg=prefix, check_dtype=True)
