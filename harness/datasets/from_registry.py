"""Registered datasets: D4RL's, and the package's own."""

from __future__ import annotations

from dataclasses import replace

from harness.datasets import files, registry
from harness.datasets.dataset import OfflineDataset
from harness.datasets.download import download
from harness.datasets.file_source import FileSource
from harness.datasets.progress import download_bar
from harness.datasets.registry import Task
from harness.datasets.settings import DatasetSettings, DataSettings


def check(settings: DatasetSettings) -> None:
    """Check that the name is registered.

    Raises:
        HarnessError: if it is not; it suggests the nearest names.
    """
    registry.find(settings.name)


def load(settings: DatasetSettings, data: DataSettings, next_actions: bool) -> OfflineDataset:
    """Load a registered dataset, which is downloaded first if it is not here."""
    registered = registry.find(settings.name)
    path = files.local_path(registered)
    if not path.exists():
        with download_bar(registered.name) as progress:
            download(registered, progress=progress)
    found = FileSource(path, settings).load(data, next_actions)
    problem = None if settings.environment else _unlike_environment(found, registered.task)
    return replace(found, environment=None, environment_problem=problem) if problem else found


def download_size(settings: DatasetSettings) -> int | None:
    """Return the bytes that are still to be downloaded; None if that is not known."""
    registered = registry.find(settings.name)
    return 0 if files.local_path(registered).exists() else registered.size


def known_environment(settings: DatasetSettings) -> str | None:
    """Return the id of the task's environment; None for a name that is not registered."""
    registered = registry.registered().get(settings.name)
    return registered.task.environment if registered else None


def _unlike_environment(found: OfflineDataset, task: Task) -> str | None:
    """Return how observations differ from the environment's.

    It samples one in a few hundred transitions, because contact forces are nonzero at most steps if at all.
    """
    if task.zero_from is None:
        return None
    if not found.observations[:: max(1, len(found) // 4096), task.zero_from :].any():
        return None
    return f"observations are not zero from column {task.zero_from} on, as those of {task.environment} are"
