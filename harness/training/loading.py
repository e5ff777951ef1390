"""Loads the datasets of trials. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Sequence

from harness import datasets
from harness.algorithms import registry
from harness.datasets.dataset import OfflineDataset
from harness.datasets.settings import DatasetSettings
from harness.trial import Trial


def load(trials: Sequence[Trial]) -> list[OfflineDataset]:
    """Load the dataset of each trial: the same object where trials share one."""
    loaded: dict[str, OfflineDataset] = {}
    for trial in trials:
        key = _key(trial.dataset)
        if key not in loaded:
            loaded[key] = load_dataset(trial)
    return [loaded[_key(trial.dataset)] for trial in trials]


def load_dataset(trial: Trial) -> OfflineDataset:
    """Load the dataset of a trial, with next actions only if its learner needs them."""
    return datasets.load(trial.dataset, trial.data, next_actions=needs_next_actions(trial))


def needs_next_actions(trial: Trial) -> bool:
    """Return whether the learner of a trial needs the dataset's next actions."""
    return registry.resolve(trial.hyperparameters.algorithm).next_actions


def _key(settings: DatasetSettings) -> str:
    return settings.model_dump_json(exclude={"environment"})
