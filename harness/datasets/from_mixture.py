"""Mixtures of registered datasets of one task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from harness.datasets import from_file, registry
from harness.datasets.dataset import OfflineDataset
from harness.datasets.description import Description
from harness.datasets.loading import Facts, as_dataset, load_or_build
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError


def check(settings: DatasetSettings) -> None:
    """Check that the datasets of a mixture are registered and belong to one task."""
    tasks = {registry.find(part.name).task.name for part in _parts(settings)}
    if len(tasks) > 1:
        raise HarnessError(
            f"mixture {settings.name}: its datasets belong to different tasks ({', '.join(sorted(tasks))})"
        )


def load(settings: DatasetSettings, data: DataSettings, next_actions: bool) -> OfflineDataset:
    """Load each part's share of as many transitions as the smallest part has, always the same ones."""
    check(settings)
    shares = list((settings.mixture or {}).values())
    parts = [from_file.load(part, data, next_actions) for part in _parts(settings)]
    first = parts[0]
    key: dict[str, JsonValue] = {
        "mixture": [[part.digest, share] for part, share in zip(parts, shares, strict=True)]
    }
    notes = tuple(f"{part.name}: {note}" for part in parts for note in part.notes)
    facts = Facts(first.observation_size, first.action_size, notes)
    transitions = load_or_build(key, lambda: (_mix([part.transitions for part in parts], shares), facts))
    actions = None
    if next_actions:
        of_parts = [part.next_actions for part in parts if part.next_actions is not None]
        actions = load_or_build(key | {"array": "next_actions"}, lambda: (_mix(of_parts, shares), facts))
    return replace(
        as_dataset(settings.name, transitions, actions),
        environment=EnvironmentSpec(settings.environment) if settings.environment else first.environment,
        reference=first.reference,
        environment_problem=first.environment_problem,
    )


def download_size(settings: DatasetSettings) -> int | None:
    """Return the bytes that are still to be downloaded; None if that is not known."""
    sizes = [from_file.download_size(part) for part in _parts(settings)]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def known_environment(settings: DatasetSettings) -> str | None:
    """Return the id of the environment of its first part."""
    return from_file.known_environment(_parts(settings)[0])


def describe(settings: DatasetSettings) -> Description:
    """Describe the returns of a mixture by quantiles of each part's returns, in proportion to its share.

    There are none if a part is not on this machine.
    """
    mixture = settings.mixture or {}
    parts = [from_file.describe(part) for part in _parts(settings)]
    facts = {"mixture": ", ".join(f"{share:g} of {name}" for name, share in mixture.items())}
    if not all(len(part.returns) for part in parts):
        return Description(settings.name, facts)
    taken = min(part.steps for part in parts)
    mixed = []
    for part, share in zip(parts, mixture.values(), strict=True):
        count = round(len(part.returns) * share * taken / part.steps)
        mixed.append(np.quantile(part.returns, (np.arange(count) + 0.5) / count, method="inverted_cdf"))
    return Description(settings.name, facts, np.concatenate(mixed), taken)


def _parts(settings: DatasetSettings) -> list[DatasetSettings]:
    return [DatasetSettings(name=name) for name in settings.mixture or ()]


def _mix(parts: list[NDArray[np.float32]], shares: list[float]) -> NDArray[np.float32]:
    total = min(len(part) for part in parts)
    counts = np.diff(np.round(np.cumsum([0.0, *shares]) * total).astype(int))
    generator = np.random.default_rng(0)
    drawn = [
        part[np.sort(generator.choice(len(part), count, replace=False))]
        for part, count in zip(parts, counts, strict=True)
    ]
    return np.concatenate(drawn)
