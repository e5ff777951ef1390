"""An environment that kills its process after some steps, as the system does if memory runs out."""

import os

import gymnasium
from gymnasium.envs.classic_control import PendulumEnv

LAST_STEP = 100
"""More steps than the checks before training take."""


class Deadly(PendulumEnv):
    def reset(self, **options):
        self.steps = 0
        return super().reset(**options)

    def step(self, u):
        self.steps += 1
        if self.steps == LAST_STEP:
            os._exit(1)
        return super().step(u)


gymnasium.register("Deadly-v0", Deadly, max_episode_steps=200)
