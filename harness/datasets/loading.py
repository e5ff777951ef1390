"""Converts recorded steps to the arrays of a dataset, which all processes of a machine share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from harness.datasets.cache import CachedArray, Facts, load_or_build
from harness.datasets.dataset import OfflineDataset, ReferenceScores
from harness.datasets.settings import DataSettings
from harness.datasets.transitions import Recording, build_next_actions, build_transitions, select
from harness.environments.spec import EnvironmentSpec


class Arrays(NamedTuple):
    """The arrays of an `OfflineDataset` and their metadata."""

    transitions: NDArray[np.float32]
    """[N, 2 S + A + 2]"""
    next_actions: NDArray[np.float32] | None
    """[N, A]"""
    observation_size: int
    action_size: int
    notes: tuple[str, ...]
    """One line for everything that was dropped, changed or interpreted."""
    digest: str
    """SHA-256 of the transitions."""

    def dataset(
        self,
        name: str,
        environment: EnvironmentSpec | str | None,
        reference: ReferenceScores | None,
        refusal: str | None = None,
    ) -> OfflineDataset:
        """Return the dataset of these arrays; `refusal` states why it has no environment."""
        if isinstance(environment, str):
            environment = EnvironmentSpec(environment)
        return OfflineDataset(
            name,
            self.transitions,
            self.observation_size,
            self.action_size,
            environment,
            reference,
            self.digest,
            refusal,
            self.next_actions,
            self.notes,
        )


def load_arrays(
    key: dict[str, JsonValue], record: Callable[[], Recording], data: DataSettings, next_actions: bool
) -> Arrays:
    """Load the arrays of a dataset from the cache; its steps are recorded only if these are not there.

    Args:
        key: everything that the steps depend on.
        record: reads the steps.
        data: which of them become transitions.
        next_actions: whether to return the recorded actions of the next steps.

    Raises:
        HarnessError: if `record` raises one, or the steps lack data that the settings require.
    """
    key = key | {"data": data.model_dump(mode="json")}

    def build() -> tuple[NDArray[np.float32], Facts]:
        recording = record()
        chosen = select(recording, data)
        facts: Facts = {
            "observation_size": recording.observations.shape[1],
            "action_size": recording.actions.shape[1],
            "notes": list(chosen.notes),
        }
        return build_transitions(recording, chosen, data.rewards), facts

    def build_actions() -> tuple[NDArray[np.float32], Facts]:
        recording = record()
        return build_next_actions(recording, select(recording, data)), {}

    transitions = load_or_build(key, build)
    actions = load_or_build(key | {"array": "next_actions"}, build_actions) if next_actions else None
    return as_arrays(transitions, actions)


def as_arrays(transitions: CachedArray, next_actions: CachedArray | None) -> Arrays:
    """Return cached transitions, and next actions if there are any, as the arrays of a dataset."""
    size, action_size, notes = (
        transitions.facts[name] for name in ("observation_size", "action_size", "notes")
    )
    assert isinstance(size, int)
    assert isinstance(action_size, int)
    assert isinstance(notes, list)
    return Arrays(
        transitions.values,
        None if next_actions is None else next_actions.values,
        size,
        action_size,
        tuple(map(str, notes)),
        transitions.digest,
    )
