"""Datasets of Minari (https://minari.farama.org), by `minari:ID`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict
from numpy.typing import NDArray
from pydantic import JsonValue

from harness.datasets import MINARI
from harness.datasets.dataset import OfflineDataset, ReferenceScores
from harness.datasets.description import Description, recording_facts, reference_facts
from harness.datasets.episode_ends import EpisodeEnds
from harness.datasets.files import check_same, digest_of
from harness.datasets.loading import load_transitions
from harness.datasets.minari_environment import evaluation_environment
from harness.datasets.recording import Recording
from harness.datasets.registry import holds_human_actions, reference_of_environment, scored_steps
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.environments.factory import step_limit
from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError, needs_extra, one_line, warn
from harness.policies import ActionRange

DEFAULT_KEYS = ("achieved_goal", "observation", "desired_goal")
"""Entries of dictionary observations that are concatenated by default (see `data.observation_keys`)."""


def check(settings: DatasetSettings) -> None:
    """Check that Minari is installed, and that the id has the form of its ids."""
    minari = _minari()
    try:
        _, _, version = minari.dataset.minari_dataset.parse_dataset_id(_id(settings.name))
    except (ValueError, TypeError):
        version = None
    if version is None:
        raise HarnessError(
            f"{settings.name} is not a Minari dataset id; ids have the form NAMESPACE/NAME-vVERSION, such as "
            "minari:mujoco/hopper/medium-v0"
        )


def is_local(name: str) -> bool:
    """Return whether Minari has the dataset on this machine."""
    minari = _minari()
    with _one_line(name):
        return _id(name) in minari.list_local_datasets()


def download_size(settings: DatasetSettings) -> int | None:
    """Return 0 for a dataset on this machine; Minari does not tell the size of others."""
    return 0 if is_local(settings.name) else None


def known_environment(settings: DatasetSettings) -> None:
    """Return None, because the dataset must be read."""


def load(settings: DatasetSettings, data: DataSettings, next_actions: bool) -> OfflineDataset:
    """Load a Minari dataset, which Minari downloads first if it is not on this machine.

    Minari stores the observation after the last step of every episode, so `timeout_steps: keep` loses no
    steps. Policies are evaluated on the environment of the settings, else on that of the dataset.
    """
    check(settings)
    dataset = opened(settings.name)
    if settings.environment is not None:
        environment: EnvironmentSpec | None = EnvironmentSpec(settings.environment)
        scores = reference_of_environment(settings.environment)
    else:
        environment = evaluation_environment(settings.name, dataset)
        scores = reference(settings.name, dataset, environment)
    keys = observation_keys(settings.name, dataset, data.observation_keys)
    if environment is not None:
        environment = environment.selecting(keys)
    files = sorted(path for path in dataset.storage.data_path.rglob("*") if path.is_file())
    digests = {path: digest_of(path) for path in files}
    key: dict[str, JsonValue] = {"minari": [*digests.values()], "id": _id(settings.name)}

    def read() -> Recording:
        recording = record(settings.name, dataset, keys)
        for path, digest in digests.items():
            check_same(path, digest)
        if not (data.clip_actions or holds_human_actions(settings.name)):
            return recording
        return recording.clipped(ActionRange.of(dataset.action_space))

    found = load_transitions(settings.name, key, read, data, next_actions)
    return replace(found, environment=environment, reference=scores)


def describe(settings: DatasetSettings) -> Description:
    """Describe a dataset; one that is not on this machine by its name alone."""
    name = settings.name
    check(settings)
    if not is_local(name):
        missing = f"not here (`minari download {_id(name)}`, or at its first use)"
        return Description(name, {"file": missing})
    dataset = opened(name)
    recording = record(name, dataset, observation_keys(name, dataset, ()))
    returns, environment = recording.episode_returns(), evaluation_environment(name, dataset)
    facts = {"environment": str(environment or "unknown"), "steps": str(len(recording))}
    facts |= recording_facts(recording)
    facts |= reference_facts(reference(name, dataset, environment), returns)
    return Description(name, facts, returns, len(recording))


def observation_keys(name: str, dataset: Any, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the entries of dictionary observations to concatenate; none if observations are vectors.

    By default they are `observation` and `desired_goal`, as in the literature on goal-conditioned tasks,
    preceded by `achieved_goal` if `observation` lacks it, such as the ant's position in AntMaze.

    Raises:
        HarnessError: if an entry is missing or not a vector.
    """
    space = dataset.observation_space
    if not isinstance(space, Dict):
        if wanted:
            raise HarnessError(f"{name}: data.observation_keys need dictionary observations, not {space}")
        return ()
    vectors = [key for key, box in space.spaces.items() if isinstance(box, Box) and len(box.shape) == 1]
    found = f"its dictionary observations have the vectors {', '.join(vectors) or 'none'}"
    for key in wanted:
        if key not in vectors:
            raise HarnessError(f"{name}: data.observation_keys contains {key!r}, but {found}")
    if wanted:
        return wanted
    if "observation" not in vectors:
        raise HarnessError(f"{name}: {found}; choose some with data.observation_keys")
    if "achieved_goal" in vectors and _is_observed(next(_episodes(name, dataset)), "achieved_goal"):
        vectors.remove("achieved_goal")
    return tuple(key for key in DEFAULT_KEYS if key in vectors)


