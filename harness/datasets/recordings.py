"""Reading the recorded steps of a file in D4RL's layout."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Space
from numpy.typing import NDArray

from harness.datasets import hdf5
from harness.datasets.episode_ends import find_episode_ends
from harness.datasets.registry import Task
from harness.datasets.transitions import Recording
from harness.errors import HarnessError

TOLERANCE = 0.001
"""How far recorded actions may exceed the range, as a fraction of half its width."""


@dataclass(frozen=True)
class ActionBounds:
    """The range of a task's actions."""

    low: tuple[float, ...]
    """[A]"""
    high: tuple[float, ...]
    """[A]"""

    @classmethod
    def of(cls, space: Space[Any]) -> ActionBounds | None:
        """Return the bounds of an environment's action space; None if it is not a bounded box."""
        if not isinstance(space, Box) or not space.is_bounded():
            return None
        low, high = space.low.reshape(-1), space.high.reshape(-1)
        return cls(tuple(map(float, low)), tuple(map(float, high)))

    def outside(self, actions: NDArray[np.float32]) -> str | None:
        """Return in words how many of the actions [N, A] are outside the range, or None if none is."""
        low, high = np.array(self.low), np.array(self.high)
        margin = TOLERANCE * (high - low) / 2
        beyond = ((actions < low - margin) | (actions > high + margin)).any(axis=1)
        if not beyond.any():
            return None
        return (
            f"{beyond.sum():,} of {len(actions):,} actions are outside the task's range "
            f"[{low.min():g}, {high.max():g}] (they lie in [{actions.min():g}, {actions.max():g}])"
        )

    def clip(self, recording: Recording) -> Recording:
        """Return the recording with its actions clipped to the range, and a note if that changed any."""
        outside = self.outside(recording.actions)
        if outside is None:
            return recording
        low, high = np.array(self.low, np.float32), np.array(self.high, np.float32)
        return replace(
            recording,
            actions=np.clip(recording.actions, low, high),
            notes=(*recording.notes, f"{outside}; they are clipped to it (data.clip_actions)"),
        )


def read_recording(
    path: Path, max_episode_steps: int | None, task: Task | None = None, successors: bool = True
) -> Recording:
    """Read the steps of a file in D4RL's layout.

    Args:
        path: the file.
        max_episode_steps: the step limit of the task, if it is known.
        task: the task of D4RL's own files, to which D4RL's rule applies. Others follow `episode_ends`.
        successors: whether next observations are read where D4RL's rule applies, which takes the next row's.

    Raises:
        HarnessError: for a file that is damaged, not in D4RL's layout, or not of the task.
    """
    with hdf5.open_file(path) as file:
        if task is not None:
            _check_sizes(file, task)
        observations = file.read("observations")
        following = None
        if "next_observations" in file.arrays and (task is None or successors):
            following = file.read("next_observations")
        arrays = file.read_marks(("terminals", "timeouts")) if task is not None else file.read_marks()
        arrays["observations"] = observations
        if following is not None:
            arrays["next_observations"] = following
        ends = find_episode_ends(arrays, max_episode_steps, source=path, d4rl=task is not None)
        if task is not None and not (ends.last.any() or task.continuing):
            raise HarnessError(
                f"{path}: no episode ever ends (terminals and timeouts are all false); "
                "mark the ends of its episodes"
            )
        return Recording(str(path), observations, file.read("actions"), file.read("rewards"), following, ends)


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
