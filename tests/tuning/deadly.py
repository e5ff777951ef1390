"""A task that kills the process that steps it, as one that runs out of memory does."""

import os

import gymnasium
from gymnasium.envs.classic_control import PendulumEnv


class Deadly(PendulumEnv):
    def step(self, u):
        os._exit(1)


gymnasium.register("Deadly-v0", Deadly, max_episode_steps=200)
