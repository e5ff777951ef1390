"""Tests of Maze2D alone; tests/d4rl_conformance compares it with d4rl's."""

import numpy as np
import pytest

from harness.environments.maze2d import MAZES, Maze2D


@pytest.mark.parametrize("maze", MAZES)
def test_reset_places_the_ball_near_the_centre_of_a_free_cell(maze):
    environment = Maze2D(maze)
    cells = set()
    for seed in range(60):
        observation, _ = environment.reset(seed=seed)
        cell = np.round(observation[:2])
        assert np.abs(observation[:2] - cell).max() <= 0.1
        cells.add(tuple(int(part) for part in cell))
    assert cells <= set(environment.maze.free)
    assert len(cells) > 3


def test_step_rewards_sparse_or_dense_and_never_terminates():
    sparse, dense = Maze2D("umaze"), Maze2D("umaze", reward="dense")
    for offset, expected in ((0.1, 1.0), (0.49, 1.0), (0.51, 0.0)):
        for environment in (sparse, dense):
            environment.reset(seed=0)
            environment.set_state(environment.goal + np.array([offset, 0.0]), np.zeros(2))
        observation, reward, terminated, truncated, _ = sparse.step(np.zeros(2, np.float32))
        assert (reward, terminated, truncated) == (expected, False, False)
        _, reward, _, _, _ = dense.step(np.zeros(2, np.float32))
        assert reward == pytest.approx(np.exp(-np.linalg.norm(observation[:2] - dense.goal)))


def test_step_limits_the_velocity_and_walls_hold():
    environment = Maze2D("umaze")
    environment.reset(seed=0)
    environment.set_state(np.array([3.0, 1.0]), np.array([0.0, 50.0]))
    observation, *_ = environment.step(np.zeros(2, np.float32))
    assert observation[1] == pytest.approx(1.0 + 5.0 * 0.01, abs=0.01)
    for _ in range(500):
        observation, *_ = environment.step(np.array([0.0, 1.0], np.float32))
    assert 3.0 < observation[1] < 3.5


def test_instances_share_a_model_but_not_their_state():
    first, second = Maze2D("medium"), Maze2D("medium")
    assert first.model is second.model
    first.reset(seed=0)
    second.reset(seed=1)
    assert not np.array_equal(first.data.qpos, second.data.qpos)
