"""Converts recorded steps to the arrays of a dataset, which all processes of a machine share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from harness.datasets.cache import CachedArray, Facts, load_or_build
from harness.datasets.dataset import OfflineDataset
from harness.datasets.recording import Recording
from harness.datasets.settings import DataSettings
from harness.datasets.transitions import Selection, build_next_actions, build_transitions, select


def load_transitions(
    name: str,
    key: dict[str, JsonValue],
    record: Callable[[], Recording],
    data: DataSettings,
    next_actions: bool,
) -> OfflineDataset:
    """Load a dataset from the cache; its steps are recorded only if it is not there.

    Args:
        name: the name of the dataset.
        key: everything that the steps depend on.
        record: reads the steps.
        data: which of them become transitions.
        next_actions: whether to load the recorded actions of the next steps.

    Returns:
        The dataset, without an environment and reference scores.

    Raises:
        HarnessError: if `record` raises one, or the steps lack data that the settings require.
    """
    key = key | {"data": data.model_dump(mode="json")}

    @cache
    def selected() -> tuple[Recording, Selection]:
        recording = record()
        return recording, select(recording, data)

    def build() -> tuple[NDArray[np.float32], Facts]:
        recording, chosen = selected()
        sizes = recording.observations.shape[1], recording.actions.shape[1]
        return build_transitions(recording, chosen, data.rewards), Facts(*sizes, chosen.notes)

    transitions = load_or_build(key, build)
    actions = None
    if next_actions:
        actions = load_or_build(
            key | {"array": "next_actions"}, lambda: (build_next_actions(*selected()), transitions.facts)
        )
    return as_dataset(name, transitions, actions)


def as_dataset(name: str, transitions: CachedArray, next_actions: CachedArray | None) -> OfflineDataset:
    """Return the dataset of cached arrays, without an environment and reference scores."""
    facts = transitions.facts
    return OfflineDataset(
        name=name,
        transitions=transitions.values,
        observation_size=facts.observation_size,
        action_size=facts.action_size,
        environment=None,
        reference=None,
        digest=transitions.digest,
        next_actions=None if next_actions is None else next_actions.values,
        notes=facts.notes,
    )
