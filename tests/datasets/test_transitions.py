"""Reading against a plain loop, written from the description of D4RL's layout."""

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.datasets.d4rl_rule import at_step_limit, d4rl_cuts
from harness.datasets.episode_ends import EpisodeEnds
from harness.datasets.recording import Recording
from harness.datasets.settings import DataSettings
from harness.errors import HarnessError
from tests.datasets.generate import random_steps
from tests.datasets.test_hdf5 import read


def plainly(values, cuts):
    """One step after the other: its observation, action, reward, the next row's observation, terminal."""
    rows = []
    for i in range(len(values["rewards"]) - 1):
        if cuts[i]:
            continue
        row = (values["observations"][i], values["actions"][i], [values["rewards"][i]])
        rows.append(np.concatenate([*row, values["observations"][i + 1], [values["terminals"][i]]]))
    return np.array(rows, np.float32)


STORED = {
    "as D4RL's": {"compression": "gzip"},
    "in small pieces": {"compression": "gzip", "chunks": (11, 2)},
    "in pieces as they are": {"chunks": (11, 2)},
    "shuffled": {"compression": "gzip", "shuffle": True},
    "with checksums": {"compression": "gzip", "fletcher32": True},
    "otherwise compressed": {"compression": "lzf"},
    "in one piece": {},
}


@pytest.mark.parametrize("stored", STORED)
def test_timeouts_are_left_out_and_terminals_stay(tmp_path, stored):
    values = random_steps(np.random.default_rng(0))
    options = dict(STORED[stored])
    with h5py.File(tmp_path / "data.hdf5", "w") as file:
        for key, array in values.items():
            if options.get("chunks"):
                options["chunks"] = STORED[stored]["chunks"][: array.ndim]
            file.create_dataset(key, data=array, **options)
    found = read(tmp_path / "data.hdf5")
    assert np.array_equal(found, plainly(values, values["timeouts"]))
    assert found[:, -1].sum() == values["terminals"][:-1].sum() > 0


def test_kept_timeouts_have_the_files_own_successors_and_keep_the_bootstrap(generated):
    values = random_steps(np.random.default_rng(0), next_observations=True)
    found = read(generated(next_observations=True), DataSettings(timeout_steps="keep"))
    assert len(found) == 200
    assert np.array_equal(found[:, 8:13], values["next_observations"])
    assert not found[values["timeouts"], -1].any()


def test_kept_timeouts_need_successors(generated):
    with pytest.raises(HarnessError, match=r"has no next_observations.*data.timeout_steps=drop"):
        read(generated(), DataSettings(timeout_steps="keep"))


def test_a_file_without_timeouts_needs_a_step_limit(generated):
    with pytest.raises(HarnessError, match="nothing marks where episodes are truncated"):
        read(generated(timeouts=False), max_episode_steps=None)


def d4rl_counts(terminals, limit):
    """Step by step as D4RL counts, from the description of its reader."""
    cuts, count = [], 0
    for terminal in terminals:
        cut = count == limit - 1
        cuts.append(cut)
        if cut or terminal:
            count = 0
        if not cut:
            count += 1
    return np.array(cuts)


@given(st.lists(st.booleans(), min_size=2, max_size=200), st.integers(2, 12))
@settings(deadline=None)
def test_steps_are_counted_as_d4rl_does(flags, limit):
    terminals = np.array(flags)
    assert np.array_equal(d4rl_cuts(terminals, limit), d4rl_counts(terminals, limit))


@given(st.lists(st.sampled_from([0, 0, 0, 0, 1]), min_size=1, max_size=120), st.integers(2, 12))
@settings(deadline=None)
def test_episodes_end_at_terminals_and_at_the_step_limit(flags, limit):
    terminals = np.array(flags, bool)
    ends, count = [], 0
    for row, terminal in enumerate(terminals):
        count += 1
        if terminal or count == limit:
            ends.append(row)
            count = 0
    last = terminals | at_step_limit(terminals, limit)
    assert np.flatnonzero(last).tolist() == ends
    rewards = np.arange(len(flags), dtype=np.float32)
    returns = [rewards[a + 1 : b + 1].sum() for a, b in zip([-1, *ends], ends, strict=False)]
    vectors = rewards[:, None]
    found = Recording("x", vectors, vectors, rewards, None, EpisodeEnds(terminals, last, last, last, True))
    assert found.episode_returns().tolist() == returns


def test_rewards_are_scaled(generated):
    found = read(generated(), DataSettings(rewards={"scale": 100}))[:, 7]
    assert np.array_equal(found, read(generated())[:, 7] * 100)


def test_rewards_are_shifted(generated):
    assert np.array_equal(
        read(generated(), DataSettings(rewards={"shift": -1}))[:, 7], read(generated())[:, 7] - 1
    )


def test_rewards_are_scaled_before_they_are_shifted(generated):
    found = read(generated(), DataSettings(rewards={"scale": 10, "shift": -5}))[:, 7]
    assert np.allclose(found, 10 * read(generated())[:, 7] - 5)


def test_rewards_are_divided_by_the_range_of_returns(generated):
    values = random_steps(np.random.default_rng(0))
    ends = np.flatnonzero(values["terminals"] | values["timeouts"])
    returns = [part.sum() for part in np.split(values["rewards"], ends + 1)[:-1]]
    expected = read(generated())[:, 7] * 1000 / (max(returns) - min(returns))
    found = read(generated(), DataSettings(rewards="return_range"))[:, 7]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_rewards_with_returns_that_are_all_equal_are_rejected(generated):
    path = generated(change=lambda values: values["rewards"].fill(0))
    with pytest.raises(HarnessError, match=r"same return.*data.rewards=as_is"):
        read(path, DataSettings(rewards="return_range"))