def _is_observed(episode: Any, key: str) -> bool:
    """Return whether `observation` contains the entry as adjacent columns in an episode."""
    observations, entries = episode.observations["observation"], episode.observations[key]
    size = entries.shape[1]
    starts = range(observations.shape[1] - size + 1)
    return any(np.array_equal(observations[:, start : start + size], entries) for start in starts)


def record(name: str, dataset: Any, keys: tuple[str, ...] = ()) -> Recording:
    """Read all episodes; their last steps have next observations like all others."""
    spaces = {"observation": dataset.observation_space, "action": dataset.action_space}
    for what, space in spaces.items():
        is_vector = isinstance(space, Box) and len(space.shape) == 1
        if not is_vector and not (what == "observation" and keys):
            raise HarnessError(f"{name}: its {what} space is {space}, not a box of one dimension")
    parts = [_steps(name, episode, keys) for episode in _episodes(name, dataset)]
    observations, actions, rewards, following, terminals, timeouts, last = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    ends = EpisodeEnds(terminals, timeouts, last, np.ones_like(last), ordered=True)
    notes = (f"observations are {' + '.join(keys)}; set data.observation_keys for others",) if keys else ()
    return Recording(name, observations, actions, rewards, following, ends, notes)


def _episodes(name: str, dataset: Any) -> Iterator[Any]:
    """Yield the episodes of a dataset."""
    with _one_line(name):
        yield from dataset.iterate_episodes()


def _steps(name: str, episode: Any, keys: tuple[str, ...]) -> tuple[NDArray[Any], ...]:
    """Return observations, actions, rewards, next observations, terminals, timeouts and the last step [T]."""
    entries = [episode.observations[key] for key in keys]
    observations = np.asarray(np.concatenate(entries, axis=1) if keys else episode.observations, np.float32)
    actions, rewards = np.asarray(episode.actions, np.float32), np.asarray(episode.rewards, np.float32)
    if not all(np.isfinite(values).all() for values in (observations, actions, rewards)):
        raise HarnessError(f"{name}: episode {episode.id} has NaN or infinite values; fix the dataset")
    terminals = np.asarray(episode.terminations, np.bool_)
    timeouts = np.asarray(episode.truncations, np.bool_) & ~terminals
    last = np.arange(len(rewards)) == len(rewards) - 1
    return observations[:-1], actions, rewards, observations[1:], terminals, timeouts, last


def reference(name: str, dataset: Any, environment: EnvironmentSpec | None) -> ReferenceScores | None:
    """Return the reference returns (scores 0 and 100) of the task that the dataset describes.

    They are Minari's if it has them, else D4RL's if the dataset's task is the registered one.
    """
    metadata = dataset.storage.metadata
    own = ReferenceScores.of(metadata.get("ref_min_score"), metadata.get("ref_max_score"))
    if environment is None:
        return own
    if own is None:
        return reference_of_environment(environment.id) if environment.is_registered_task else None
    steps, limit = scored_steps(own, environment.id), step_limit(environment)
    if steps in (None, limit):
        return own
    warn(
        f"{name}: its reference scores belong to episodes of {steps} steps, but its environment has {limit}; "
        "no normalized score is shown"
    )
    return None


def opened(name: str) -> Any:
    """Open a dataset as a `minari.MinariDataset`, downloading it first if necessary."""
    minari = _minari()
    with _one_line(name):
        return minari.load_dataset(_id(name), download=True)


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # Minari and its downloaders raise various exceptions
        raise HarnessError(f"{name}: Minari cannot load it ({one_line(error)})") from None


def _id(name: str) -> str:
    return name.removeprefix(MINARI)


def _minari() -> Any:
    with needs_extra("minari", "Minari's datasets need the package minari"):
        import minari
    return minari
