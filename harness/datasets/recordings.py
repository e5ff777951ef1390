"""Reads the recorded steps of a file in D4RL's layout, and clips their actions."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from harness.datasets import hdf5
from harness.datasets.episode_ends import find_episode_ends
from harness.datasets.registry import Task
from harness.datasets.transitions import Recording
from harness.errors import HarnessError
from harness.policies import ActionRange


def clip_actions(recording: Recording, action_range: ActionRange) -> Recording:
    """Return the recording with its actions clipped to the range, and a note if any was clearly outside."""
    outside = action_range.exceeded_by(recording.actions)
    if outside is None:
        return recording
    clipped = action_range.clip(recording.actions)
    count = (clipped != recording.actions).any(axis=1).sum()
    note = f"{count:,} of {len(recording):,} actions are clipped to the task's range: {outside}"
    return replace(recording, actions=clipped, notes=(*recording.notes, note))


def holds_human_actions(name: str) -> bool:
    """Return whether a dataset of D4RL or Minari has human actions, which may exceed the range."""
    return not set(re.split(r"[-/]", name)).isdisjoint(("human", "cloned"))


def read_recording(
    path: Path, max_episode_steps: int | None, task: Task | None = None, successors: bool = True
) -> Recording:
    """Read the steps of a file in D4RL's layout.

    Args:
        path: the file.
        max_episode_steps: the step limit of the task, if it is known.
        task: the task of D4RL's own files, to which D4RL's rule applies. Others follow `episode_ends`.
        successors: whether to read next observations even if D4RL's rule applies, which uses the next row's.

    Raises:
        HarnessError: for a file that is damaged, not in D4RL's layout, or not of the task.
    """
    with hdf5.open_file(path) as file:
        if task is not None:
            _check_sizes(file, task)
        observations = file.read("observations")
        following = file.read_next_observations(observations) if task is None or successors else None
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
