"""The policy of a trained seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.policies.layers import Layer


class Policy(Protocol):
    """Maps observations [E, S], as the environment gives them, to actions [E, A]."""

    def __call__(self, observations: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return actions [E, A] for observations [E, S]."""


@dataclass(frozen=True)
class NumpyPolicy:
    """Applies layers to (s - mean) / scale.

    Attributes:
        layers: from the normalised state to the action.
        state_mean: [S]
        state_scale: [S]
    """

    layers: Sequence[Layer]
    state_mean: NDArray[np.float32]
    state_scale: NDArray[np.float32]

    def __call__(self, observations: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return actions [E, A] for observations [E, S]."""
        values = (observations.astype(np.float32) - self.state_mean) / self.state_scale
        for layer in self.layers:
            values = layer(values)
        return values
