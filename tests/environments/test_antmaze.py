"""AntMaze on its own; tests/d4rl_conformance holds it against d4rl's."""

import numpy as np
import pytest

from harness.environments.antmaze import MAZES, AntMaze, centre


@pytest.mark.parametrize("maze", MAZES)
def test_ant_starts_near_the_origin_and_the_goal_lies_in_its_cell(maze):
    environment = AntMaze(maze)
    for seed in range(20):
        observation, _ = environment.reset(seed=seed)
        assert np.abs(observation[:2]).max() <= 0.1
        assert np.linalg.norm(observation[3:7]) == pytest.approx(1.0)
        offset = environment.goal - centre(environment.maze.goal)
        assert np.all((offset >= 0) & (offset <= 1.5))


def test_reaching_the_goal_gives_one_and_ends_the_episode():
    environment = AntMaze("umaze")
    environment.reset(seed=0)
    environment.goal = environment.data.qpos[:2] + 3.0
    _, reward, terminated, truncated, _ = environment.step(np.zeros(8, np.float32))
    assert (reward, terminated, truncated) == (0.0, False, False)
    environment.goal = environment.data.qpos[:2] + 0.3
    _, reward, terminated, truncated, _ = environment.step(np.zeros(8, np.float32))
    assert (reward, terminated, truncated) == (1.0, True, False)


def test_goal_per_episode_draws_another_at_every_reset():
    environment = AntMaze("large", goal_per_episode=True)
    environment.reset(seed=0)
    first = environment.goal
    environment.reset()
    assert not np.array_equal(environment.goal, first)


def test_goal_of_an_instance_stays_until_the_next_seed():
    environment = AntMaze("large", goal_per_episode=False)
    environment.reset(seed=0)
    first = environment.goal.copy()
    environment.reset()
    assert np.array_equal(environment.goal, first)
    environment.reset(seed=1)
    assert not np.array_equal(environment.goal, first)
    environment.reset(seed=0)
    assert np.array_equal(environment.goal, first)


def test_seed_decides_start_and_goal():
    first, second = AntMaze("medium"), AntMaze("medium")
    second.reset(seed=9)
    assert np.array_equal(first.reset(seed=3)[0], second.reset(seed=3)[0])
    assert np.array_equal(first.goal, second.goal)
