import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import gymnasium
import h5py
import numpy as np
import pytest
import torch

from harness import datasets
from harness.datasets.formats import Source
from harness.datasets.hdf5 import open_file
from harness.datasets.importing import import_file
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError

CASES = Path(__file__).parent / "cases"


def episodes(count=3):
    """As the Pendulum notes collect them: one tuple for each step, as gymnasium gave it."""
    task = gymnasium.make("Pendulum-v1", disable_env_checker=True)
    task.action_space.seed(0)
    rows = []
    for seed in range(count):
        state, _ = task.reset(seed=seed)
        truncated = False
        while not truncated:
            action = task.action_space.sample()
            following, reward, terminated, truncated, info = task.step(action)
            rows.append((state, action, reward, following, terminated, truncated, info))
            state = following
    return rows


def imported(source, target, environment):
    return import_file(Source(source), target, environment)


def load(path, **data):
    return datasets.load(DatasetSettings(name="imported", path=str(path)), DataSettings(**data))


def test_import_of_the_pendulum_notes_file_gives_its_transitions(tmp_path):
    rows = episodes()
    torch.save(rows, tmp_path / "expert.pt")
    said = imported(tmp_path / "expert.pt", tmp_path / "expert.hdf5", "Pendulum-v1")
    assert said == [f"{tmp_path / 'expert.hdf5'}: 600 steps, 3 episodes, 0 terminals, 3 timeouts"]
    dropped, kept = load(tmp_path / "expert.hdf5"), load(tmp_path / "expert.hdf5", timeout_steps="keep")
    assert dropped.environment.id == "Pendulum-v1"
    assert (len(dropped), len(kept)) == (597, 600)
    for key, column in (("observations", 0), ("actions", 1), ("rewards", 2), ("next_observations", 3)):
        expected = np.array([row[column] for row in rows], np.float32)
        assert np.array_equal(getattr(kept, key), expected), key
    assert not kept.terminals.any()


