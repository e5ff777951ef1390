import h5py
import numpy as np
import pytest

from harness.datasets.formats import Source, read
from harness.errors import HarnessError
from tests.datasets.formats.make import assert_columns, episodes, flags, joined


def write_v1(path, all_episodes):
    """As `MDPDataset.dump` of d3rlpy 1 does."""
    terminals, last = flags(all_episodes)
    with h5py.File(path, "w") as file:
        file.create_dataset("observations", data=joined(all_episodes, "observations"))
        file.create_dataset("actions", data=joined(all_episodes, "actions"))
        file.create_dataset("rewards", data=joined(all_episodes, "rewards"))
        file.create_dataset("terminals", data=terminals.astype(np.float32))
        file.create_dataset("episode_terminals", data=last.astype(np.float32))
        file.create_dataset("discrete_action", data=False)
        file.create_dataset("version", data="1.0")
        file.flush()


def write_v2(path, all_episodes):
    """As `d3rlpy.dataset.io.dump` does."""
    keys = ["observations", "actions", "rewards", "terminated"]
    with h5py.File(path, "w") as file:
        file.create_dataset("columns", data=keys)
        file.create_dataset("num_episodes", data=len(all_episodes))
        for number, e in enumerate(all_episodes):
            file.create_dataset(f"observations_{number}", data=e["states"][:-1])
            file.create_dataset(f"actions_{number}", data=e["actions"])
            file.create_dataset(f"rewards_{number}", data=e["rewards"].reshape(-1, 1))
            file.create_dataset(f"terminated_{number}", data=e["terminal"])
        file.create_dataset("version", data="2.1")


@pytest.mark.parametrize(("write", "ends"), [(write_v1, "episode_terminals"), (write_v2, "episode_ends")])
def test_episodes_are_read_with_their_ends(tmp_path, write, ends):
    many = episodes((5, 4, 6, *[2] * 9), (False, True, *[False] * 10))  # episode 10 comes after 9
    write(tmp_path / "data.h5", many)
    columns = read(Source(tmp_path / "data.h5"))
    assert_columns(columns, many, next_observations=False)
    terminals, last = flags(many)
    assert np.array_equal(columns.arrays["terminals"] != 0, terminals)
    assert np.array_equal(columns.arrays[ends] != 0, last)


def test_observations_of_several_arrays_are_rejected(tmp_path):
    write_v2(tmp_path / "data.h5", episodes())
    with h5py.File(tmp_path / "data.h5", "a") as file:
        file.move("observations_1", "observations_1_0")
        file["observations_1_1"] = np.zeros((4, 2))
    with pytest.raises(HarnessError, match="observations_1 has several arrays for one observation"):
        read(Source(tmp_path / "data.h5"))
