"""Environments with old or broken interfaces."""

import gymnasium
import numpy as np
from gymnasium.envs.classic_control import PendulumEnv
from gymnasium.spaces import Box


class Point(gymnasium.Env):
    """A point on a plane that moves by a tenth of the action."""

    observation_space = Box(-np.inf, np.inf, (2,), np.float32)
    action_space = Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return self.position.copy(), {}

    def step(self, action):
        assert self.action_space.contains(np.asarray(action, np.float32))
        self.position = (self.position + 0.1 * np.asarray(action)).astype(np.float32)
        return self.position.copy(), -float((self.position**2).sum()), False, False, {}


class ResetWithoutSeed(Point):
    def reset(self):
        return super().reset()


class ResetWithoutInfo(Point):
    def reset(self, seed=None, options=None):
        return super().reset(seed=seed)[0]


class StepOfFour(Point):
    def step(self, action):
        observation, reward, terminated, _, info = super().step(action)
        return observation, reward, terminated, info


class ColumnObservation(Point):
    def step(self, action):
        observation, *others = super().step(action)
        return observation[None], *others


class NanObservation(Point):
    def step(self, action):
        observation, *others = super().step(action)
        return observation * np.nan, *others


class TextObservation(Point):
    def reset(self, *, seed=None, options=None):
        return "here", {}


class ArrayReward(Point):
    def step(self, action):
        observation, reward, *others = super().step(action)
        return observation, np.array([reward]), *others


class NanReward(Point):
    def step(self, action):
        observation, _, *others = super().step(action)
        return observation, float("nan"), *others


class NoReward(Point):
    def step(self, action):
        observation, _, *others = super().step(action)
        return observation, None, *others


class NumericEnd(Point):
    def step(self, action):
        observation, reward, _, truncated, info = super().step(action)
        return observation, reward, 0, truncated, info


class Raises(Point):
    def step(self, action):
        raise RuntimeError("simulator\nlost connection")


class IgnoresSeed(Point):
    def reset(self, *, seed=None, options=None):
        self.position = np.random.default_rng().uniform(-1, 1, 2).astype(np.float32)
        return self.position.copy(), {}


class DoublePrecision(Point):
    observation_space = Box(-np.inf, np.inf, (2,), np.float64)
    action_space = Box(-1.0, 1.0, (2,), np.float64)


class Prints(Point):
    def step(self, action):
        print("from the environment")
        return super().step(action)


class Unbounded(Point):
    action_space = Box(-np.inf, np.inf, (2,), np.float32)


class LateNanReward(Point):
    """Returns NaN in the third step of its first episode."""

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return super().reset(seed=seed)

    def step(self, action):
        self.steps += 1
        observation, reward, *others = super().step(action)
        return observation, float("nan") if self.steps == 3 else reward, *others


class NanPendulum(PendulumEnv):
    """Has the spaces of Pendulum-v1, but no rewards."""

    def step(self, action):
        observation, _, *others = super().step(action)
        return observation, float("nan"), *others


class Steered(Point):
    """Takes actions in [0, 4] x [-0.5, 0.5] that move it as [-1, 1] x [-1, 1] move a Point."""

    action_space = Box(np.array([0, -0.5], np.float32), np.array([4, 0.5], np.float32))

    def step(self, action):
        assert self.action_space.contains(action), action
        unit = (action - np.array([2, 0], np.float32)) / np.array([2, 0.5], np.float32)
        self.position = (self.position + 0.1 * unit).astype(np.float32)
        return self.position.copy(), -float((self.position**2).sum()), False, False, {}


for kind in Point.__subclasses__():
    gymnasium.register(f"Odd/{kind.__name__}-v0", kind, max_episode_steps=20)
gymnasium.register("Odd/NanPendulum-v0", NanPendulum, max_episode_steps=20)
gymnasium.register("Odd/Point-v0", Point, max_episode_steps=20)
