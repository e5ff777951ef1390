import random
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
import torch

from harness import datasets
from harness.datasets.importing import import_file
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError


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


def load(path, **data):
    return datasets.load(DatasetSettings(name="imported", path=str(path)), DataSettings(**data))


def test_the_pendulum_notes_file(tmp_path):
    rows = episodes()
    torch.save(rows, tmp_path / "expert.pt")
    said = import_file(tmp_path / "expert.pt", tmp_path / "expert.hdf5", "Pendulum-v1")
    assert "600 steps, 3 episodes" in said
    dropped, kept = load(tmp_path / "expert.hdf5"), load(tmp_path / "expert.hdf5", timeout_steps="keep")
    assert dropped.environment.id == "Pendulum-v1"
    assert (len(dropped), len(kept)) == (597, 600)
    for key, column in (("observations", 0), ("actions", 1), ("rewards", 2), ("next_observations", 3)):
        expected = np.array([row[column] for row in rows], np.float32)
        assert np.array_equal(getattr(kept, key), expected), key
    assert not kept.terminals.any()


@pytest.mark.parametrize("kind", [float, np.float32, np.float64, torch.tensor])
def test_rewards_of_any_kind_of_number(tmp_path, kind):
    rows = [(row[0], row[1], kind(row[2]), row[3], np.bool_(row[4]), bool(row[5]), {}) for row in episodes(1)]
    torch.save(rows, tmp_path / "data.pt")
    import_file(tmp_path / "data.pt", tmp_path / "data.hdf5", "Pendulum-v1")
    assert np.allclose(load(tmp_path / "data.hdf5").rewards, [float(row[2]) for row in rows[:-1]])


def test_nothing_of_a_file_is_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save([Trap()], tmp_path / "trap.pt")
    with pytest.raises(
        HarnessError, match=r"plain tensors, numbers and numpy arrays \(it holds \S*open\); save"
    ):
        import_file(tmp_path / "trap.pt", tmp_path / "trap.hdf5", "Pendulum-v1")
    assert not (tmp_path / "sprung").exists()
    assert not (tmp_path / "trap.hdf5").exists()


def test_shuffled_rows_have_no_wrong_successors(tmp_path):
    rows = episodes(1)
    random.Random(0).shuffle(rows)
    torch.save(rows, tmp_path / "data.pt")
    said = import_file(tmp_path / "data.pt", tmp_path / "data.hdf5", "Pendulum-v1")
    assert "without their successor behind them are marked as timeouts" in said
    kept = load(tmp_path / "data.hdf5", timeout_steps="keep")
    assert np.array_equal(kept.next_observations, np.array([row[3] for row in rows], np.float32))
    following = {row[0].tobytes(): row[3].tobytes() for row in rows}
    for transition in load(tmp_path / "data.hdf5").transitions:
        assert following[transition[:3].tobytes()] == transition[5:8].tobytes()


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


NAMES = {
    "observations": "states",
    "next_observations": "next_states",
    "terminals": "dones",
    "timeouts": "truncated",
}


