"""The data of a pack: each dataset once, whichever of its trials draw from it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness import datasets
from harness.datasets.dataset import OfflineDataset
from harness.environments.making import Environment
from harness.errors import HarnessError
from harness.experiment import DatasetSettings, Trial
from harness.training.environment import action_limit
from harness.training.normalization import state_statistics

StateNormalization = str | tuple[float, ...]


class PackedData(NamedTuple):
    transitions: Tensor
    """[N, 2 S + A + 2], the datasets one behind the other."""
    rows: list[range]
    """Those of each trial."""
    state_mean: NDArray[np.float32]
    """[M, S]"""
    state_scale: NDArray[np.float32]
    """[M, S]"""


def load(trials: Sequence[Trial]) -> list[OfflineDataset]:
    """The dataset of each trial, the same object where trials share one."""
    loaded: dict[str, OfflineDataset] = {}
    for trial in trials:
        key = _key(trial.dataset)
        if key not in loaded:
            loaded[key] = datasets.load(trial.dataset, trial.data)
    return [loaded[_key(trial.dataset)] for trial in trials]


def pack(of_trials: Sequence[OfflineDataset], normalization: StateNormalization, device: str) -> PackedData:
    """Put the trials' datasets one behind the other; a single one is not copied on a CPU."""
    distinct = list({id(dataset): dataset for dataset in of_trials}.values())
    places: dict[int, range] = {}
    for dataset in distinct:
        start = sum(map(len, places.values()))
        places[id(dataset)] = range(start, start + len(dataset))
    statistics = {id(dataset): state_statistics(dataset.observations, normalization) for dataset in distinct}
    parts = [_as_tensor(dataset.transitions, device) for dataset in distinct]
    return PackedData(
        transitions=parts[0] if len(parts) == 1 else torch.cat(parts),
        rows=[places[id(dataset)] for dataset in of_trials],
        state_mean=np.stack([statistics[id(dataset)][0] for dataset in of_trials]),
        state_scale=np.stack([statistics[id(dataset)][1] for dataset in of_trials]),
    )


def environment_name(trial: Trial, dataset: OfflineDataset) -> str:
    """The gymnasium id that the trial is evaluated on."""
    name = trial.dataset.environment or dataset.environment
    if name is None:
        reason = f" ({dataset.refusal})" if dataset.refusal else ""
        raise HarnessError(
            f"dataset {dataset.name}: no environment to evaluate on{reason}; name one with `environment:`"
        )
    return name


def require_fit(dataset: OfflineDataset, environment: Environment) -> None:
    """
    Raises:
        HarnessError: when the dataset's observations or actions are not the environment's.
    """
    limit = action_limit(environment)
    for what, size, space in (
        ("observations", dataset.observation_size, environment.observation_space),
        ("actions", dataset.action_size, environment.action_space),
    ):
        if space.shape != (size,):
            raise HarnessError(
                f"dataset {dataset.name}: {what} have size {size}, those of its environment have shape "
                f"{space.shape}; name its own task with `environment:`"
            )
    largest = float(np.abs(dataset.actions).max())
    if largest > limit * 1.001:
        raise HarnessError(
            f"dataset {dataset.name}: actions reach {largest:g}, those of its environment {limit:g}"
        )


def _key(settings: DatasetSettings) -> str:
    return settings.model_dump_json(exclude={"environment"})


def _as_tensor(array: NDArray[np.float32], device: str) -> Tensor:
    """The array as a tensor, on the CPU without a copy: all processes of a machine share one mapped file."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array).to(device)
