"""Creates D4RL's hopper and ant from gymnasium's -v4 tasks, with the contacts of MuJoCo 2.

HalfCheetah and Walker2d have no contact margins, so gymnasium's -v4 tasks equal D4RL's.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from gymnasium.wrappers import TransformObservation

from harness.environments.contacts import restore_margins
from harness.environments.simulation import Action, Observation


def make_hopper(**options: Any) -> gymnasium.Env[Observation, Action]:
    """Create the hopper; `options` are arguments of gymnasium's `HopperEnv`."""
    from gymnasium.envs.mujoco.hopper_v4 import HopperEnv

    hopper: Any = HopperEnv(**options)  # type: ignore[no-untyped-call]
    restore_margins(hopper.model)
    return hopper  # type: ignore[no-any-return]


def make_ant(**options: Any) -> gymnasium.Env[Observation, Action]:
    """Create the ant; `options` are arguments of gymnasium's `AntEnv`.

    Its observations have the 84 contact forces of gym's Ant-v2, which were always zero: with MuJoCo 2,
    mujoco-py left contact forces and thus their cost at zero (https://github.com/openai/gym/issues/1541).
    """
    from gymnasium.envs.mujoco.ant_v4 import AntEnv

    ant: Any = AntEnv(**options)  # type: ignore[no-untyped-call]
    restore_margins(ant.model)
    forces = np.zeros(84)
    space = Box(-np.inf, np.inf, (ant.observation_space.shape[0] + len(forces),), np.float64)
    return TransformObservation(ant, lambda observation: np.concatenate([observation, forces]), space)
