"""From files in D4RL's layout to transitions, on data whose right values are known."""

import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

from harness import datasets
from harness.datasets import registry
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError, HarnessWarning
from tests.datasets.generate import random_steps, write_raw

CASES = Path(__file__).parent / "cases"
PENDULUM = "Pendulum-v1"


def load(path, name="mine", environment=None, **data):
    """The dataset and the lines that loading it says."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HarnessWarning)
        settings = DatasetSettings(name=name, path=str(path), environment=environment)
        found = datasets.load(settings, DataSettings(**data))
    return found, [str(warning.message) for warning in caught]


@pytest.fixture
def as_hdf5(tmp_path):
    """Writes an npz file of the cases as HDF5 with the same keys."""

    def write(name):
        with np.load(CASES / name) as file:
            write_raw(tmp_path / "data.hdf5", dict(file))
        return tmp_path / "data.hdf5"

    return write


def test_load_of_timeouts_at_every_end_keeps_the_terminals():
    found, _ = load(CASES / "ends_as_timeouts.hdf5")
    assert (len(found), found.terminals.sum()) == (999, 152)


def test_load_of_shuffled_transitions_uses_all_of_them(as_hdf5):
    path = as_hdf5("shuffled.npz")
    found, lines = load(path)
    assert len(found) == 1000
    with np.load(CASES / "shuffled.npz") as file:
        for key in ("observations", "actions", "next_observations", "terminals"):
            assert np.array_equal(getattr(found, key), file[key])
    assert len(lines) == 1
    assert "rows are not in chronological order: every transition is used" in lines[0]
    assert load(path)[1] == lines, "from the cache too"


@pytest.mark.parametrize("data", [{"rewards": "return_range"}, {"best_episodes": 0.1}])
def test_load_of_shuffled_transitions_rejects_settings_that_need_episode_returns(as_hdf5, data):
    with pytest.raises(
        HarnessError,
        match=r"episode returns, which are unknown, because its rows are not in chronological order",
    ):
        load(as_hdf5("shuffled.npz"), **data)


def test_load_of_dones_at_the_step_limit_has_no_terminals(as_hdf5, monkeypatch):
    monkeypatch.setattr("harness.datasets.file_source.step_limit", lambda _: 20)
    path = as_hdf5("dones_only.npz")
    found, lines = load(path, environment=PENDULUM)
    assert (len(found), found.terminals.sum()) == (1010 - 50 - 1, 0)
    assert "50 of 50 steps that dones marks are time limits" in lines[0]
    assert "51 of 1,010 steps are dropped" in lines[1]
    assert "data.timeout_steps=keep keeps them" in lines[1]
    kept, lines = load(path, environment=PENDULUM, timeout_steps="keep")
    assert (len(kept), kept.terminals.sum(), len(lines)) == (1010, 0, 1)
    ended, _ = load(path, environment=PENDULUM, time_limits="terminal")
    assert (len(ended), ended.terminals.sum()) == (1009, 50)


def test_load_of_d3rlpys_episode_terminals_pairs_no_step_with_another_episode(tmp_path):
    values = random_steps(np.random.default_rng(0))
    ends = values["terminals"] | values.pop("timeouts")
    write_raw(tmp_path / "data.h5", values | {"episode_terminals": ends})
    found, _ = load(tmp_path / "data.h5")
    kept = np.flatnonzero(~ends | values["terminals"])
    assert np.array_equal(found.observations, values["observations"][kept])
    assert np.array_equal(found.terminals, values["terminals"][kept])


def test_load_that_drops_a_small_share_says_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error", HarnessWarning)
        assert len(datasets.load("pendulum-expert-v0")) == 39_800


def test_load_by_path_of_a_published_file_follows_d4rls_rule(tmp_path, monkeypatch):
    """A step that is terminal and timeout at once is left out by D4RL; published scores depend on it."""
    values = random_steps(
        np.random.default_rng(0), observation_size=11, action_size=3, both=True, terminal_rate=0.1
    )
    path = tmp_path / "renamed.hdf5"
    write_raw(path, values)
    others, _ = load(path, environment="Hopper-v4")
    assert others.terminals.sum() == values["terminals"].sum() > 0
    monkeypatch.setattr(registry, "by_digest", lambda _: registry.find("hopper-medium-v2"))
    found, _ = load(path)
    assert not found.terminals.any()
    assert found.environment.id == registry.find("hopper-medium-v2").task.environment
    assert len(found) == 199 - values["timeouts"][:-1].sum()


def test_load_with_best_episodes_keeps_the_best_whole_episodes(tmp_path):
    values = random_steps(np.random.default_rng(1), rows=2000, terminal_rate=0.02)
    values["timeouts"][-1] = False
    write_raw(tmp_path / "data.hdf5", values)
    last = np.flatnonzero(values["terminals"] | values["timeouts"])
    starts = np.append(0, last[:-1] + 1)
    returns = [
        float(values["rewards"][a : b + 1].sum(dtype=np.float64)) for a, b in zip(starts, last, strict=True)
    ]
    count = int(0.1 * len(last))
    assert count > 5
    best = sorted(sorted(range(len(last)), key=lambda i: -returns[i])[:count])
    rows = np.concatenate([np.arange(starts[i], last[i] + 1) for i in best])
    rows = rows[~values["timeouts"][rows]]
    found, _ = load(tmp_path / "data.hdf5", best_episodes=0.1)
    assert np.array_equal(found.observations, values["observations"][rows])
    one, _ = load(tmp_path / "data.hdf5", best_episodes=1e-6)
    assert 0 < len(one) <= 20


def test_load_with_actions_outside_the_range_clips_them_when_asked(tmp_path):
    values = random_steps(np.random.default_rng(0), observation_size=3, action_size=1)
    values["actions"][:5] = 2.5
    write_raw(tmp_path / "data.hdf5", values)
    plain, lines = load(tmp_path / "data.hdf5", environment=PENDULUM)
    assert plain.actions.max() == 2.5
    assert not any("clip" in line for line in lines)
    found, lines = load(tmp_path / "data.hdf5", environment=PENDULUM, clip_actions=True)
    assert found.actions.max() == 2.0
    assert np.array_equal(found.actions, np.clip(plain.actions, -2, 2))
    assert "5 of 200 actions are clipped to the task's range" in lines[0]
    with pytest.raises(HarnessError, match=r"data.clip_actions needs the range .* environment: GYMNASIUM-ID"):
        load(tmp_path / "data.hdf5", clip_actions=True)


def test_load_of_human_data_clips_actions_by_itself(tmp_path):
    values = random_steps(np.random.default_rng(0), observation_size=39, action_size=28)
    values["actions"][3, 4] = 1.25
    write_raw(tmp_path / "data.hdf5", values)
    found, lines = load(tmp_path / "data.hdf5", name="door-human-v1")
    assert found.actions.max() == 1.0
    assert "1 of 200 actions are clipped to the task's range" in lines[0]
    with pytest.raises(HarnessError, match=r"data.clip_actions=true clips them"):
        load(tmp_path / "data.hdf5", name="door-expert-v1")


def test_load_of_marks_that_do_not_fit_is_rejected(tmp_path):
    values = random_steps(np.random.default_rng(0))
    write_raw(tmp_path / "data.hdf5", values | {"episode_ends": np.array([50, 30])})
    with pytest.raises(HarnessError, match=r"data.hdf5: episode_ends has shape \(2,\)"):
        load(tmp_path / "data.hdf5")
    with h5py.File(tmp_path / "data.hdf5", "r+") as file:
        del file["episode_ends"]
        file["dones"] = np.zeros(7)
    with pytest.raises(HarnessError, match=r"dones has shape \(7,\) .* each of the 200 steps"):
        load(tmp_path / "data.hdf5")
