"""Imports files of transitions in other formats and writes them in D4RL's layout."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from math import prod
from pathlib import Path
from typing import Any

from gymnasium.spaces import Box, Dict
from numpy.typing import NDArray

from harness.datasets import formats
from harness.datasets.formats import Source
from harness.datasets.layout import FINAL, VECTORS, check_free, check_shapes, checked, write
from harness.datasets.recording import Recording
from harness.environments.factory import make, step_limit
from harness.environments.spec import as_spec
from harness.policies.action_range import ActionRange


def import_file(source: Source, target: Path, environment: str) -> list[str]:
    """Write the transitions of a file, in any of `formats.FORMATS`, in D4RL's layout.

    The environment is the task of the data. Returns lines on what was written, and on decisions made.

    Raises:
        HarnessError: if the target exists, the environment is unknown, or the file is invalid; it names the
            problem.
    """
    check_free(target, "--output")
    max_episode_steps = step_limit(environment)
    columns = formats.read(source)
    arrays = _in_layout(columns.arrays, source.path)
    recording = Recording.of_arrays(arrays, max_episode_steps, source.path)
    ends, returns = recording.ends, recording.episode_returns()
    task_notes = _compare_with_task(recording, environment, source)
    attributes: dict[str, str | int | float] = {
        "environment": environment,
        "policy": f"imported from {source.path.name}",
        "episodes": len(returns),
    }
    if len(returns):
        attributes |= {"mean_return": float(returns.mean()), "std_return": float(returns.std())}
    write(target, recording, attributes)
    episodes = f"{len(returns):,} episodes" if ends.ordered else "episodes unknown"
    written = (
        f"{target}: {len(recording):,} steps, {episodes}, {ends.terminals.sum():,} terminals, "
        f"{ends.timeouts.sum():,} timeouts"
    )
    return [written, *columns.notes, *recording.notes, *ends.notes, *task_notes]


def _in_layout(arrays: Mapping[str, NDArray[Any]], source: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays in D4RL's layout; observations and actions of any shape become vectors."""
    flat = dict(arrays)
    for name in arrays.keys() & {*VECTORS, FINAL}:
        if arrays[name].ndim:
            flat[name] = arrays[name].reshape(len(arrays[name]), prod(arrays[name].shape[1:]))
    check_shapes({name: array.shape for name, array in flat.items()}, source)
    return checked(flat, source)


def _compare_with_task(recording: Recording, environment: str, source: Source) -> list[str]:
    """Check the sizes of observations and actions; return notes on the settings that training needs."""
    notes: list[str] = []
    spec = as_spec(environment)
    with closing(make(spec)) as task:
        if isinstance(task.observation_space, Dict):
            keys = source.observation_keys
            if not keys:
                raise source.error(
                    f"{environment} has dictionary observations with {', '.join(task.observation_space)}; "
                    "name those of the data with --observation-keys"
                )
            spec = spec.selecting(keys)
            notes.append(f"train with data.observation_keys: [{', '.join(keys)}]")
    with closing(make(spec)) as task:
        for name, values, space in (
            ("observations", recording.observations, task.observation_space),
            ("actions", recording.actions, task.action_space),
        ):
            size = prod(space.shape or ())
            if values.shape[1] != size:
                raise source.error(
                    f"{name} have size {values.shape[1]}, but those of {environment} have {size}; "
                    "name the task of the data with --environment"
                )
        actions = task.action_space
        if not isinstance(actions, Box) or not actions.is_bounded():
            return notes
        outside = ActionRange.of(actions).exceeded_by(recording.actions)
    if outside:
        notes.append(f"{outside}; data.clip_actions: true clips them in training")
    return notes
