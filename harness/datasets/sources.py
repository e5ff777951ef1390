"""What a name in an experiment stands for, and its transitions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from harness.datasets import files, registry
from harness.datasets.cache import Facts, load_or_build
from harness.datasets.dataset import OfflineDataset
from harness.datasets.file_source import FileSource
from harness.datasets.loading import Arrays, as_arrays
from harness.datasets.registry import Task
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError


def load_registered(settings: DatasetSettings, data: DataSettings, next_actions: bool) -> OfflineDataset:
    """Load a registered dataset, which is downloaded first if it is not here."""
    registered = registry.find(settings.name)
    path = files.local_path(registered)
    if not path.exists():
        from harness.datasets.download import download
        from harness.datasets.progress import download_bar

        with download_bar(registered.name) as progress:
            download(registered, progress=progress)
    task = registered.task
    found = FileSource.of(path, settings).load(data, next_actions)
    refusal = _unlike_environment(found, task)
    environment = settings.environment or (None if refusal else task.environment)
    return found.dataset(settings.name, environment, registered.reference, refusal)


def load_path(settings: DatasetSettings, data: DataSettings, next_actions: bool) -> OfflineDataset:
    """Load a file in D4RL's layout.

    What else is known of it comes from, in this order: the settings, the file's own attributes (those that
    `harness data collect` writes), the registered dataset that it is, and for reference scores D4RL's table
    for the environment.
    """
    source = FileSource.of(Path(settings.path or "").expanduser(), settings)
    found = source.load(data, next_actions)
    return found.dataset(settings.name, source.environment, source.reference)


def load_mixture(settings: DatasetSettings, data: DataSettings, next_actions: bool) -> OfflineDataset:
    """Load as many transitions as the smallest part has, always the same ones, from each part its share."""
    shares = settings.mixture or {}
    parts = [load_registered(DatasetSettings(name=name), data, next_actions) for name in shares]
    first = parts[0]
    key: dict[str, JsonValue] = {
        "mixture": [[part.digest, share] for part, share in zip(parts, shares.values(), strict=True)]
    }
    facts: Facts = {
        "observation_size": first.observation_size,
        "action_size": first.action_size,
        "notes": [f"{part.name}: {note}" for part in parts for note in part.notes],
    }
    drawn = list(shares.values())
    transitions = load_or_build(key, lambda: (_mix([part.transitions for part in parts], drawn), facts))
    actions = None
    if next_actions:
        of_parts = [part.next_actions for part in parts if part.next_actions is not None]
        actions = load_or_build(key | {"array": "next_actions"}, lambda: (_mix(of_parts, drawn), {}))
    found = as_arrays(transitions, actions)
    environment = settings.environment or first.environment
    return found.dataset(settings.name, environment, first.reference, first.refusal)


def check_mixture(settings: DatasetSettings) -> None:
    """Check that the datasets of a mixture are of one task.

    Raises:
        HarnessError: when they are not.
    """
    tasks = {registry.find(name).task.name for name in settings.mixture or {}}
    if len(tasks) > 1:
        raise HarnessError(
            f"mixture {settings.name}: its datasets are of different tasks ({', '.join(sorted(tasks))})"
        )


def _mix(parts: list[NDArray[np.float32]], shares: list[float]) -> NDArray[np.float32]:
    total = min(len(part) for part in parts)
    counts = np.diff(np.round(np.cumsum([0.0, *shares]) * total).astype(int))
    generator = np.random.default_rng(0)
    drawn = [
        part[np.sort(generator.choice(len(part), count, replace=False))]
        for part, count in zip(parts, counts, strict=True)
    ]
    return np.concatenate(drawn)


def _unlike_environment(found: Arrays, task: Task) -> str | None:
    """Say how observations differ from the environment's.

    It looks at one in a few hundred transitions: contact forces that are not zero are so at most steps.
    """
    if task.zero_from is None:
        return None
    looked_at = found.transitions[
        :: max(1, len(found.transitions) // 4096), task.zero_from : found.observation_size
    ]
    if not looked_at.any():
        return None
    return f"observations are not zero from column {task.zero_from} on, as those of {task.environment} are"
