"""Environment steps as a file or another source recorded them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.episode_ends import EpisodeEnds, find_episode_ends
from harness.policies import ActionRange


@dataclass(frozen=True)
class Recording:
    """N environment steps, those of an episode one after the other if rows are in chronological order."""

    source: str
    """The file or dataset, for messages."""
    observations: NDArray[np.float32]
    """[N, S]"""
    actions: NDArray[np.float32]
    """[N, A]"""
    rewards: NDArray[np.float32]
    """[N]"""
    next_observations: NDArray[np.float32] | None
    """[N, S]; without it, the next row's observation follows."""
    ends: EpisodeEnds
    notes: tuple[str, ...] = ()
    """One line for each change that was made in reading."""

    @classmethod
    def of_arrays(
        cls,
        arrays: Mapping[str, NDArray[Any]],
        max_episode_steps: int | None,
        source: object,
        d4rl: bool = False,
    ) -> Recording:
        """Return the steps in the arrays of a file, with the ends of their episodes.

        Args:
            arrays: observations, actions, rewards and perhaps next observations, as the fields of this class,
                and arrays that mark ends of episodes.
            max_episode_steps: see `find_episode_ends`, as for `source` and `d4rl`.
        """
        ends = find_episode_ends(arrays, max_episode_steps, source=source, d4rl=d4rl)
        observations, actions, rewards = (arrays[name] for name in ("observations", "actions", "rewards"))
        filled = np.flatnonzero(observations.any(axis=1) | actions.any(axis=1) | (rewards != 0))
        empty = len(rewards) - 1 - int(filled[-1] if len(filled) else -1)
        note = f"the last {empty:,} rows are all zero, as in arrays that were not filled; remove them"
        following, notes = arrays.get("next_observations"), (note,) if empty > 1 else ()
        return cls(str(source), observations, actions, rewards, following, ends, notes)

    def __len__(self) -> int:
        return len(self.rewards)

    def episode_returns(self) -> NDArray[np.float64]:
        """Return [E] undiscounted returns of whole episodes; none if rows are not in chronological order."""
        ends = np.flatnonzero(self.ends.last)
        if not len(ends):
            return np.zeros(0)
        starts = np.concatenate([[0], ends[:-1] + 1])
        returns: NDArray[np.float64] = np.add.reduceat(
            self.rewards[: ends[-1] + 1].astype(np.float64), starts
        )
        return returns

    def clipped(self, action_range: ActionRange) -> Recording:
        """Return the recording with its actions in a range, and a note if any was clearly outside."""
        outside = action_range.exceeded_by(self.actions)
        if outside is None:
            return self
        clipped = action_range.clip(self.actions)
        count = (clipped != self.actions).any(axis=1).sum()
        note = f"{count:,} of {len(self):,} actions are clipped to the task's range: {outside}"
        return replace(self, actions=clipped, notes=(*self.notes, note))
