"""Tests of Kitchen alone; tests/d4rl_conformance compares it with d4rl's."""

import sys

import numpy as np
import pytest

from harness.environments import kitchen
from harness.environments.factory import make
from harness.environments.kitchen import GOALS, START, Kitchen
from harness.errors import HarnessError

TASKS = ("microwave", "kettle", "bottom burner", "light switch")


@pytest.fixture
def environment():
    pytest.importorskip("gymnasium_robotics")
    made = Kitchen(TASKS)
    made.reset(seed=0)
    return made


def test_observation_has_noisy_positions_and_goal_positions(environment):
    first, second = (environment.reset(seed=seed)[0] for seed in (1, 2))
    assert not np.array_equal(first[:30], second[:30])
    assert np.abs(first[:30] - START).max() <= 0.01
    assert np.array_equal(first[30:], second[30:])
    where, goal = GOALS["kettle"]
    assert first[30:][where].tolist() == list(goal)
    assert not first[30:][GOALS["slide cabinet"][0]].any()


def test_step_rewards_each_task_once_and_terminates_after_the_last(environment):
    positions, total = START.copy(), 0.0
    for count, task in enumerate(TASKS, start=1):
        where, goal = GOALS[task]
        positions[where] = goal
        environment.set_state(positions, np.zeros(29))
        environment._observe()
        _, reward, terminated, _, info = environment.step(np.zeros(9, np.float32))
        total += reward
        assert info["completed"] == [task]
        assert total == count
        assert terminated == (count == len(TASKS))
    environment.reset(seed=0)
    assert environment.remaining == set(TASKS)


def test_step_moves_joints_from_their_measured_positions(environment):
    before = environment.data.qpos[:7].copy()
    for _ in range(5):
        environment.step(np.array([1, 0, 0, 0, 0, 0, 0, 0, 0], np.float32))
    assert environment.data.qpos[0] > before[0] + 0.1


def test_kitchen_without_gymnasium_robotics_raises_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium_robotics", None)
    monkeypatch.setattr(kitchen, "find_spec", lambda name: None)
    kitchen.joint_specifications.cache_clear()
    with pytest.raises(HarnessError, match=r"kitchen-mixed-v0.*pip install 'offline-rl-harness\[robotics\]'"):
        make("harness.environments:D4RL/kitchen-mixed-v0")
    kitchen.joint_specifications.cache_clear()
