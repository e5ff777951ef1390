"""Offline datasets: D4RL's, Minari's, the package's own for Pendulum, and files of the user."""

from __future__ import annotations

import warnings
from pathlib import Path

from harness.datasets.dataset import OfflineDataset, ReferenceScores
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError, HarnessWarning

__all__ = [
    "OfflineDataset",
    "ReferenceScores",
    "check",
    "download_size",
    "environment_note",
    "known_environment",
    "load",
]

MINARI, OGBENCH = "minari:", "ogbench:"


def load(
    settings: DatasetSettings | str, data: DataSettings | None = None, *, next_actions: bool = False
) -> OfflineDataset:
    """Load the transitions of a dataset; all processes of a machine share one copy in memory.

    A registered dataset that is not here yet is downloaded first. A `HarnessWarning` says what was dropped,
    changed or interpreted.

    Args:
        settings: the dataset, or the name of a registered one.
        data: what is done to its transitions.
        next_actions: also give `OfflineDataset.next_actions`, which are built when they are first asked for.

    Raises:
        HarnessError: naming the file, what is wrong with it, and what to do; with `next_actions` also when
            the rows of the dataset are in no order of time.
    """
    dataset = _load(_settings(settings), data or DataSettings(), next_actions)
    for note in dataset.notes:
        warnings.warn(f"dataset {dataset.name}: {note}", HarnessWarning, stacklevel=2)
    return dataset


def _load(settings: DatasetSettings, data: DataSettings, next_actions: bool) -> OfflineDataset:
    from harness.datasets import sources

    if settings.mixture is not None:
        sources.check_mixture(settings)
        return sources.load_mixture(settings, data, next_actions)
    if settings.path is not None:
        return sources.load_path(settings, data, next_actions)
    if settings.name.startswith(MINARI):
        from harness.datasets.from_minari import load_minari

        return load_minari(settings, data, next_actions)
    if settings.name.startswith(OGBENCH):
        from harness.datasets.from_ogbench import load_ogbench

        return load_ogbench(settings, data, next_actions)
    return sources.load_registered(settings, data, next_actions)


def check(settings: DatasetSettings | str) -> None:
    """Whether a dataset can be loaded and evaluated, as far as shows without reading or downloading it.

    Raises:
        HarnessError: for an unknown id, with the nearest ones; for a file that is missing or no HDF5.
    """
    settings = _settings(settings)
    from harness.datasets import hdf5, registry, sources

    if settings.path is not None:
        path = Path(settings.path).expanduser()
        if not path.exists():
            raise HarnessError(
                f"dataset {settings.name}: {path}: no such file; if it was moved, name it with "
                "--set datasets.N.path=FILE"
            )
        hdf5.check_signature(path)
        return
    if settings.name.startswith(MINARI):
        from harness.datasets.from_minari import check_minari

        check_minari(settings)
        return
    if settings.name.startswith(OGBENCH):
        from harness.datasets.from_ogbench import check_ogbench

        check_ogbench(settings)
        return
    if settings.mixture is not None:
        sources.check_mixture(settings)
    else:
        registry.find(settings.name)


def download_size(settings: DatasetSettings | str) -> int | None:
    """Bytes that loading the dataset would fetch; None where that is not known."""
    settings = _settings(settings)
    if settings.path is not None:
        return 0
    if settings.mixture is not None:
        sizes = [download_size(name) for name in settings.mixture]
        return None if None in sizes else sum(size for size in sizes if size is not None)
    if settings.name.startswith(MINARI):
        from harness.datasets.from_minari import is_local

        return 0 if is_local(settings.name) else None
    if settings.name.startswith(OGBENCH):
        from harness.datasets.from_ogbench import local_path

        return 0 if local_path(settings.name).exists() else None
    from harness.datasets import files, registry
    from harness.datasets.download import partial_size

    registered = registry.find(settings.name)
    path = files.local_path(registered)
    if path.exists():
        return 0
    return None if registered.size is None else max(0, registered.size - partial_size(path))


SUCCESS_RATES = "normalized scores are success rates x 100"


def known_environment(settings: DatasetSettings | str) -> str | None:
    """Return the id of the environment to evaluate on, as far as it is known without reading the dataset."""
    settings = _settings(settings)
    if settings.environment is not None:
        return settings.environment
    if settings.name.startswith(OGBENCH) and settings.path is None:
        from harness.datasets.from_ogbench import environment_id

        return environment_id(settings.name)
    from harness.datasets import registry

    name = next(iter(settings.mixture or [settings.name]))
    registered = registry.registered().get(name) if settings.path is None else None
    return registered.task.environment if registered else None


def environment_note(settings: DatasetSettings | str, evaluated_on: str | None = None) -> str | None:
    """Say, for captions, what scores are and how the environment differs from that of the data.

    Args:
        evaluated_on: the environment that results name, where only the dataset's file says it.
    """
    settings = _settings(settings)
    from harness.datasets import registry

    if settings.mixture is not None:
        return environment_note(next(iter(settings.mixture)))
    if settings.name in registry.registered():
        task = registry.find(settings.name).task
        if settings.environment not in (None, task.environment):
            return f"evaluated on {settings.environment}, which is not the task that the data was made in"
        return "; ".join(filter(None, [SUCCESS_RATES if task.success_rate else None, task.note])) or None
    if settings.name.startswith(OGBENCH) and settings.path is None and settings.environment is None:
        return SUCCESS_RATES
    task_of_own = registry.task_of_environment(settings.environment or evaluated_on)
    return SUCCESS_RATES if task_of_own and task_of_own.success_rate else None


def _settings(settings: DatasetSettings | str) -> DatasetSettings:
    return DatasetSettings(name=settings) if isinstance(settings, str) else settings
