"""A dataset in memory: read-only arrays of transitions."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from harness.environments.spec import EnvironmentSpec


@dataclass(frozen=True)
class ReferenceScores:
    """The returns of normalized scores 0 and 100 (min and max score in D4RL's `infos.py`)."""

    minimum: float
    maximum: float

    @classmethod
    def of(cls, minimum: object, maximum: object) -> ReferenceScores | None:
        """Return the scores of a file's metadata; None unless they are finite and in ascending order."""
        if not isinstance(minimum, int | float) or not isinstance(maximum, int | float):
            return None
        return cls(float(minimum), float(maximum)) if -inf < minimum < maximum < inf else None

    def normalize(self, episode_return: float) -> float:
        """Return the normalized score, 100 (return - minimum) / (maximum - minimum)."""
        return 100.0 * (episode_return - self.minimum) / (self.maximum - self.minimum)

    def normalize_spread(self, spread: float) -> float:
        """Return a standard deviation in normalized scores: only scaled, never shifted."""
        return 100.0 * spread / (self.maximum - self.minimum)


@dataclass(frozen=True, eq=False)
class OfflineDataset:
    """The transitions of a dataset, ready to be sampled; equal only to itself.

    `transitions` is one float32 array [N, 2 * S + A + 2] (S observation size, A action size), C-contiguous
    and read-only, mapped from a cache file where several processes share it. Its columns are, in this order:
    observation (S), action (A), reward, next observation (S), terminal (1.0 where the bootstrap stops).
    """

    name: str
    transitions: NDArray[np.float32]
    observation_size: int
    action_size: int
    environment: EnvironmentSpec | None
    """The environment to evaluate on; None if no equal task exists."""
    reference: ReferenceScores | None
    digest: str
    """SHA-256 of the transitions."""
    environment_problem: str | None = None
    """The reason why `environment` is None, if known."""
    next_actions: NDArray[np.float32] | None = None
    """[N, A] The recorded action of the step after each transition, as ReBRAC needs it; read-only. None
    unless requested by `datasets.load(..., next_actions=True)`. After a terminal, where no bootstrap uses it,
    it is the next row's. If the last step of a truncated episode is kept, its own action is repeated."""
    notes: tuple[str, ...] = ()
    """One line for each thing dropped, changed or interpreted; `datasets.load` warns of each."""

    def __len__(self) -> int:
        return len(self.transitions)

    @property
    def observations(self) -> NDArray[np.float32]:
        """Return the observations, [N, S]."""
        return self.transitions[:, : self.observation_size]

    @property
    def actions(self) -> NDArray[np.float32]:
        """Return the actions, [N, A]."""
        return self.transitions[:, self.observation_size : self.observation_size + self.action_size]

    @property
    def rewards(self) -> NDArray[np.float32]:
        """Return the rewards, [N]."""
        return self.transitions[:, self.observation_size + self.action_size]

    @property
    def next_observations(self) -> NDArray[np.float32]:
        """Return the next observations, [N, S]."""
        start = self.observation_size + self.action_size + 1
        return self.transitions[:, start : start + self.observation_size]

    @property
    def terminals(self) -> NDArray[np.bool_]:
        """Return whether each transition is terminal, [N]."""
        return self.transitions[:, -1] > 0.5
