import h5py
import numpy as np
import pytest

from harness import datasets
from harness.datasets.collect import Recipe, collect
from harness.datasets.collect.maze_policies import TrottingAnt, WaypointController
from harness.datasets.hdf5 import open_file
from harness.datasets.registry import reference_of_environment
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.environments.antmaze import AntMaze
from harness.environments.maze2d import MAZES, Maze2D
from harness.errors import HarnessError

MAZE2D, ANTMAZE = "harness.environments:D4RL/maze2d-umaze-v1", "harness.environments:D4RL/antmaze-umaze-v2"


def load(path, **data):
    return datasets.load(DatasetSettings(name="collected", path=str(path)), DataSettings(**data))


@pytest.mark.parametrize("maze", MAZES)
def test_waypoint_controller_reaches_every_cell(maze):
    environment, generator = Maze2D(maze), np.random.default_rng(0)
    controller = WaypointController(environment.maze, generator)
    observation, _ = environment.reset(seed=0)
    for cell in environment.maze.free[::5]:
        controller.aim(observation, cell)
        for _ in range(1500):
            observation, *_ = environment.step(controller.act(observation).astype(np.float32))
            if controller.arrived(observation):
                break
        assert np.linalg.norm(observation[:2] - cell) < 0.1


def test_trotting_ant_reaches_the_goal_of_the_umaze():
    environment = AntMaze("umaze")
    observation, _ = environment.reset(seed=0)
    ant = TrottingAnt(environment.maze, np.random.default_rng(0))
    ant.aim_at(observation, environment.goal)
    for _ in range(700):
        observation, reward, terminated, _, _ = environment.step(ant.act(observation).astype(np.float32))
        if terminated:
            break
    assert reward == 1.0


def test_maze2d_data_is_one_stream_rewarded_for_the_tasks_goal(tmp_path):
    (path,) = collect(Recipe(MAZE2D, "maze2d-umaze", transitions=2000), tmp_path)
    assert path.name == "maze2d-umaze_waypoint-v0.hdf5"
    with open_file(path) as file:
        following = file.read()["next_observations"]
    with h5py.File(path) as file:
        observations = file["observations"][:]
        assert len(observations) == 2000
        assert np.array_equal(following[:-1], observations[1:])
        assert not file["terminals"][:].any()
        assert file["timeouts"][:].sum() > 10
        near = np.linalg.norm(following[:, :2] - [1.0, 1.0], axis=1) <= 0.5
        assert np.array_equal(file["rewards"][:], near.astype(np.float32))
        assert 0 < near.sum() < 2000
        assert "stable_baselines3_version" not in file.attrs
    found = load(path)
    assert found.environment.id == MAZE2D
    assert found.reference == reference_of_environment(MAZE2D)
    assert found.reference.maximum == 161.86


def test_antmaze_data_has_whole_episodes_of_both_kinds(tmp_path):
    play, diverse = collect(Recipe(ANTMAZE, "antmaze-umaze", transitions=300), tmp_path)
    assert (play.name, diverse.name) == ("antmaze-umaze_play-v0.hdf5", "antmaze-umaze_diverse-v0.hdf5")
    with h5py.File(play) as file:
        assert file["observations"].shape[1:] == (29,)
        assert np.array_equal(file["terminals"][:], file["rewards"][:] == 1.0)
        assert file["terminals"][-1] or file["timeouts"][-1]
        assert np.abs(file["observations"][0, :2]).max() < 0.1
    assert set(load(play, rewards={"shift": -1}).rewards) <= {0.0, -1.0}


def test_the_same_seed_collects_the_same_data(tmp_path):
    def collected(name, seed):
        (path,) = collect(Recipe(MAZE2D, name, transitions=300, seed=seed), tmp_path)
        return load(path).transitions

    assert np.array_equal(collected("a", 1), collected("b", 1))
    assert not np.array_equal(collected("c", 2), collected("d", 3))


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe(MAZE2D, "x", kinds=("expert",)), "unknown kind of dataset 'expert'; there are waypoint"),
        (Recipe(ANTMAZE, "x", kinds=("waypoint",)), "there are play, diverse"),
        (
            Recipe(ANTMAZE, "x", training_steps=5),
            "--training-steps: a maze's data is collected by a controller",
        ),
    ],
)
def test_options_that_a_maze_does_not_have_are_rejected(recipe, said, tmp_path):
    with pytest.raises(HarnessError, match=said):
        collect(recipe, tmp_path)
    assert not list(tmp_path.iterdir())
