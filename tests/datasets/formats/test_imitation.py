import numpy as np
import pytest

from harness.datasets.formats import Source, read
from harness.errors import HarnessError
from tests.datasets.formats.make import assert_columns, episodes, flags


def write(path, all_episodes, complete, **changes):
    """As imitation's `types.save` did before it wrote Hugging Face datasets."""
    arrays = {
        "obs": np.concatenate([e["states"] for e in all_episodes]),
        "acts": np.concatenate([e["actions"] for e in all_episodes]),
        "infos": np.concatenate([[{}] * len(e["actions"]) for e in all_episodes]),
        "terminal": np.array(complete),
        "indices": np.cumsum([len(e["actions"]) for e in all_episodes[:-1]]),
        "rews": np.concatenate([e["rewards"] for e in all_episodes]),
    }
    arrays |= changes
    np.savez_compressed(path, **{key: value for key, value in arrays.items() if value is not None})


def test_whole_episodes_are_read_with_ends_as_dones(tmp_path):
    write(tmp_path / "data.npz", episodes(), [True] * 3)
    columns = read(Source(tmp_path / "data.npz"))
    assert_columns(columns, episodes())
    assert np.array_equal(columns.arrays["dones"], flags(episodes())[1])
    assert np.array_equal(columns.arrays["episode_ends"], flags(episodes())[1])


def test_fragments_are_cut_at_their_ends(tmp_path):
    write(tmp_path / "data.npz", episodes(), [True, False, True])
    columns = read(Source(tmp_path / "data.npz"))
    assert columns.arrays["dones"].sum() == 2
    assert np.array_equal(columns.arrays["episode_ends"], flags(episodes())[1])


def test_a_single_trajectory_is_read(tmp_path):
    write(tmp_path / "data.npz", episodes((5,), (True,)), [True])
    assert_columns(read(Source(tmp_path / "data.npz")), episodes((5,), (True,)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rews": None}, "has no rews"),
        ({"indices": np.array([5])}, "18 obs, 15 acts, 3 terminal and 1 indices do not fit each other"),
    ],
)
def test_read_of_files_that_do_not_fit_names_the_problem(tmp_path, changes, said):
    write(tmp_path / "data.npz", episodes(), [True] * 3, **changes)
    with pytest.raises(HarnessError, match=said):
        read(Source(tmp_path / "data.npz"))
