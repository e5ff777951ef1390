"""Creates D4RL's ant: gymnasium's Ant-v4 with the 84 contact forces of gym's Ant-v2, which were always zero.

With MuJoCo 2, mujoco-py left contact forces and thus their cost at zero
(https://github.com/openai/gym/issues/1541). Contacts are those of MuJoCo 2.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from harness.environments.contacts import restore_margins

CONTACT_FORCES = 84


def make_ant(**options: Any) -> gymnasium.Env[NDArray[np.float64], NDArray[np.float32]]:
    """Create the ant; `options` are arguments of gymnasium's `AntEnv`."""
    from gymnasium.envs.mujoco.ant_v4 import AntEnv

    environment: Any = AntEnv(**options)  # type: ignore[no-untyped-call]
    restore_margins(environment.model)
    return WithZeroContactForces(environment)


class WithZeroContactForces(
    gymnasium.ObservationWrapper[NDArray[np.float64], NDArray[np.float32], NDArray[np.float64]]
):
    """Appends zeros to the observation in place of contact forces."""

    def __init__(self, environment: gymnasium.Env[NDArray[np.float64], NDArray[np.float32]]) -> None:
        super().__init__(environment)
        (size,) = environment.observation_space.shape or ()
        self.observation_space = Box(-np.inf, np.inf, (size + CONTACT_FORCES,), np.float64)

    def observation(self, observation: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the observation [27] with 84 zeros after it."""
        return np.concatenate([observation, np.zeros(CONTACT_FORCES)])
