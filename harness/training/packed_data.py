"""The data of a pack as one tensor, which contains each dataset once, however many trials share it."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.algorithms import TrainingData
from harness.datasets.dataset import OfflineDataset
from harness.errors import HarnessError
from harness.policies import ActionRange
from harness.training import loading
from harness.training.normalization import state_statistics
from harness.trial import Trial


def rescale_actions(
    of_trials: Sequence[OfflineDataset], ranges: Sequence[ActionRange]
) -> list[OfflineDataset]:
    """Rescale the actions of each trial's dataset to the range of learners; shared datasets stay shared."""
    rescaled = cache(_rescaled)
    return [rescaled(*pair) for pair in zip(of_trials, ranges, strict=True)]


def training_data(
    trials: Sequence[Trial], of_trials: Sequence[OfflineDataset], max_action: float, device: str
) -> TrainingData:
    """Concatenate the datasets of trials for a learner; on a CPU, a single dataset is not copied.

    For a learner that needs next actions, these are the last columns; each dataset is then copied.

    Raises:
        HarnessError: if the learner needs next actions and a dataset was loaded without them.
    """
    distinct = list(dict.fromkeys(of_trials))
    ends = itertools.accumulate(map(len, distinct))
    rows = {dataset: range(end - len(dataset), end) for dataset, end in zip(distinct, ends, strict=True)}
    normalization = trials[0].hyperparameters.state_normalization
    statistics = {dataset: state_statistics(dataset.observations, normalization) for dataset in distinct}
    next_actions = loading.needs_next_actions(trials[0])
    parts = [
        _as_tensor(with_next_actions(dataset) if next_actions else dataset.transitions, device)
        for dataset in distinct
    ]
    means, scales = zip(*(statistics[dataset] for dataset in of_trials), strict=True)
    return TrainingData(
        transitions=parts[0] if len(parts) == 1 else torch.cat(parts),
        observation_size=of_trials[0].observation_size,
        action_size=of_trials[0].action_size,
        max_action=max_action,
        state_mean=torch.from_numpy(np.stack(means)),
        state_scale=torch.from_numpy(np.stack(scales)),
        rows=[rows[dataset] for dataset in of_trials],
        gradient_steps=trials[0].training.gradient_steps,
    )


def with_next_actions(dataset: OfflineDataset) -> NDArray[np.float32]:
    """Return transitions whose last columns are the next actions, [N, 2 S + 2 A + 2].

    Raises:
        HarnessError: if the dataset was loaded without next actions.
    """
    if dataset.next_actions is None:
        raise HarnessError(
            f"dataset {dataset.name} was loaded without the next actions that this algorithm needs; "
            "load it with harness.datasets.load(..., next_actions=True)"
        )
    return np.concatenate([dataset.transitions, dataset.next_actions], axis=1)


def _rescaled(dataset: OfflineDataset, action_range: ActionRange) -> OfflineDataset:
    if action_range.is_symmetric:
        return dataset
    transitions = dataset.transitions.copy()
    columns = slice(dataset.observation_size, dataset.observation_size + dataset.action_size)
    transitions[:, columns] = action_range.to_learner(dataset.actions)
    transitions.setflags(write=False)
    next_actions = dataset.next_actions
    return replace(
        dataset,
        transitions=transitions,
        next_actions=None if next_actions is None else action_range.to_learner(next_actions),
    )


def _as_tensor(array: NDArray[np.float32], device: str) -> Tensor:
    """Return the array as a tensor; on the CPU without a copy, so that processes share one mapped file."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array).to(device)
