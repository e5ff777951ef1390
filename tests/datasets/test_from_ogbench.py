"""OGBench's datasets, with small files in its layout and its real environments."""

import http.server
import threading

import numpy as np
import pytest

from harness import cli, datasets
from harness.datasets import from_ogbench
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.environments.factory import make
from harness.errors import HarnessError
from harness.training.evaluation import Evaluator

NAME = "ogbench:pointmaze-medium-navigate-singletask-task1-v0"
TRAJECTORIES, LENGTH = 3, 20

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.usefixtures("directory"),
]


@pytest.fixture
def directory(tmp_path, monkeypatch):
    pytest.importorskip("ogbench")
    monkeypatch.setenv("OGBENCH_DATASET_DIR", str(tmp_path / "ogbench"))
    monkeypatch.setenv("HARNESS_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "ogbench").mkdir()
    return tmp_path / "ogbench"


def write_file(path, size=2, actions=2, goal=None):
    """Trajectories in OGBench's layout: one row more than steps, `terminals` on the last row of each."""
    generator = np.random.default_rng(0)
    rows = TRAJECTORIES * LENGTH
    observations = generator.normal(size=(rows, size)).astype(np.float32)
    positions = observations.astype(np.float64)
    if goal is not None:
        positions[5, :2] = goal
    terminals = np.arange(1, rows + 1) % LENGTH == 0
    given = {
        "observations": observations,
        "actions": generator.uniform(-1, 1, (rows, actions)).astype(np.float32),
        "terminals": terminals,
        "qpos": positions,
        "qvel": np.zeros_like(positions),
    }
    np.savez(path, **given)
    return given


def goal_of(name):
    environment = make(datasets.known_environment(name))
    environment.reset(seed=0)
    return environment.unwrapped.cur_goal_xy


def test_transitions_have_the_rewards_and_terminals_of_the_task(directory):
    given = write_file(directory / "pointmaze-medium-navigate-v0.npz", goal=goal_of(NAME))
    found = datasets.load(NAME, DataSettings(timeout_steps="keep"))
    assert len(found) == TRAJECTORIES * (LENGTH - 1)
    kept = ~given["terminals"]
    assert np.array_equal(found.observations, given["observations"][kept])
    assert np.array_equal(found.next_observations, given["observations"][np.flatnonzero(kept) + 1])
    assert np.array_equal(found.actions, given["actions"][kept])
    assert found.rewards.tolist() == [0.0 if row == 5 else -1.0 for row in range(len(found))]
    assert np.flatnonzero(found.terminals).tolist() == [5]
    assert len(datasets.load(NAME)) == TRAJECTORIES * (LENGTH - 2)


def test_tasks_of_one_dataset_share_its_file_and_not_their_rewards(directory):
    write_file(directory / "pointmaze-medium-navigate-v0.npz", goal=goal_of(NAME))
    other = "ogbench:pointmaze-medium-navigate-singletask-task2-v0"
    assert from_ogbench.local_path(NAME) == from_ogbench.local_path(other)
    assert datasets.load(NAME).rewards.sum() != datasets.load(other).rewards.sum()


def test_policies_are_evaluated_by_success(directory):
    write_file(directory / "pointmaze-medium-navigate-v0.npz")
    found = datasets.load(NAME)
    assert (found.reference.minimum, found.reference.maximum) == (0.0, 1.0)
    assert "success rates x 100" in datasets.environment_note(NAME)
    assert str(found.environment) == "ogbench:pointmaze-medium-singletask-task1-v0 (SuccessReward)"
    environment = make(found.environment)
    environment.reset(seed=0)
    maze = environment.unwrapped
    _, reward, terminated, _, _ = environment.step(np.zeros(2, np.float32))
    assert (reward, terminated) == (0.0, False)
    maze.set_xy(maze.cur_goal_xy)
    _, reward, terminated, _, info = environment.step(np.zeros(2, np.float32))
    assert (reward, terminated, info["success"]) == (1.0, True, 1.0)
    starts = [environment.reset(seed=3)[0] for _ in range(2)]
    assert np.array_equal(*starts)
    evaluator = Evaluator(found.environment, 2)
    assert evaluator.evaluate(lambda o: np.zeros((len(o), 2), np.float32), [0, 1]).returns == (0.0, 0.0)
    evaluator.close()


def test_manipulation_rewards_count_what_is_not_done(directory):
    name = "ogbench:cube-double-play-singletask-task2-v0"
    write_file(directory / "cube-double-play-v0.npz", size=14 + 2 * 7, actions=5)
    found = datasets.load(name)
    assert set(found.rewards) == {-2.0}
    assert found.environment.id == "ogbench:cube-double-singletask-task2-v0"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ogbench:antmaze-large-navigate-v0", "is not a single-task dataset of OGBench"),
        ("ogbench:antmaze-large-navigate-singletask-task6-v0", "is not a single-task dataset"),
        ("ogbench:antmaze-larg-navigate-singletask-v0", "no environment antmaze-larg-singletask-v0"),
        ("ogbench:visual-cube-single-play-singletask-v0", "its observations are images"),
    ],
)
def test_names_of_unknown_ogbench_datasets_are_rejected(name, said):
    with pytest.raises(HarnessError, match=said):
        datasets.check(name)


def test_damaged_file_is_one_line(directory):
    (directory / "pointmaze-medium-navigate-v0.npz").write_bytes(b"no npz")
    with pytest.raises(HarnessError, match=r"pointmaze-medium-navigate-v0\.npz: cannot be read .*delete it"):
        datasets.load(DatasetSettings(name=NAME))


def test_download_fetches_checks_and_records_the_file(directory, tmp_path, monkeypatch):
    import ogbench.utils

    served = tmp_path / "served"
    served.mkdir()
    write_file(served / "pointmaze-medium-navigate-v0.npz")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=served)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(ogbench.utils, "DATASET_URL", f"http://127.0.0.1:{server.server_port}")
        assert datasets.download_size(NAME) is None
        path = from_ogbench.download_ogbench(NAME)
        assert path.read_bytes() == (served / path.name).read_bytes()
        assert datasets.download_size(NAME) == 0
        path.unlink()
        (served / path.name).write_text("<html>not found</html>")
        with pytest.raises(HarnessError, match=r"could not be downloaded .*not an npz file"):
            from_ogbench.download_ogbench(NAME)
        (served / path.name).unlink()
        with pytest.raises(HarnessError, match=r"could not be downloaded .*404"):
            from_ogbench.download_ogbench(NAME)
        server.shutdown()
    assert [file.name for file in directory.iterdir() if file.suffix == ".npz"] == []


def test_description_and_download_by_command(directory, capsys):
    assert cli.main(["data", "info", NAME]) == 0
    assert f"not here (`harness data download {NAME}`)" in " ".join(capsys.readouterr().out.split())
    write_file(directory / "pointmaze-medium-navigate-v0.npz")
    assert cli.main(["data", "info", NAME]) == 0
    shown = capsys.readouterr().out
    assert "ogbench:pointmaze-medium-singletask-task1-v0" in shown
    assert "success rate x 100" in shown
    assert cli.main(["data", "download", NAME]) == 0
    assert "pointmaze-medium-navigate-v0.npz" in capsys.readouterr().out
