"""Tests of which environments are created, and of the messages if one cannot be."""

from __future__ import annotations

import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import WrapperSpec
from gymnasium.spaces import Box, Dict

from harness.environments.factory import make, step_limit
from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError

LOW_GRAVITY = EnvironmentSpec("Pendulum-v1", {"g": 1.0}, max_episode_steps=50)


class Reach(gymnasium.Env):
    observation_space = Dict({"observation": Box(-1, 1, (2,)), "desired_goal": Box(-2, 2, (1,))})
    action_space = Box(-1, 1, (1,))

    def reset(self, *, seed=None, options=None):
        return self._observation(0.0), {}

    def step(self, action):
        return self._observation(float(action[0])), 0.0, False, False, {}

    def _observation(self, value):
        return {"desired_goal": np.array([2.0]), "observation": np.array([value, -value], np.float32)}


@pytest.fixture
def reach():
    gymnasium.register("Reach-v0", Reach, max_episode_steps=5)
    yield "Reach-v0"
    del gymnasium.registry["Reach-v0"]


def test_make_applies_arguments_step_limit_and_wrappers_of_the_spec():
    wrapper = WrapperSpec("TransformReward", "tests.environments.test_factory:Halved", {})
    environment = make(EnvironmentSpec("Pendulum-v1", {"g": 1.0}, 50, (wrapper,)))
    assert environment.unwrapped.g == 1.0
    assert environment.spec.max_episode_steps == 50
    assert isinstance(environment, Halved)


class Halved(gymnasium.RewardWrapper):
    def reward(self, reward):
        return reward / 2


def test_spec_can_be_pickled_and_hashed():
    copy = pickle.loads(pickle.dumps(LOW_GRAVITY))
    assert {LOW_GRAVITY: 1}[copy] == 1
    assert copy != EnvironmentSpec("Pendulum-v1", {"g": 2.0}, max_episode_steps=50)


def test_str_of_a_spec_lists_its_changes():
    assert str(LOW_GRAVITY) == "Pendulum-v1 (g=1.0, max_episode_steps=50)"
    assert str(EnvironmentSpec("Pendulum-v1")) == "Pendulum-v1"


def test_step_limit_of_a_spec_overrides_the_registered_one():
    assert step_limit("Pendulum-v1") == 200
    assert step_limit(LOW_GRAVITY) == 50


def test_observation_keys_concatenate_entries_in_order(reach):
    environment = make(EnvironmentSpec(reach, observation_keys=("observation", "desired_goal")))
    assert environment.observation_space.shape == (3,)
    environment.reset()
    observation = environment.step(np.array([0.5], np.float32))[0]
    assert observation.tolist() == [0.5, -0.5, 2.0]


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        (EnvironmentSpec("Reach-v0", observation_keys=("goal",)), "no numeric entry 'goal'.*observation"),
        (EnvironmentSpec("Pendulum-v1", observation_keys=("goal",)), "require dictionary observations"),
        (EnvironmentSpec("Pendulum-v1", {"gravity": 1}), "cannot be created .TypeError.*gravity"),
        (EnvironmentSpec("Pendulum"), "the id lacks a version; write Pendulum-v1"),
        (EnvironmentSpec("nowhere:X-v0"), "cannot import nowhere"),
        (EnvironmentSpec("Pendulm-v1"), "gymnasium cannot make it .*Pendulum"),
    ],
)
def test_make_of_an_invalid_spec_raises_one_line(reach, spec, complaint):
    with pytest.raises(HarnessError, match=complaint) as error:
        make(spec)
    assert "\n" not in str(error.value)
