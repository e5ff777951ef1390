"""Maze2D on its own; tests/d4rl_conformance holds it against d4rl's."""

import numpy as np
import pytest

from harness.environments.maze2d import MAZES, Maze2D


@pytest.mark.parametrize("maze", MAZES)
def test_episodes_start_near_the_centre_of_a_free_cell(maze):
    environment = Maze2D(maze)
    cells = set()
    for seed in range(60):
        observation, _ = environment.reset(seed=seed)
        cell = np.round(observation[:2])
        assert np.abs(observation[:2] - cell).max() <= 0.1
        cells.add(tuple(int(part) for part in cell))
    assert cells <= set(environment.maze.free)
    assert len(cells) > 3


def test_reward_is_sparse_or_dense_and_no_step_ends_the_episode():
    sparse, dense = Maze2D("umaze"), Maze2D("umaze", reward="dense")
    for offset, expected in ((0.1, 1.0), (0.49, 1.0), (0.51, 0.0)):
        for environment in (sparse, dense):
            environment.reset(seed=0)
            environment.set_state(environment.goal + np.array([offset, 0.0]), np.zeros(2))
        observation, reward, terminated, truncated, _ = sparse.step(np.zeros(2, np.float32))
        assert (reward, terminated, truncated) == (expected, False, False)
        _, reward, _, _, _ = dense.step(np.zeros(2, np.float32))
        assert reward == pytest.approx(np.exp(-np.linalg.norm(observation[:2] - dense.goal)))


def test_velocity_is_limited_before_each_step_and_walls_hold():
    environment = Maze2D("umaze")
    environment.reset(seed=0)
    environment.set_state(np.array([3.0, 1.0]), np.array([0.0, 50.0]))
    observation, *_ = environment.step(np.zeros(2, np.float32))
    assert observation[1] == pytest.approx(1.0 + 5.0 * 0.01, abs=0.01)
    for _ in range(500):
        observation, *_ = environment.step(np.array([0.0, 1.0], np.float32))
    assert 3.0 < observation[1] < 3.5


def test_copies_share_one_model_and_not_their_states():
    first, second = Maze2D("medium"), Maze2D("medium")
    assert first.model is second.model
    first.reset(seed=0)
    second.reset(seed=1)
    assert not np.array_equal(first.data.qpos, second.data.qpos)
