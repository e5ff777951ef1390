"""Made-up transitions, on which learners are checked and their speed is measured."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from harness.algorithms.data import BatchField, TrainingData, columns_of, not_terminal_column


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
    all_columns = columns_of(("next_action",), observation_size, action_size)
    rows = torch.randn(transitions, all_columns, generator=generator)
    for actions in (slice(observation_size, observation_size + action_size), slice(-action_size, None)):
        rows[:, actions].tanh_().mul_(max_action)
    terminal = not_terminal_column(observation_size, action_size)
    rows[:, terminal] = (torch.rand(transitions, generator=generator) < 0.1).float()
    needed = max(columns_of(fields, observation_size, action_size), terminal + 1)
    return TrainingData(
        rows[:, :needed],
        observation_size,
        action_size,
        max_action,
        state_mean=torch.linspace(-1, 1, observation_size),
        state_scale=torch.linspace(0.5, 2, observation_size),
    )
