import h5py
import numpy as np
import pytest

from harness.datasets.formats import Source, read
from harness.errors import HarnessError
from tests.datasets.formats.make import assert_columns, episodes, flags


def write(path, all_episodes):
    """As `dataset_states_to_obs.py` does, with `done_mode` 2: observations have two vectors and an image."""
    with h5py.File(path, "w") as file:
        data = file.create_group("data")
        for number, e in enumerate(all_episodes):
            demo = data.create_group(f"demo_{number}")
            demo.create_dataset("actions", data=e["actions"].astype(np.float64))
            demo.create_dataset("states", data=np.zeros((len(e["actions"]), 32)))
            demo.create_dataset("rewards", data=e["rewards"].astype(np.float64))
            demo.create_dataset("dones", data=flags([e])[1].astype(np.int64))
            for group, states in (("obs", e["states"][:-1]), ("next_obs", e["states"][1:])):
                demo.create_dataset(f"{group}/a_pos", data=states[:, :2].astype(np.float64))
                demo.create_dataset(f"{group}/b_quat", data=states[:, 2:].astype(np.float64))
                demo.create_dataset(f"{group}/camera_image", data=np.zeros((len(states), 4, 4, 3), np.uint8))
            demo.attrs["num_samples"] = len(e["actions"])
        data.attrs["total"] = sum(len(e["actions"]) for e in all_episodes)
        data.attrs["env_args"] = "{}"
        file.create_dataset("mask/train", data=np.array([b"demo_0"]))


def test_demonstrations_are_read_in_order_with_vectors_concatenated(tmp_path):
    many = episodes((5, 4, *[3] * 10), (True,) * 12)
    write(tmp_path / "data.hdf5", many)
    columns = read(Source(tmp_path / "data.hdf5"))
    assert_columns(columns, many)
    assert np.array_equal(columns.arrays["dones"] != 0, flags(many)[0])
    assert columns.notes[0].startswith("observations are a_pos + b_quat; use --observation-keys")


def test_observation_keys_choose_entries_and_their_order(tmp_path):
    write(tmp_path / "data.hdf5", episodes())
    columns = read(Source(tmp_path / "data.hdf5", ("b_quat", "a_pos")))
    assert columns.arrays["observations"][0].tolist() == episodes()[0]["states"][0][[2, 0, 1]].tolist()
    with pytest.raises(
        HarnessError, match=r"have no entry c \(--observation-keys\); there are a_pos, b_quat, camera"
    ):
        read(Source(tmp_path / "data.hdf5", ("c",)))


def test_a_raw_file_without_observations_is_named_with_the_remedy(tmp_path):
    write(tmp_path / "data.hdf5", episodes())
    with h5py.File(tmp_path / "data.hdf5", "a") as file:
        for demo in file["data"].values():
            del demo["obs"], demo["next_obs"]
    with pytest.raises(
        HarnessError, match=r"data/demo_0 has no obs, only .*states.*dataset_states_to_obs.py"
    ):
        read(Source(tmp_path / "data.hdf5"))
