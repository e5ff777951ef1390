"""What a name in an experiment stands for, and its transitions."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets import files, hdf5, registry
from harness.datasets.cache import Packed, packed
from harness.datasets.dataset import OfflineDataset, ReferenceScores
from harness.datasets.registry import RegisteredDataset, Task
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.datasets.transitions import pack, plan
from harness.environments.factory import step_limit
from harness.environments.packages import require_trusted
from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError

ACTION_TOLERANCE = 1.001


def load_registered(settings: DatasetSettings, data: DataSettings) -> OfflineDataset:
    """A registered dataset, downloaded first where it is not here."""
    registered = registry.find(settings.name)
    path = files.local_path(registered)
    if not path.exists():
        from harness.datasets.download import download
        from harness.datasets.progress import bar

        with bar(registered.name, in_bytes=True) as advance:
            download(registered, progress=lambda done, total: advance("", done, total))
    task = registered.task
    found = _pack_file(path, data, task, task.max_episode_steps)
    refusal = _unlike_environment(found, task)
    environment = settings.environment or (None if refusal else task.environment)
    return OfflineDataset(
        name=settings.name,
        transitions=found.transitions,
        observation_size=found.observation_size,
        action_size=found.action_size,
        environment=None if environment is None else EnvironmentSpec(environment),
        reference=registered.reference,
        digest=found.digest,
        refusal=refusal,
    )


def load_path(settings: DatasetSettings, data: DataSettings) -> OfflineDataset:
    """A file in D4RL's layout.

    What is known of it besides comes from, in this order: the settings, the file's own attributes (those that
    `harness data collect` writes), the registered dataset of the same name, and for reference scores D4RL's
    table for the environment.
    """
    path = Path(settings.path or "").expanduser()
    registered = registry.registered().get(settings.name)
    with hdf5.open_file(path) as file:
        attributes = file.attributes
        lengths_needed = "timeouts" not in file.arrays
    environment = path_environment(settings, attributes)
    max_episode_steps = registered.task.max_episode_steps if registered else None
    if max_episode_steps is None and environment is not None and lengths_needed:
        max_episode_steps = step_limit(environment)
    found = _pack_file(path, data, registered.task if registered else None, max_episode_steps)
    return OfflineDataset(
        name=settings.name,
        transitions=found.transitions,
        observation_size=found.observation_size,
        action_size=found.action_size,
        environment=None if environment is None else EnvironmentSpec(environment),
        reference=path_reference(environment, attributes, registered),
        digest=found.digest,
    )


def path_environment(settings: DatasetSettings, attributes: Any) -> str | None:
    if settings.environment:
        return settings.environment
    if isinstance(attributes.get("environment"), str):
        return require_trusted(attributes["environment"], settings.path)
    registered = registry.registered().get(settings.name)
    return registered.task.environment if registered else None


def load_mixture(settings: DatasetSettings, data: DataSettings) -> OfflineDataset:
    """As many transitions as the smallest part has, from each part in its share, always the same ones."""
    shares = settings.mixture or {}
    parts = [load_registered(DatasetSettings(name=name), data) for name in shares]
    first = parts[0]
    found = packed(
        {"mixture": [[part.digest, share] for part, share in zip(parts, shares.values(), strict=True)]},
        lambda: _mix(parts, list(shares.values())),
    )
    return OfflineDataset(
        name=settings.name,
        transitions=found.transitions,
        observation_size=found.observation_size,
        action_size=found.action_size,
        environment=EnvironmentSpec(settings.environment) if settings.environment else first.environment,
        reference=first.reference,
        digest=found.digest,
        refusal=first.refusal,
    )


def check_mixture(settings: DatasetSettings) -> None:
    tasks = {registry.find(name).task.name for name in settings.mixture or {}}
    if len(tasks) > 1:
        raise HarnessError(
            f"mixture {settings.name}: its datasets are of different tasks ({', '.join(sorted(tasks))})"
        )


def _mix(parts: list[OfflineDataset], shares: list[float]) -> tuple[NDArray[np.float32], int, int]:
    total = min(len(part) for part in parts)
    counts = np.diff(np.round(np.cumsum([0.0, *shares]) * total).astype(int))
    generator = np.random.default_rng(0)
    drawn = [
        part.transitions[np.sort(generator.choice(len(part), count, replace=False))]
        for part, count in zip(parts, counts, strict=True)
    ]
    return np.concatenate(drawn), parts[0].observation_size, parts[0].action_size


def _unlike_environment(found: Packed, task: Task) -> str | None:
    """Looked for in every few hundredth transition: contact forces that are not zero are so at most steps."""
    if task.zero_from is None:
        return None
    looked_at = found.transitions[
        :: max(1, len(found.transitions) // 4096), task.zero_from : found.observation_size
    ]
    if not looked_at.any():
        return None
    return f"observations are not zero from column {task.zero_from} on, as those of {task.environment} are"


def _pack_file(path: Path, data: DataSettings, task: Task | None, max_episode_steps: int | None) -> Packed:
    digest = files.checked_digest(path)
    key = {
        "file": digest,
        "data": data.model_dump(mode="json"),
        "max_episode_steps": max_episode_steps,
        "task": task.name if task else None,
    }

    def read() -> tuple[NDArray[np.float32], int, int]:
        found = _read_file(path, data, task, max_episode_steps)
        files.check_same(path, digest)
        return found

    return packed(key, read)


def _read_file(
    path: Path, data: DataSettings, task: Task | None, max_episode_steps: int | None
) -> tuple[NDArray[np.float32], int, int]:
    with hdf5.open_file(path) as file:
        if task is not None:
            _check_sizes(file, task)
        continuing = task is not None and task.continuing
        steps = plan(file, data, max_episode_steps, continuing, trusted=task is not None)
        transitions = pack(file, steps)
        if task is not None:
            _check_action_range(transitions, file, task)
        return transitions, file.observation_size, file.action_size


def _check_sizes(file: hdf5.D4RLFile, task: Task) -> None:
    for what, found, expected in (
        ("observations", file.observation_size, task.observation_size),
        ("actions", file.action_size, task.action_size),
    ):
        if found != expected:
            raise HarnessError(
                f"{file.path}: {what} have size {found}, those of {task.name} {expected}; "
                "it is another dataset's file"
            )


def _check_action_range(transitions: NDArray[np.float32], file: hdf5.D4RLFile, task: Task) -> None:
    actions = transitions[:, file.observation_size : file.observation_size + file.action_size]
    largest = max(float(actions.max()), -float(actions.min()))
    if largest > task.action_limit * ACTION_TOLERANCE:
        raise HarnessError(
            f"{file.path}: actions reach {largest:g}, those of {task.name} {task.action_limit:g}; "
            "it is another dataset's file, or its actions have another scale"
        )


def path_reference(
    environment: str | None, attributes: Any, registered: RegisteredDataset | None
) -> ReferenceScores | None:
    low, high = attributes.get("reference_min_score"), attributes.get("reference_max_score")
    same = environment is None or attributes.get("environment", environment) == environment
    if isinstance(low, int | float) and isinstance(high, int | float) and same and -inf < low < high < inf:
        return ReferenceScores(float(low), float(high))
    if registered is not None:
        return registered.reference
    return registry.reference_of_environment(environment)
