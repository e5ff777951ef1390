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
from harness.datasets.settings import DatasetSettings
from harness.training.normalization import state_statistics
from harness.trial import Trial

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


def _key(settings: DatasetSettings) -> str:
    return settings.model_dump_json(exclude={"environment"})


def _as_tensor(array: NDArray[np.float32], device: str) -> Tensor:
    """The array as a tensor, on the CPU without a copy: all processes of a machine share one mapped file."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array).to(device)
