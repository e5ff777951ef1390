"""Creates D4RL's hopper: gymnasium's Hopper-v4 with the contacts of MuJoCo 2.

HalfCheetah and Walker2d have no contact margins, so gymnasium's -v4 tasks equal D4RL's.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from harness.environments.contacts import restore_margins


def make_hopper(**options: Any) -> gymnasium.Env[NDArray[np.float64], NDArray[np.float32]]:
    """Create the hopper; `options` are arguments of gymnasium's `HopperEnv`."""
    from gymnasium.envs.mujoco.hopper_v4 import HopperEnv

    environment: Any = HopperEnv(**options)  # type: ignore[no-untyped-call]
    restore_margins(environment.model)
    hopper: gymnasium.Env[NDArray[np.float64], NDArray[np.float32]] = environment
    return hopper
