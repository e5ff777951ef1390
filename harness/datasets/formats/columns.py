"""The result of every reader: one array per column, and the names of columns in other formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from harness.datasets import episode_marks
from harness.datasets.hdf5 import check_whole
from harness.datasets.layout import REQUIRED
from harness.errors import HarnessError

NAMES: Mapping[str, tuple[str, ...]] = {
    "observations": ("observations", "observation", "obs", "states", "state"),
    "actions": ("actions", "action", "acts"),
    "rewards": ("rewards", "reward", "rews"),
    "next_observations": ("next_observations", "next_observation", "next_obs", "next_states", "next_state"),
}
"""The names of each column in other formats, in the order in which they are tried."""
END = "episode_ends"
"""The column with which a reader marks the last step of each episode, if its format separates episodes."""


@dataclass(frozen=True)
class Source:
    """The file to read, and options."""

    path: Path
    observation_keys: tuple[str, ...] = ()
    """The entries of dictionary observations to concatenate, in this order; empty for all vectors."""

    def error(self, problem: str) -> HarnessError:
        """Return an error that names the file and its problem."""
        return HarnessError(f"{self.path}: {problem}")


@dataclass(frozen=True)
class Columns:
    """N steps, those of an episode in chronological order.

    Attributes:
        arrays: `observations`, `actions`, `rewards` and perhaps `next_observations`, each [N, ...], and the
            arrays that mark ends of episodes, under the names of `episode_marks.NAMES`.
        notes: the decisions of the reader, one line each.
    """

    arrays: Mapping[str, NDArray[Any]]
    notes: tuple[str, ...] = ()


def looks_like_steps(table: Mapping[str, object]) -> bool:
    """Return whether two of the required columns exist, so that an error can name a missing third one."""
    return sum(column in REQUIRED for column in _names_in(table)) >= 2


def arrays_in(table: Mapping[str, object], source: Source, where: str = "") -> dict[str, NDArray[Any]]:
    """Return the arrays of a table that have a known name, by column; the required ones must be there."""
    names = _names_in(table)
    missing = next((column for column in REQUIRED if column not in names), None)
    if missing is not None:
        raise source.error(
            f"{where}{missing} are missing (looked for {', '.join(NAMES[missing])}); there are "
            f"{', '.join(map(str, table)) or 'no arrays'}"
        )
    return {column: as_array(table[name], f"{where}{name}", source) for column, name in names.items()}


def _names_in(table: Mapping[str, object]) -> dict[str, str]:
    """Map the columns that a table has to their names there. Marks of ends keep their names."""
    found = {column: next((name for name in names if name in table), "") for column, names in NAMES.items()}
    found |= {name: name for name in episode_marks.NAMES if name in table}
    return {column: name for column, name in found.items() if name}


def as_array(value: object, name: str, source: Source) -> NDArray[Any]:
    """Return an array, a dataset of HDF5 or a list as an array; concatenate dictionary observations.

    Its values must be numbers, all of which were written.
    """
    if isinstance(value, Mapping):
        return _concatenated(value, name, source)
    if isinstance(value, h5py.Dataset):
        check_whole(name, value, source.path)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise source.error(f"{name} has entries of different shapes ({error})") from None
    if array.dtype.kind not in "fiub":
        raise source.error(f"{name} has type {array.dtype}, not numbers")
    return array


def _concatenated(value: Mapping[str, object], name: str, source: Source) -> NDArray[Any]:
    for key in source.observation_keys:
        if key not in value:
            raise source.error(
                f"{name} have no entry {key} (--observation-keys); there are {', '.join(value)}"
            )
    keys = _chosen(value, source)
    if not keys:
        raise source.error(f"{name} have no entry that is a vector; there are {', '.join(value)}")
    arrays = [as_array(value[key], f"{name}/{key}", source) for key in keys]
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


def entries_note(observations: Mapping[str, object], source: Source) -> str:
    """Return the note on which entries of dictionary observations are concatenated."""
    used = " + ".join(_chosen(observations, source))
    return f"observations are {used}; use --observation-keys for others or another order"


def _chosen(entries: Mapping[str, Any], source: Source) -> tuple[str, ...]:
    return source.observation_keys or tuple(key for key, entry in entries.items() if np.ndim(entry) in (1, 2))


def joined(episodes: Sequence[Mapping[str, NDArray[Any]]], source: Source) -> dict[str, NDArray[Any]]:
    """Concatenate episodes and mark the last step of each in the column `END`.

    All episodes must have the same columns, named as in `Columns.arrays`. An episode of n actions may have
    n + 1 observations; the last n are then its next observations.
    """
    episodes = [_with_next(episode) for episode in episodes if len(episode["actions"])]
    if not episodes:
        raise source.error("has no steps")
    for number, episode in enumerate(episodes):
        if set(episode) != set(episodes[0]):
            raise source.error(
                f"episode {number} has {', '.join(episode)}, but the first one {', '.join(episodes[0])}"
            )
        count = len(episode["actions"])
        for name, array in episode.items():
            if array.shape[:1] != (count,):
                raise source.error(f"{name} of episode {number} has shape {array.shape}, for {count} actions")
            if array.shape[1:] != episodes[0][name].shape[1:]:
                raise source.error(
                    f"{name} of episode {number} has shape {array.shape}, of the first one "
                    f"{episodes[0][name].shape}"
                )
    arrays = {name: np.concatenate([episode[name] for episode in episodes]) for name in episodes[0]}
    ends = np.zeros(len(arrays["actions"]), np.bool_)
    ends[np.cumsum([len(episode["actions"]) for episode in episodes]) - 1] = True
    return arrays | {END: ends}


def _with_next(episode: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    observations = episode["observations"]
    if "next_observations" in episode or len(observations) != len(episode["actions"]) + 1:
        return dict(episode)
    return {**episode, "observations": observations[:-1], "next_observations": observations[1:]}
