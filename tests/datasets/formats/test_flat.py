import pickle

import h5py
import numpy as np
import pytest
import torch

from harness.datasets.formats import Source, read
from harness.errors import HarnessError
from tests.datasets.formats.make import assert_columns, episodes, flags, joined


def table(next_observations=True):
    terminals, last = flags(episodes())
    columns = ["observations", "actions", "rewards"] + ["next_observations"] * next_observations
    return {key: joined(episodes(), key) for key in columns} | {
        "terminals": terminals,
        "timeouts": last & ~terminals,
    }


def write_hdf5(path, arrays):
    with h5py.File(path, "w") as file:
        for key, array in arrays.items():
            file[key] = array


WRITERS = {
    "npz": lambda path, arrays: np.savez(path.open("wb"), **arrays),
    "compressed npz": lambda path, arrays: np.savez_compressed(path.open("wb"), **arrays),
    "HDF5": write_hdf5,
    "pickle": lambda path, arrays: path.write_bytes(pickle.dumps(arrays)),
    "torch": lambda path, arrays: torch.save({k: torch.tensor(v) for k, v in arrays.items()}, path),
    "torch of numpy": lambda path, arrays: torch.save(arrays, path),
    "old torch": lambda path, arrays: torch.save(
        {k: torch.tensor(v) for k, v in arrays.items()}, path, _use_new_zipfile_serialization=False
    ),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("next_observations", [True, False])
def test_arrays_by_name_are_read_whatever_the_files_name(tmp_path, writer, next_observations):
    WRITERS[writer](tmp_path / "data", table(next_observations))
    columns = read(Source(tmp_path / "data"))
    assert_columns(columns, episodes(), next_observations)
    for key in ("terminals", "timeouts"):
        assert np.array_equal(columns.arrays[key], table()[key])


def test_final_observations_are_read(tmp_path):
    final = np.arange(6.0).reshape(2, 3)
    write_hdf5(tmp_path / "data", table(False) | {"final_observations": final})
    assert np.array_equal(read(Source(tmp_path / "data")).arrays["final_observations"], final)


@pytest.mark.parametrize("writer", WRITERS)
def test_missing_arrays_are_named_with_the_existing_ones(tmp_path, writer):
    arrays = table()
    del arrays["rewards"]
    WRITERS[writer](tmp_path / "data", arrays)
    with pytest.raises(
        HarnessError, match=r"rewards are missing \(looked for rewards, reward, rews\); there are .*ter"
    ):
        read(Source(tmp_path / "data"))


def test_tensors_with_a_gradient_or_in_bfloat16_are_read(tmp_path):
    tensors = {key: torch.tensor(array) for key, array in table().items()}
    tensors["rewards"] = tensors["rewards"].bfloat16()
    tensors["actions"].requires_grad = True
    torch.save(tensors, tmp_path / "data.pt")
    assert np.allclose(read(Source(tmp_path / "data.pt")).arrays["rewards"], table()["rewards"], rtol=0.01)


def test_dictionary_observations_of_single_values_are_rejected(tmp_path):
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(table() | {"observations": {"time": 5}}))
    with pytest.raises(HarnessError, match="observations have no entry that is a vector; there are time"):
        read(Source(tmp_path / "data.pkl"))
