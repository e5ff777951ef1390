"""Tests of AntMaze alone; tests/d4rl_conformance compares it with d4rl's."""

import numpy as np
import pytest

from harness.environments.antmaze import MAZES, AntMaze, centre


@pytest.mark.parametrize("maze", MAZES)
def test_reset_places_the_ant_near_the_start_and_the_goal_in_its_cell(maze):
    environment = AntMaze(maze)
    for seed in range(20):
        observation, _ = environment.reset(seed=seed)
        assert np.abs(observation[:2]).max() <= 0.1
        assert np.linalg.norm(observation[3:7]) == pytest.approx(1.0)
        offset = environment.goal - centre(environment.maze.goal)
        assert np.all((offset >= 0) & (offset <= 1.5))


def test_step_to_the_goal_returns_one_and_terminates():
    environment = AntMaze("umaze")
    environment.reset(seed=0)
    environment.goal = environment.data.qpos[:2] + 3.0
    _, reward, terminated, truncated, _ = environment.step(np.zeros(8, np.float32))
    assert (reward, terminated, truncated) == (0.0, False, False)
    environment.goal = environment.data.qpos[:2] + 0.3
    _, reward, terminated, truncated, _ = environment.step(np.zeros(8, np.float32))
    assert (reward, terminated, truncated) == (1.0, True, False)


def test_reset_with_goal_per_episode_draws_a_new_goal():
    environment = AntMaze("large", goal_per_episode=True)
    environment.reset(seed=0)
    first = environment.goal
    environment.reset()
    assert not np.array_equal(environment.goal, first)


def test_reset_without_goal_per_episode_keeps_the_goal_until_the_next_seed():
    environment = AntMaze("large", goal_per_episode=False)
    environment.reset(seed=0)
    first = environment.goal.copy()
    environment.reset()
    assert np.array_equal(environment.goal, first)
    environment.reset(seed=1)
    assert not np.array_equal(environment.goal, first)
    environment.reset(seed=0)
    assert np.array_equal(environment.goal, first)


def test_reset_with_a_seed_determines_start_and_goal():
    first, second = AntMaze("medium"), AntMaze("medium")
    second.reset(seed=9)
    assert np.array_equal(first.reset(seed=3)[0], second.reset(seed=3)[0])
    assert np.array_equal(first.goal, second.goal)
