"""D4RL's ant: gymnasium's Ant-v4 with the 84 contact forces that gym's Ant-v2 adds, which were always zero.

mujoco-py with MuJoCo 2 left contact forces at zero (https://github.com/openai/gym/issues/1541), and with them
their cost, so that the two tasks differ in nothing else.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

CONTACT_FORCES = 84


def make_ant(**options: Any) -> gymnasium.Env[NDArray[np.float64], NDArray[np.float32]]:
    from gymnasium.envs.mujoco.ant_v4 import AntEnv

    environment: Any = AntEnv(**options)  # type: ignore[no-untyped-call]
    return WithZeroContactForces(environment)


class WithZeroContactForces(
    gymnasium.ObservationWrapper[NDArray[np.float64], NDArray[np.float32], NDArray[np.float64]]
):
    def __init__(self, environment: gymnasium.Env[NDArray[np.float64], NDArray[np.float32]]) -> None:
        super().__init__(environment)
        (size,) = environment.observation_space.shape or ()
        self.observation_space = Box(-np.inf, np.inf, (size + CONTACT_FORCES,), np.float64)

    def observation(self, observation: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([observation, np.zeros(CONTACT_FORCES)])
