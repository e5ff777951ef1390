"""D4RL's file layout: what is in an HDF5 file of transitions, and how one is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.writing import write_bytes


@dataclass(frozen=True)
class Steps:
    """Environment steps in the order in which they were taken, episodes one behind the other.

    `terminals` marks steps into an absorbing state (the bootstrap stops), `timeouts` those after which an
    episode was cut (it goes on).
    """

    observations: NDArray[np.float32]
    """[N, S]"""
    actions: NDArray[np.float32]
    """[N, A]"""
    rewards: NDArray[np.float32]
    """[N]"""
    next_observations: NDArray[np.float32]
    """[N, S]"""
    terminals: NDArray[np.bool_]
    """[N]"""
    timeouts: NDArray[np.bool_]
    """[N]"""

    def __len__(self) -> int:
        return len(self.rewards)

    def __getitem__(self, rows: slice) -> Steps:
        return Steps(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def concatenate(cls, parts: Sequence[Steps]) -> Steps:
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def episode_returns(self) -> NDArray[np.float64]:
        return episode_returns(self.rewards, np.flatnonzero(self.terminals | self.timeouts))


def episode_returns(rewards: NDArray[np.float32], ends: NDArray[np.intp]) -> NDArray[np.float64]:
    """[episodes] undiscounted; rows behind the last end belong to no whole episode."""
    if not len(ends):
        return np.zeros(0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    returns: NDArray[np.float64] = np.add.reduceat(rewards[: ends[-1] + 1].astype(np.float64), starts)
    return returns


def check_free(path: Path, options: str) -> None:
    """
    Raises:
        HarnessError: where there is a file already, which took hours maybe; `options` name another.
    """
    if path.exists():
        raise HarnessError(f"{path}: already exists; move it away, or name another with {options}")


def write(path: Path, steps: Steps, attributes: Mapping[str, str | int | float]) -> None:
    """Write a file that `d4rl.qlearning_dataset` and this package read; it appears whole or not at all.

    Args:
        attributes: how the data was made, kept as attributes of the file's root.

    Raises:
        HarnessError: when the disk is full, or the place cannot be written.
    """
    # In memory first: HDF5 crashes on a full disk.
    with h5py.File(path, "w", driver="core", backing_store=False) as file:
        for field in fields(steps):
            array = getattr(steps, field.name)
            file.create_dataset(field.name, data=array, compression="gzip", compression_opts=9, shuffle=True)
        file.attrs.update(attributes)
        file.flush()
        image = file.id.get_file_image()
    write_bytes(path, image)
