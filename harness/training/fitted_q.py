"""Estimates the values of trained policies from a dataset, without the environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.algorithms.data import Batch, TrainingData
from harness.algorithms.fqe import FittedQEvaluation, FQEHyperparameters
from harness.datasets.dataset import OfflineDataset
from harness.training.normalization import state_statistics
from harness.training.settings import SelectionSettings

ROWS_AT_ONCE = 4096
MAX_BYTES = 4 * 2**30
"""The largest size of the transitions of a pack, which contain the dataset once for each policy."""

Actor = Callable[[NDArray[np.floating]], NDArray[np.float32]]
"""Maps observations [E, S] to actions [E, A]."""


class FittedQ(NamedTuple):
    """The result of fitted Q evaluation for one policy, in the units of the rewards."""

    value: float
    """Mean of Q(s, pi(s)) over the initial states of the dataset's episodes: a discounted return."""
    td_error: float
    """Root mean square of r + discount Q(s', pi(s')) - Q(s, a) over the dataset."""


def evaluate(
    policies: Sequence[Actor], dataset: OfflineDataset, settings: SelectionSettings, device: str = "cpu"
) -> list[FittedQ]:
    """Fit the Q-function of each policy to the dataset.

    The critics are trained side by side, as many at a time as fit into memory; the estimates do not depend on
    each other. Stochastic policies are evaluated by their deterministic actions, as in the environment.

    The actions of policies are in the range of the dataset's. An estimate is not finite if its critic
    diverged.
    """
    row_bytes = 4 * (dataset.transitions.shape[1] + dataset.action_size)
    together = max(1, MAX_BYTES // (row_bytes * len(dataset)))
    packs = (policies[start : start + together] for start in range(0, len(policies), together))
    return [found for pack in packs for found in _evaluate_pack(pack, dataset, settings, device)]


def initial_rows(dataset: OfflineDataset) -> NDArray[np.intp]:
    """Return the rows in which episodes begin: those that do not continue the previous row.

    If rows are not in chronological order, these are all rows.
    """
    continues = (dataset.next_observations[:-1] == dataset.observations[1:]).all(axis=1)
    continues &= ~dataset.terminals[:-1]
    return np.flatnonzero(np.append(True, ~continues))


def _evaluate_pack(
    policies: Sequence[Actor], dataset: OfflineDataset, settings: SelectionSettings, device: str
) -> list[FittedQ]:
    scale = _reward_scale(dataset, settings.discount)
    mean, deviation = map(torch.from_numpy, state_statistics(dataset.observations, "standardize"))
    rows = torch.stack([torch.from_numpy(_rows(policy, dataset, scale)) for policy in policies])
    data = TrainingData(
        transitions=rows.flatten(0, 1).to(device),
        observation_size=dataset.observation_size,
        action_size=dataset.action_size,
        max_action=1.0,  # unused, as there is no actor
        state_mean=mean,
        state_scale=deviation,
        rows=[range(at * len(dataset), (at + 1) * len(dataset)) for at in range(len(policies))],
        gradient_steps=settings.gradient_steps,
    )
    hyperparameters = FQEHyperparameters(
        **settings.model_dump(include={"batch_size", "hidden_sizes", "discount", "tau", "learning_rate"})
    )
    learner = FittedQEvaluation(hyperparameters, data, [settings.seed] * len(policies), device=device)
    learner.train(settings.gradient_steps)
    starts = dataset.observations[initial_rows(dataset)]
    actions = np.stack([policy(starts).astype(np.float32) for policy in policies])
    states = torch.from_numpy(starts).expand(len(policies), -1, -1)
    values = _q_values(learner, states, torch.from_numpy(actions)).mean(1)
    errors = _td_errors(learner, Batch(rows, data.columns))
    return [
        FittedQ(value * scale, error * scale)
        for value, error in zip(values.tolist(), errors.tolist(), strict=True)
    ]


def _rows(policy: Actor, dataset: OfflineDataset, scale: float) -> NDArray[np.float32]:
    """Return transitions with scaled rewards and the policy's next actions, [N, 2 S + 2 A + 2]."""
    next_actions = np.concatenate(
        [
            policy(dataset.next_observations[start : start + ROWS_AT_ONCE])
            for start in range(0, len(dataset), ROWS_AT_ONCE)
        ]
    )
    rows = np.concatenate([dataset.transitions, next_actions.astype(np.float32)], axis=1)
    rows[:, dataset.observation_size + dataset.action_size] /= scale
    return rows


def _reward_scale(dataset: OfflineDataset, discount: float) -> float:
    """Return the divisor of rewards that makes values about 1 in every task."""
    size = float(np.sqrt(np.mean(np.square(dataset.rewards, dtype=np.float64))))
    return (size or 1.0) / (1 - discount)


def _q_values(learner: FittedQEvaluation, states: Tensor, actions: Tensor) -> Tensor:
    """Return Q(s, a), [M, n], of recorded states [M, n, S] and actions [M, n, A]."""
    parts = zip(*(torch.split(each, ROWS_AT_ONCE, dim=1) for each in (states, actions)), strict=True)
    return torch.cat([learner.q_values(*part).to("cpu", torch.float64) for part in parts], dim=1)


def _td_errors(learner: FittedQEvaluation, batch: Batch) -> Tensor:
    """Return the root mean square of the TD errors of each member, [M], over recorded transitions."""
    q = _q_values(learner, batch.state, batch.action)
    next_q = _q_values(learner, batch.next_state, batch.next_action)
    not_terminal = 1 - batch.not_terminal  # in these rows the column is the terminal itself
    target = batch.reward + learner.hyperparameters.discount * not_terminal * next_q
    return (target - q).square().mean(1).sqrt()
