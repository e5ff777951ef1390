import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.datasets.episode_ends import EpisodeEnds
from harness.datasets.hdf5 import open_file
from harness.datasets.layout import FINAL, write
from harness.datasets.recording import Recording
from harness.errors import HarnessError


def steps(ends, terminal, last_row_ends=True, size=3, order=slice(None)):
    """Steps of episodes that end in the given rows, each by a terminal or by a timeout."""
    generator = np.random.default_rng(0)
    rows = max(ends) + (1 if last_row_ends else 3)
    marks = np.zeros((2, rows), np.bool_)
    marks[int(not terminal), ends] = True
    observations = generator.normal(size=(rows, size)).astype(np.float32)
    following = np.roll(observations, -1, axis=0)
    following[[*ends, -1]] = generator.normal(size=(len(ends) + 1, size))
    actions = generator.normal(size=(rows, 2)).astype(np.float32)
    terminals, timeouts = marks[:, order]
    last = terminals | timeouts
    known = EpisodeEnds(terminals, timeouts, last, np.ones_like(last), ordered=True)
    observations = observations[order]
    return Recording("task", observations, actions[order], observations[:, 0], following[order], known)


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(1, 40), min_size=1), st.booleans(), st.booleans())
def test_write_of_episodes_in_order_stores_final_observations_alone(tmp_path_factory, ends, terminal, whole):
    path, written = tmp_path_factory.mktemp("layout") / "data.hdf5", steps(sorted(ends), terminal, whole)
    write(path, written, {"seed": 1})
    with open_file(path) as file:
        assert "next_observations" not in file.arrays
        assert file.arrays[FINAL].shape == (len(ends) + (not whole), 3)
        found = file.read()
    assert found["next_observations"].tobytes() == written.next_observations.tobytes()
    assert found["observations"].tobytes() == written.observations.tobytes()


def test_write_of_shuffled_steps_stores_every_next_observation(tmp_path):
    written = steps([3, 9], terminal=False, order=np.random.default_rng(0).permutation(10))
    write(tmp_path / "data.hdf5", written, {})
    with open_file(tmp_path / "data.hdf5") as file:
        assert FINAL not in file.arrays
        assert np.array_equal(file.read()["next_observations"], written.next_observations)


def test_read_of_a_file_without_next_observations_returns_none(tmp_path):
    with h5py.File(tmp_path / "data.hdf5", "w") as file:
        for key, shape in (("observations", (4, 2)), ("actions", (4, 1)), ("rewards", 4), ("terminals", 4)):
            file[key] = np.zeros(shape)
    with open_file(tmp_path / "data.hdf5") as file:
        assert "next_observations" not in file.read()


@pytest.mark.parametrize("shape", [(1, 3), (3, 3), (2, 4)])
def test_read_with_final_observations_of_another_shape_is_rejected(tmp_path, shape):
    path = tmp_path / "data.hdf5"
    write(path, steps([3, 9], terminal=True), {})
    with h5py.File(path, "r+") as file:
        del file[FINAL]
        file[FINAL] = np.zeros(shape)
    with open_file(path) as file, pytest.raises(HarnessError, match=f"{FINAL} has shape"):
        file.read()
