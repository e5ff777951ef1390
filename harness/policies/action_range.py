"""The range of an environment's actions, and its rescaling to [-1, 1] for learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.policies.policy import Policy

if TYPE_CHECKING:
    from gymnasium.spaces import Box

TOLERANCE = 0.001
"""How far recorded actions may exceed the range, as a fraction of half its width."""
SHOWN_DIMENSIONS = 4


@dataclass(frozen=True)
class ActionRange:
    """Holds the bounds of each action dimension, all finite.

    Learners see actions in [-max_action, max_action]. A range [-a, a]^A is used unchanged, with max_action a,
    as in D4RL; any other range is rescaled to [-1, 1].

    Attributes:
        low: [A]
        high: [A]
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, space: Box) -> ActionRange:
        """Return the range of a bounded box; bounds are rounded inwards to float32."""
        return cls(_rounded(space.low, np.inf), _rounded(space.high, -np.inf))

    @property
    def is_symmetric(self) -> bool:
        """Return whether the range is [-a, a] with one a for all dimensions, which is not rescaled."""
        return len({*self.high, *(-low for low in self.low)}) == 1

    @property
    def max_action(self) -> float:
        """Return the largest action that a learner sees."""
        return self.high[0] if self.is_symmetric else 1.0

    def to_learner(self, actions: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rescale actions [..., A] of the environment to those of a learner."""
        if self.is_symmetric:
            return actions
        middle, half = self._middle_and_half
        return ((actions - middle) / np.where(half > 0, half, 1)).astype(np.float32)

    def to_environment(self, actions: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rescale actions [..., A] of a learner to those of the environment, within its bounds."""
        if self.is_symmetric:
            return actions
        middle, half = self._middle_and_half
        return self.clip((actions * half + middle).astype(np.float32))

    def clip(self, actions: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the nearest actions [..., A] within the range."""
        return np.clip(actions, np.array(self.low, np.float32), np.array(self.high, np.float32))

    def exceeded_by(self, actions: NDArray[np.float32]) -> str | None:
        """Describe how far actions [N, A] exceed the range; return None if they do not."""
        middle, half = self._middle_and_half
        smallest, largest = actions.min(axis=0), actions.max(axis=0)
        farthest = np.where(largest - middle > middle - smallest, largest, smallest)
        outside = np.flatnonzero(np.abs(farthest - middle) > half * (1 + TOLERANCE))
        if not len(outside):
            return None
        first = int(outside[0])
        return (
            f"actions reach {farthest[first]:g} in dimension {first}, but its environment accepts "
            f"[{self.low[first]:g}, {self.high[first]:g}]"
        )

    def __str__(self) -> str:
        """Return the interval of each dimension."""
        shown = [f"[{low:g}, {high:g}]" for low, high in zip(self.low, self.high, strict=True)]
        more = len(shown) - SHOWN_DIMENSIONS
        return " x ".join(shown[:SHOWN_DIMENSIONS]) + (f" x ... ({more} more)" if more > 0 else "")

    @property
    def _middle_and_half(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        low, high = np.array(self.low), np.array(self.high)
        return low + (high - low) / 2, (high - low) / 2


@dataclass(frozen=True)
class RescaledPolicy:
    """Rescales the actions of a policy that was trained in [-1, 1] to the range of its environment."""

    policy: Policy
    action_range: ActionRange

    def __call__(self, observations: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return actions [E, A] for observations [E, S]."""
        return self.action_range.to_environment(self.policy(observations))


def _rounded(bounds: NDArray[np.floating | np.integer], inwards: float) -> tuple[float, ...]:
    values = bounds.astype(np.float32)
    outside = values < bounds if inwards > 0 else values > bounds
    values = np.where(outside, np.nextafter(values, np.float32(inwards)), values)
    return tuple(float(value) for value in values)
