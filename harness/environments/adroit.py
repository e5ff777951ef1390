"""Creates D4RL's Adroit tasks from gymnasium-robotics, whose MuJoCo models are the same.

The tasks of gymnasium-robotics 1.4.2 differ from D4RL 1.1 in two ways, which are corrected here: they reward
the distance between hand and object, which D4RL penalises (door, hammer, relocate), and do not end when the
pen is dropped. Contacts are those of MuJoCo 2.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, SupportsFloat

import gymnasium
import numpy as np

from harness.environments.contacts import restore_margins
from harness.environments.simulation import Action, Observation, StepResult
from harness.errors import needs_extra

DISTANCE_WEIGHT = 0.1
DROPPED_HEIGHT = 0.075  # metres


def make_adroit(task: str, **options: Any) -> gymnasium.Env[Observation, Action]:
    """Create a task: `Pen`, `Hammer`, `Door` or `Relocate`; `options` are gymnasium-robotics' arguments."""
    with needs_extra("robotics", "it requires gymnasium-robotics"):
        module = import_module(f"gymnasium_robotics.envs.adroit_hand.adroit_{task.lower()}")
    environment = getattr(module, f"AdroitHand{task}Env")(**options)
    restore_margins(environment.model)
    return EndsWithDrop(environment) if task == "Pen" else PenalisesDistance(environment)


class EndsWithDrop(gymnasium.Wrapper[Observation, Action, Any, Any]):
    """Terminates the episode when the pen is dropped."""

    def step(self, action: Action) -> StepResult:
        """Step, and terminate if the pen is below 0.075 m."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        simulated: Any = self.env.unwrapped
        dropped = bool(simulated.data.xpos[simulated.obj_body_id][2] < DROPPED_HEIGHT)
        return observation, float(reward), terminated or dropped, truncated, info


class PenalisesDistance(gymnasium.RewardWrapper[Observation, Action]):
    """Subtracts the distance between hand and object from the reward, instead of adding it."""

    def reward(self, reward: SupportsFloat) -> float:
        """Return the corrected reward."""
        simulated: Any = self.env.unwrapped
        sites, bodies = simulated.data.site_xpos, simulated.data.xpos
        if hasattr(simulated, "handle_site_id"):
            palm, target = sites[simulated.grasp_site_id], sites[simulated.handle_site_id]
        else:
            palm, target = sites[simulated.S_grasp_site_id], bodies[simulated.obj_body_id]
        return float(reward) - 2 * DISTANCE_WEIGHT * float(np.linalg.norm(palm - target))