def test_import_of_final_observations_gives_the_next_ones(tmp_path):
    arrays = columns() | {"final_observations": np.full((3, 3), 0.5)}
    del arrays["next_observations"]
    np.savez(tmp_path / "few.npz", **arrays)
    with pytest.raises(HarnessError, match=r"final_observations has shape \(3, 3\), but 5 rows end an"):
        imported(tmp_path / "few.npz", tmp_path / "few.hdf5", "Pendulum-v1")
    arrays["final_observations"] = np.arange(15.0).reshape(5, 3)
    np.savez(tmp_path / "data.npz", **arrays)
    imported(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulum-v1")
    with open_file(tmp_path / "data.hdf5") as file:
        assert np.array_equal(file.read()["next_observations"][9::10], arrays["final_observations"])


def columns(count=50):
    generator = np.random.default_rng(0)
    states = generator.normal(size=(count + 1, 3)).astype(np.float32)
    return {
        "observations": states[:-1],
        "actions": generator.uniform(-1, 1, (count, 1)).astype(np.float32),
        "rewards": generator.normal(size=count).astype(np.float32),
        "next_observations": states[1:],
        "terminals": np.arange(count) % 10 == 9,
        "timeouts": np.zeros(count, bool),
    }


CHANGES = {
    "missing": (
        lambda v: v.pop("actions"),
        "actions are missing .looked for actions, action, acts.; there are",
    ),
    "short": (lambda v: v.update(rewards=v["rewards"][:-1]), "rewards has 49 rows, observations 50"),
    "NaN": (lambda v: v["actions"].fill(np.nan), "actions has NaN"),
    "wide": (lambda v: v.update(rewards=np.zeros((50, 2))), "rewards has shape"),
    "words": (lambda v: v.update(rewards=np.array(["x"] * 50)), "not numbers"),
    "a number": (lambda v: v.update(observations=np.float32(1)), r"observations has shape \(\), not"),
    "another number": (lambda v: v.update(rewards=np.float32(1)), r"rewards has shape \(\), not \(steps,\)"),
    "unlike": (
        lambda v: v.update(next_observations=np.zeros((50, 4))),
        "next_observations has shape .*; they must be equal",
    ),
    "too large": (
        lambda v: v.update(rewards=np.full(50, 1e39)),
        "rewards has NaN or infinite values, the first in row 0",
    ),
    "nothing": (
        lambda v: v.update({key: value[:0] for key, value in v.items()}),
        "has 0 steps; a dataset needs",
    ),
    "a single step": (lambda v: v.update({key: value[:1] for key, value in v.items()}), "has 1 step;"),
    "pickled": (lambda v: v.update(rewards=np.array([{}] * 50)), "rewards has type object, not numbers"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_import_of_a_wrong_npz_is_rejected(tmp_path, change):
    values = {key: value.copy() for key, value in columns().items()}
    how, said = CHANGES[change]
    how(values)
    np.savez(tmp_path / "data.npz", **values)
    with pytest.raises(HarnessError, match=said) as caught:
        imported(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulum-v1")
    assert "\n" not in str(caught.value)


def test_import_of_a_pickle_of_numpy_1_reads_its_arrays(tmp_path):
    """Numpy 1 pickled its arrays under other names of its modules."""
    rows = episodes(1)
    torch.save(rows, tmp_path / "new.pt")
    code = (tmp_path / "new.pt").read_bytes()
    if b"numpy._core.multiarray" not in code:
        pytest.skip("this numpy pickles under the old name")

    class Old(pickle._Pickler):
        def save_global(self, obj, name=None):
            if getattr(obj, "__module__", "") == "numpy._core.multiarray":
                self.write(b"cnumpy.core.multiarray\n" + obj.__name__.encode() + b"\n")
                self.memoize(obj)
            else:
                super().save_global(obj, name)

    module = SimpleNamespace(__name__="pickle", Pickler=Old, HIGHEST_PROTOCOL=2)
    torch.save(rows, tmp_path / "old.pt", pickle_module=module)
    assert b"numpy.core.multiarray" in (tmp_path / "old.pt").read_bytes()
    imported(tmp_path / "old.pt", tmp_path / "old.hdf5", "Pendulum-v1")
    assert np.array_equal(load(tmp_path / "old.hdf5").observations, np.array([r[0] for r in rows[:-1]]))


def test_import_for_an_unknown_task_is_rejected(tmp_path):
    np.savez(tmp_path / "data.npz", **columns())
    with pytest.raises(HarnessError, match=r"environment Pendulm-v1: .*Did you mean: `Pendulum`"):
        imported(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulm-v1")
    with pytest.raises(HarnessError, match="environment nothing:Here-v0: cannot import nothing"):
        imported(tmp_path / "data.npz", tmp_path / "data.hdf5", "nothing:Here-v0")


def test_import_for_another_task_is_rejected(tmp_path):
    np.savez(tmp_path / "data.npz", **columns())
    with pytest.raises(
        HarnessError, match=r"data.npz: observations have size 3, but those of \S*D4RL/Ant-v4 have 111"
    ):
        imported(tmp_path / "data.npz", tmp_path / "data.hdf5", "harness.environments:D4RL/Ant-v4")
    assert not (tmp_path / "data.hdf5").exists()


def test_import_to_a_full_disk_is_rejected_in_one_line(tmp_path):
    """HDF5 itself ends the process there, by a segmentation fault."""
    np.savez(tmp_path / "data.npz", **columns(2000))
    script = (
        "import resource, sys; from harness import cli\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    command = ["data", "import", "data.npz", "--environment", "Pendulum-v1"]
    done = subprocess.run(
        [sys.executable, "-c", script, *command], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stderr == "harness: error: data.hdf5: cannot be written (File too large)\n"
    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["data.npz"]


def test_import_of_next_observations_rounded_otherwise_is_read_in_order(tmp_path):
    values = columns()
    values["next_observations"] = values["next_observations"].astype(np.float64) * (1 + 1e-7)
    np.savez(tmp_path / "data.npz", **values)
    imported(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulum-v1")
    assert len(load(tmp_path / "data.hdf5"))


def test_import_to_an_existing_file_is_rejected(tmp_path):
    np.savez(tmp_path / "data.npz", **columns())
    with pytest.raises(HarnessError, match="already exists; move it away, or name another with --output"):
        imported(tmp_path / "data.npz", tmp_path / "data.npz", "Pendulum-v1")


@pytest.fixture
def point(monkeypatch):
    """A task of 20 steps whose observations and actions have size 2."""
    registered = gymnasium.spec("Pendulum-v1")

    class Point(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
        action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)

    spec = type(registered)("Point-v0", entry_point=Point, max_episode_steps=20)
    monkeypatch.setitem(gymnasium.registry, "Point-v0", spec)
    return "Point-v0"


def test_shuffled_transitions_are_all_kept(tmp_path, point):
    said = imported(CASES / "shuffled.npz", tmp_path / "data.hdf5", point)
    assert "1,000 steps, episodes unknown" in said[0]
    assert "rows are not in chronological order" in said[1]
    assert len(load(tmp_path / "data.hdf5")) == 1000


def test_dones_at_the_step_limit_become_timeouts_with_a_line(tmp_path, point):
    said = imported(CASES / "dones_only.npz", tmp_path / "data.hdf5", point)
    assert "50 episodes, 0 terminals, 50 timeouts" in said[0]
    assert "50 of 50 steps that dones marks are time limits" in said[1]


def test_terminals_that_timeouts_mark_too_stay_terminals(tmp_path, point):
    said = imported(CASES / "ends_as_timeouts.hdf5", tmp_path / "data.hdf5", point)
    assert "152 terminals" in said[0]
    with h5py.File(tmp_path / "data.hdf5") as file:
        assert file["terminals"][()].sum() == 152


def test_data_in_order_without_next_observations_is_read_as_it_was(tmp_path):
    values = columns()
    following = values.pop("next_observations")
    values["terminals"][:] = False
    values["timeouts"][9::10] = True
    np.savez(tmp_path / "data.npz", **values)
    said = imported(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulum-v1")
    assert "50 steps, 5 episodes, 0 terminals, 5 timeouts" in said[0]
    read = load(tmp_path / "data.hdf5")
    assert len(read) == 45
    assert np.array_equal(read.next_observations, following[~values["timeouts"]])


def test_actions_outside_the_tasks_range_are_reported(tmp_path):
    values = columns()
    values["actions"][7] = 2.5
    np.savez(tmp_path / "data.npz", **values)
    said = imported(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulum-v1")
    assert said[-1].startswith("actions reach 2.5 in dimension 0, but its environment accepts [-2, 2]; ")


def test_trajectories_keep_their_ends_when_they_are_loaded(tmp_path):
    content = [
        {
            "observations": states[:-1],
            "actions": np.zeros((length, 1), np.float32),
            "rewards": np.ones(length, np.float32),
            "terminals": np.arange(length) == (length - 1 if length < 20 else -1),
        }
        for length in (20, 7, 12)
        for states in [np.random.default_rng(length).normal(size=(length + 1, 3)).astype(np.float32)]
    ]
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(content))
    said = imported(tmp_path / "data.pkl", tmp_path / "data.hdf5", "Pendulum-v1")
    assert "39 steps, 3 episodes, 2 terminals, 1 timeouts" in said[0]
    read = load(tmp_path / "data.hdf5")
    assert (len(read), read.terminals.sum()) == (38, 2)


def test_an_environment_with_dictionary_observations_needs_their_keys(tmp_path, monkeypatch):
    class Reach(gymnasium.Env):
        box = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
        observation_space = gymnasium.spaces.Dict({"goal": box, "state": gymnasium.spaces.Box(-1, 1, (1,))})
        action_space = gymnasium.spaces.Box(-2, 2, (1,), np.float32)

    spec = type(gymnasium.spec("Pendulum-v1"))("Reach-v0", entry_point=Reach, max_episode_steps=20)
    monkeypatch.setitem(gymnasium.registry, "Reach-v0", spec)
    np.savez(tmp_path / "data.npz", **columns())
    with pytest.raises(
        HarnessError, match=r"Reach-v0 has dictionary observations with goal, state; name those"
    ):
        imported(tmp_path / "data.npz", tmp_path / "data.hdf5", "Reach-v0")
    said = import_file(Source(tmp_path / "data.npz", ("state", "goal")), tmp_path / "data.hdf5", "Reach-v0")
    assert said[-1] == "train with data.observation_keys: [state, goal]"