@pytest.mark.parametrize("other_names", [False, True])
def test_npz(tmp_path, other_names):
    values = columns()
    np.savez(tmp_path / "data.npz", **{NAMES.get(k, k) if other_names else k: v for k, v in values.items()})
    import_file(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulum-v1")
    kept = load(tmp_path / "data.hdf5", timeout_steps="keep")
    for key in ("observations", "actions", "rewards", "next_observations", "terminals"):
        assert np.array_equal(getattr(kept, key), values[key])


CHANGES = {
    "missing": (lambda v: v.pop("actions"), "key actions is missing .also looked for action.; the file has"),
    "short": (lambda v: v.update(rewards=v["rewards"][:-1]), "rewards has 49 rows, observations 50"),
    "NaN": (lambda v: v["actions"].fill(np.nan), "actions has NaN"),
    "wide": (lambda v: v.update(rewards=np.zeros((50, 2))), "rewards has shape"),
    "words": (lambda v: v.update(rewards=np.array(["x"] * 50)), "not numbers"),
    "a number": (lambda v: v.update(observations=np.float32(1)), "observations is a single number"),
    "another number": (lambda v: v.update(rewards=np.float32(1)), "rewards is a single number"),
    "unlike": (lambda v: v.update(next_observations=np.zeros((50, 4))), "have different shapes"),
    "too large": (
        lambda v: v.update(rewards=np.full(50, 1e39)),
        "rewards has NaN or infinite values, or too",
    ),
    "nothing": (
        lambda v: v.update({key: value[:0] for key, value in v.items()}),
        "has 0 steps; a dataset needs",
    ),
    "a single step": (lambda v: v.update({key: value[:1] for key, value in v.items()}), "has 1 steps"),
    "pickled": (lambda v: v.update(rewards=np.array([{}] * 50)), "no readable npz"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_wrong_with_an_npz(tmp_path, change):
    values = {key: value.copy() for key, value in columns().items()}
    how, said = CHANGES[change]
    how(values)
    np.savez(tmp_path / "data.npz", **values)
    with pytest.raises(HarnessError, match=said) as caught:
        import_file(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulum-v1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "is no list of .state, action"),
        ({"a": 1}, "is no list of .state, action"),
        ([(1, 2)], "entry 0 is no .state, action"),
        (
            [(torch.zeros(3), 0.0, 0.0, torch.zeros(3), False, False)] * 2
            + [(torch.zeros(2), 0, 0, 0, 0, 0)],
            "shapes",
        ),
    ],
)
def test_what_is_wrong_with_a_torch_file(tmp_path, content, said):
    torch.save(content, tmp_path / "data.pt")
    with pytest.raises(HarnessError, match=said):
        import_file(tmp_path / "data.pt", tmp_path / "data.hdf5", "Pendulum-v1")


def test_no_file_a_damaged_one_and_itself(tmp_path):
    with pytest.raises(HarnessError, match="no such file"):
        import_file(tmp_path / "data.pt", tmp_path / "data.hdf5", "Pendulum-v1")
    (tmp_path / "data.npz").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(HarnessError, match="no readable npz file"):
        import_file(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulum-v1")
    with pytest.raises(HarnessError, match="already exists; move it away, or name another with --output"):
        import_file(tmp_path / "data.npz", tmp_path / "data.npz", "Pendulum-v1")


def test_a_file_of_numpy_1(tmp_path):
    """Numpy 1 pickled its arrays under other names of its modules."""
    rows = episodes(1)
    torch.save(rows, tmp_path / "new.pt")
    code = (tmp_path / "new.pt").read_bytes()
    if b"numpy._core.multiarray" not in code:
        pytest.skip("this numpy pickles under the old name")
    script = (
        "import sys, types, pickle, numpy, torch, numpy._core.multiarray as m\n"
        "class Old(pickle._Pickler):\n"
        "    def save_global(self, obj, name=None):\n"
        "        if getattr(obj, '__module__', '') == 'numpy._core.multiarray':\n"
        "            self.write(b'cnumpy.core.multiarray\\n' + obj.__name__.encode() + b'\\n')\n"
        "            self.memoize(obj)\n"
        "        else: super().save_global(obj, name)\n"
        "module = types.SimpleNamespace(__name__='pickle', Pickler=Old, HIGHEST_PROTOCOL=2)\n"
        "rows = torch.load(sys.argv[1], weights_only=False)\n"
        "torch.save(rows, sys.argv[2], pickle_module=module)\n"
    )
    command = [sys.executable, "-c", script, tmp_path / "new.pt", tmp_path / "old.pt"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert b"numpy.core.multiarray" in (tmp_path / "old.pt").read_bytes()
    import_file(tmp_path / "old.pt", tmp_path / "old.hdf5", "Pendulum-v1")
    assert np.array_equal(load(tmp_path / "old.hdf5").observations, np.array([r[0] for r in rows[:-1]]))


def test_a_task_that_is_none(tmp_path):
    np.savez(tmp_path / "data.npz", **columns())
    with pytest.raises(HarnessError, match=r"environment Pendulm-v1: .*Did you mean: `Pendulum`"):
        import_file(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulm-v1")
    with pytest.raises(HarnessError, match="environment nothing:Here-v0: cannot import module nothing"):
        import_file(tmp_path / "data.npz", tmp_path / "data.hdf5", "nothing:Here-v0")


def test_a_task_that_is_another(tmp_path):
    np.savez(tmp_path / "data.npz", **columns())
    with pytest.raises(
        HarnessError, match=r"data.npz: observations have size 3, those of \S*D4RL/Ant-v4 111"
    ):
        import_file(tmp_path / "data.npz", tmp_path / "data.hdf5", "harness.environments:D4RL/Ant-v4")
    assert not (tmp_path / "data.hdf5").exists()


def test_a_disk_without_room_is_one_line(tmp_path):
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


def test_dones_of_the_older_gym_are_no_terminals(tmp_path):
    values = columns()
    values["timeouts"][4::20] = True
    ended = values.pop("terminals") | values["timeouts"]
    np.savez(tmp_path / "data.npz", dones=ended, **values)
    import_file(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulum-v1")
    kept = load(tmp_path / "data.hdf5", timeout_steps="keep")
    assert np.array_equal(kept.terminals, columns()["terminals"])
    assert ended.sum() > kept.terminals.sum() > 0


def test_successors_that_were_rounded_otherwise_can_be_read(tmp_path):
    values = columns()
    values["next_observations"] = values["next_observations"].astype(np.float64) * (1 + 1e-7)
    np.savez(tmp_path / "data.npz", **values)
    import_file(tmp_path / "data.npz", tmp_path / "data.hdf5", "Pendulum-v1")
    assert len(load(tmp_path / "data.hdf5"))


def test_tensors_with_a_gradient_or_in_bfloat16(tmp_path):
    rows = [
        (torch.tensor(s).bfloat16(), torch.tensor(a, requires_grad=True), r, torch.tensor(n).bfloat16(), t, c)
        for s, a, r, n, t, c, _ in episodes(1)
    ]
    torch.save(rows, tmp_path / "data.pt")
    import_file(tmp_path / "data.pt", tmp_path / "data.hdf5", "Pendulum-v1")
    assert np.array_equal(load(tmp_path / "data.hdf5").actions, [row[1] for row in episodes(1)[:-1]])
