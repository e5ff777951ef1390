"""Made-up transitions, on which learners are checked and their speed is measured."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from harness.algorithms.data import BatchField, TrainingData, columns_of


def made_up_data(
    fields: Sequence[BatchField],
    observation_size: int,
    action_size: int,
    *,
    max_action: float = 1.0,
    transitions: int = 10_000,
) -> TrainingData:
    """Make random transitions with the fields that a learner asks for, a tenth of them terminal."""
    generator = torch.Generator().manual_seed(0)
    columns = columns_of(observation_size, action_size)
    rows = torch.randn(transitions, columns["next_action"].stop, generator=generator)
    for actions in (columns["action"], columns["next_action"]):
        rows[:, actions].tanh_().mul_(max_action)
    rows[:, columns["not_terminal"]] = (torch.rand(transitions, 1, generator=generator) < 0.1).float()
    needed = max(columns[field].stop for field in (*fields, "not_terminal"))
    return TrainingData(
        rows[:, :needed],
        observation_size,
        action_size,
        max_action,
        state_mean=torch.linspace(-1, 1, observation_size),
        state_scale=torch.linspace(0.5, 2, observation_size),
    )
