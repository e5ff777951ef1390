"""Collects what is known of a file in D4RL's layout, and reads it accordingly."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from gymnasium.spaces import Box
from pydantic import JsonValue

from harness.datasets import files, hdf5, registry
from harness.datasets.dataset import OfflineDataset, ReferenceScores
from harness.datasets.episode_marks import ENDS, NAMES, TIMEOUTS
from harness.datasets.layout import FINAL
from harness.datasets.loading import load_transitions
from harness.datasets.recording import Recording
from harness.datasets.registry import Task
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.environments.factory import make, step_limit
from harness.environments.packages import require_trusted
from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError
from harness.policies import ActionRange


class FileSource:
    """A file in D4RL's layout, and what is known of it without reading its steps.

    Attributes:
        digest: SHA-256 of the file.
        attributes: the attributes of the file, such as those that `harness data collect` writes.
        registered: the registered dataset that the file equals, by name or digest.
        task: the D4RL task of that dataset; its files are read by D4RL's rule.
        environment: the gymnasium id to evaluate on, if it is known.
        reference: the returns of normalized scores 0 and 100, if they are known.
        max_episode_steps: the step limit of the task, if it is known.

    Raises:
        HarnessError: for a file that cannot be read, or an environment that is unknown but needed.
    """

    def __init__(self, path: Path, settings: DatasetSettings) -> None:
        with hdf5.open_file(path) as file:
            self.attributes, self.steps = file.attributes, len(file)
            self.observation_size = file.arrays["observations"].shape[1]
            self.action_size = file.arrays["actions"].shape[1]
            cuts = file.arrays.keys() & {*TIMEOUTS, *ENDS}
        self.path, self.name, self.digest = path, settings.name, files.checked_digest(path)
        self.registered = registry.registered().get(settings.name) or registry.by_digest(self.digest)
        self.task = self.registered.task if self.registered else None
        self.environment = self._environment(settings)
        self.reference = self._reference()
        if self.task is not None:
            self.max_episode_steps: int | None = self.task.max_episode_steps
        else:
            self.max_episode_steps = _step_limit(self.environment, needed=not cuts)

    def _environment(self, settings: DatasetSettings) -> str | None:
        if settings.environment:
            return settings.environment
        if settings.path is not None and isinstance(self.attributes.get("environment"), str):
            return require_trusted(self.attributes["environment"], settings.path)
        return self.task.environment if self.task else None

    def _reference(self) -> ReferenceScores | None:
        found = self.attributes
        own = ReferenceScores.of(found.get("reference_min_score"), found.get("reference_max_score"))
        if own and self.environment in (None, found.get("environment", self.environment)):
            return own
        if self.registered:
            return self.registered.reference
        return registry.reference_of_environment(self.environment)

    def task_spaces(self) -> tuple[int | None, ActionRange | None]:
        """Return the size of the task's observations, and the range of its actions.

        None stands for a size that is unknown or of observations that are not vectors, and for a range that
        is unknown or unbounded.

        Raises:
            HarnessError: when the environment cannot be made.
        """
        if self.task is not None:
            limits = (self.task.action_limit,) * self.task.action_size
            return self.task.observation_size, ActionRange(tuple(-limit for limit in limits), limits)
        if self.environment is None:
            return None, None
        with closing(make(self.environment)) as environment:
            observations, actions = environment.observation_space, environment.action_space
        is_vector = isinstance(observations, Box) and len(observations.shape) == 1
        action_range = ActionRange.of(actions) if isinstance(actions, Box) and actions.is_bounded() else None
        return observations.shape[0] if is_vector and observations.shape else None, action_range

    def record(self, data: DataSettings) -> Recording:
        """Read the file's steps, with their actions in the task's range.

        Raises:
            HarnessError: if the file is damaged, was changed meanwhile, or does not belong to its task.
        """
        recording = self.read(data)
        if self.task is None and not data.clip_actions:
            return recording
        _, action_range = self.task_spaces()
        if action_range is None:
            raise HarnessError(
                f"{self.path}: data.clip_actions needs the range of the task's actions; "
                "name a task that has one with environment: GYMNASIUM-ID"
            )
        if self._clips(data):
            return recording.clipped(action_range)
        outside = action_range.exceeded_by(recording.actions)
        if outside is not None:
            raise HarnessError(
                f"{self.path}: {outside}; data.clip_actions=true clips them, unless it is another "
                "dataset's file"
            )
        return recording

    def read(self, data: DataSettings) -> Recording:
        """Read the file's steps as they are; the file must not have changed meanwhile."""
        successors = data.timeout_steps == "keep"
        recording = read_recording(self.path, self.max_episode_steps, self.task, successors)
        files.check_same(self.path, self.digest)
        return recording

    def _clips(self, data: DataSettings) -> bool:
        human = self.registered is not None and registry.holds_human_actions(self.registered.name)
        return data.clip_actions or human

    def load(self, data: DataSettings, next_actions: bool) -> OfflineDataset:
        """Load the dataset from the cache, or else from the file."""
        key: dict[str, JsonValue] = {
            "file": self.digest,
            "max_episode_steps": self.max_episode_steps,
            "task": self.task.name if self.task else None,
            "clipped": self._clips(data),
            "environment": self.environment if data.clip_actions else None,
        }
        found = load_transitions(self.name, key, lambda: self.record(data), data, next_actions)
        problem = self._environment_problem(found)
        environment = EnvironmentSpec(self.environment) if self.environment and not problem else None
        return replace(found, environment=environment, environment_problem=problem, reference=self.reference)

    def _environment_problem(self, found: OfflineDataset) -> str | None:
        """Return how observations differ from those of D4RL's task, if that is the environment."""
        task = self.task
        if task is None or task.zero_from is None or self.environment != task.environment:
            return None
        # A few thousand are enough: if contact forces are nonzero at all, they are at most steps.
        if not found.observations[:: max(1, len(found) // 4096), task.zero_from :].any():
            return None
        return (
            f"observations are not zero from column {task.zero_from} on, as those of {task.environment} are"
        )


def _step_limit(environment: str | None, needed: bool) -> int | None:
    if environment is None:
        return None
    try:
        return step_limit(environment)
    except HarnessError:
        if needed:
            raise
        return None


def read_recording(
    path: Path, max_episode_steps: int | None, task: Task | None = None, successors: bool = True
) -> Recording:
    """Read the steps of a file in D4RL's layout.

    Args:
        max_episode_steps: the step limit of the task, if it is known.
        task: the task of D4RL's own files, to which D4RL's rule applies. Others follow `episode_ends`.
        successors: whether to read next observations even if D4RL's rule applies, which uses the next row's.

    Raises:
        HarnessError: for a file that is damaged, not in D4RL's layout, or not of the task.
    """
    with hdf5.open_file(path) as file:
        names = set(file.arrays)
        if task is not None:
            _check_sizes(file, task)
            names -= {*NAMES} - {"terminals", "timeouts"}
            names -= set() if successors else {"next_observations", FINAL}
        arrays = file.read(names)
    recording = Recording.of_arrays(arrays, max_episode_steps, path, d4rl=task is not None)
    if task is not None and not (recording.ends.last.any() or task.continuing):
        raise HarnessError(
            f"{path}: no episode ever ends (terminals and timeouts are all false); "
            "mark the ends of its episodes"
        )
    return recording


def _check_sizes(file: hdf5.D4RLFile, task: Task) -> None:
    for what, expected in (("observations", task.observation_size), ("actions", task.action_size)):
        found = file.arrays[what].shape[1]
        if found != expected:
            raise HarnessError(
                f"{file.path}: {what} have size {found}, those of {task.name} {expected}; "
                "it is another dataset's file"
            )
