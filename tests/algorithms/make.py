"""Small learners on random transitions."""

import torch

from harness.algorithms import ALGORITHMS as REGISTERED
from harness.algorithms import hyperparameters_class, learner_class
from harness.algorithms.passes import Inputs

STATES, ACTIONS, MAX_ACTION = 5, 2, 1.5
ALGORITHMS = tuple(REGISTERED)
"""What holds for every learner is tested for each."""


def policy_freq(algorithm, steps):
    """The setting, for algorithms that have it."""
    return {"policy_freq": steps} if "policy_freq" in hyperparameters_class(algorithm).model_fields else {}


def transitions(count=400, seed=0):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, 2 * STATES + ACTIONS + 2, generator=generator)
    rows[:, STATES : STATES + ACTIONS].tanh_().mul_(MAX_ACTION)
    rows[:, -1] = (torch.rand(count, generator=generator) < 0.1).to(rows.dtype)
    return rows


def statistics():
    return torch.linspace(-1, 1, STATES), torch.linspace(0.5, 2, STATES)


def make(algorithm, seeds=(0,), rows=None, stacked=None, device="cpu", **settings):
    settings = {"batch_size": 32, "hidden_sizes": (24, 16)} | settings
    mean, scale = statistics()
    return learner_class(algorithm)(
        hyperparameters_class(algorithm)(**settings),
        transitions() if rows is None else rows,
        observation_size=STATES,
        action_size=ACTIONS,
        max_action=MAX_ACTION,
        state_mean=mean,
        state_scale=scale,
        seeds=seeds,
        stacked=stacked,
        device=device,
    )


def with_ones(inputs):
    """Inputs [M, B, in] as the networks take them."""
    return Inputs(torch.cat([torch.ones_like(inputs[..., :1]), inputs], dim=-1))
