"""OGBench's environments as its protocol evaluates them (arXiv 2410.20092)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray


class SuccessReward(gymnasium.Wrapper[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]):
    """Rewards the step on which the task first succeeds with 1, and all others with 0.

    The return of an episode is then 1 if it succeeded and 0 otherwise, and the mean return is the success
    rate. The seed determines the start state, for which OGBench's mazes also use NumPy's global generator.
    """

    def __init__(self, env: gymnasium.Env[NDArray[Any], NDArray[Any]]) -> None:  # gymnasium passes `env`
        super().__init__(env)
        self._succeeded = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Reset the environment."""
        self._succeeded = False
        if seed is None:
            return self.env.reset(options=options)
        self.env.action_space.seed(seed)
        with seeded_globally(seed):
            return self.env.reset(seed=seed, options=options)

    def step(self, action: NDArray[Any]) -> tuple[NDArray[Any], float, bool, bool, dict[str, Any]]:
        """Take a step in the environment."""
        observation, _, terminated, truncated, info = self.env.step(action)
        newly = bool(info["success"]) and not self._succeeded
        self._succeeded |= newly
        return observation, float(newly), terminated, truncated, info


@contextmanager
def seeded_globally(seed: int) -> Iterator[None]:
    """Seed NumPy's global generator within the block, and restore its state."""
    state = np.random.get_state()
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        np.random.set_state(state)
