"""Every damage of a file is rejected in one line that names file, key and fix."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from harness.datasets import hdf5
from harness.datasets.file_source import read_recording
from harness.datasets.settings import DataSettings
from harness.datasets.transitions import build_transitions, select
from harness.errors import HarnessError
from tests.datasets.generate import random_steps, write_raw


def read(path, data=None, max_episode_steps=20, task=None):
    data = data or DataSettings()
    recording = read_recording(path, max_episode_steps, task, data.timeout_steps == "keep")
    return build_transitions(recording, select(recording, data), data.rewards)


def set_to(key, value):
    return lambda values: values.__setitem__(key, value)


def put(key, where, value):
    return lambda values: values[key].__setitem__(where, value)


CHANGES = {
    "a missing key": (
        lambda values: values.pop("actions"),
        "key actions is missing; .* the file has observations",
    ),
    "wrong shape": (
        set_to("observations", np.zeros((200, 5, 2))),
        r"observations has shape \(200, 5, 2\), not",
    ),
    "flat observations": (set_to("observations", np.zeros(200)), r"observations has shape \(200,\), not"),
    "no observations": (set_to("observations", np.zeros((200, 0))), "observations has shape"),
    "wide rewards": (set_to("rewards", np.zeros((200, 2))), r"rewards has shape \(200, 2\), not \(steps,\)"),
    "a single number": (set_to("rewards", np.float32(1)), r"rewards has shape \(\), not \(steps,\)"),
    "lengths that differ": (set_to("rewards", np.zeros(150)), "rewards has 150 rows, observations 200"),
    "NaN": (
        put("observations", (17, 2), np.nan),
        "observations has NaN or infinite values, the first in row 17",
    ),
    "infinity": (put("rewards", 3, np.inf), "rewards has NaN or infinite values, the first in row 3"),
    "too large for single precision": (
        set_to("actions", np.full((200, 2), 1e300)),
        "actions has NaN or infinite values",
    ),
    "NaN in flags": (set_to("terminals", np.full(200, np.nan)), "terminals has NaN"),
    "NaN as the only flag": (set_to("terminals", np.float32(np.nan)), "terminals has NaN"),
    "words": (set_to("rewards", np.array(["a"] * 200, dtype="S1")), r"rewards has type \|S1, not numbers"),
    "complex numbers": (
        set_to("rewards", np.zeros(200, complex)),
        "rewards has type complex128, not numbers",
    ),
    "successors of another shape": (
        set_to("next_observations", np.zeros((200, 4))),
        "next_observations has shape",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_read_of_wrong_arrays_is_rejected(generated, change):
    how, said = CHANGES[change]
    path = generated(change=how)
    with pytest.raises(HarnessError, match=said) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_read_of_a_compact_layout_gives_its_values(tmp_path):
    """HDF5's compact layout, which h5py has no word for."""
    path, values = tmp_path / "data.hdf5", random_steps(np.random.default_rng(0))
    write_raw(path, values)
    whole = read(path)
    with h5py.File(path, "r+") as file:
        del file["rewards"]
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple(values["rewards"].shape)
        stored = h5py.h5d.create(file.id, b"rewards", h5py.h5t.IEEE_F32LE, space, compact)
        stored.write(h5py.h5s.ALL, h5py.h5s.ALL, values["rewards"])
    assert np.array_equal(read(path), whole)


def test_read_of_a_group_in_place_of_an_array_is_rejected(generated):
    path = generated()
    with h5py.File(path, "a") as file:
        del file["actions"]
        file.create_group("actions/inner")
    with pytest.raises(HarnessError, match="key actions is missing"):
        read(path)


def test_read_of_too_few_steps_is_rejected(generated):
    with pytest.raises(HarnessError, match="has 1 step; a dataset needs at least two"):
        read(generated(rows=1))
    with pytest.raises(HarnessError, match="no transitions remain"):
        read(generated(rows=2, limit=1, terminal_rate=0))


def test_read_of_arrays_that_were_never_written_is_rejected(tmp_path):
    path = tmp_path / "sparse.hdf5"
    values = random_steps(np.random.default_rng(0))
    write_raw(path, {key: value for key, value in values.items() if key != "actions"})
    with h5py.File(path, "a") as file:
        file.create_dataset("actions", shape=(200, 2), dtype="f4", chunks=(50, 2))
        file["actions"][:100] = 1
    with pytest.raises(HarnessError, match="actions is incomplete"):
        read(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; download or create it again"),
        (b"\n<!DOCTYPE html><html>404</html>", "is a web page, not HDF5 .* download or create it again"),
        (b"PK\x03\x04 something else", "is not HDF5"),
    ],
)
def test_read_of_a_file_that_is_not_hdf5_is_rejected(tmp_path, content, said):
    path = tmp_path / "data.hdf5"
    path.write_bytes(content)
    with pytest.raises(HarnessError, match=said):
        read(path)


def test_read_of_a_truncated_file_is_rejected(generated):
    path = generated()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(HarnessError, match=r"is damaged .*truncated file.*; download or create it again"):
        read(path)


def test_read_of_a_missing_file_or_a_directory_is_rejected(tmp_path):
    with pytest.raises(HarnessError, match="no such file"):
        read(tmp_path / "nothing.hdf5")
    with pytest.raises(HarnessError, match="cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize("where", ["linked", "outside", "virtual"])
def test_read_of_values_in_another_file_is_rejected(generated, where):
    """HDF5 says where in that file they lie, which is no place in this one."""
    path, other = generated(), generated("other.hdf5")
    with h5py.File(path, "r+") as file:
        count = len(file.pop("rewards"))
        if where == "linked":
            file["rewards"] = h5py.ExternalLink(other.name, "rewards")
        elif where == "outside":
            external = [(path.with_name("rewards.raw"), 0, h5py.h5f.UNLIMITED)]
            file.create_dataset("rewards", (count,), np.float32, external=external)[:] = 5
        else:
            layout = h5py.VirtualLayout((count,), np.float32)
            layout[:] = h5py.VirtualSource(other.name, "rewards", (count,))
            file.create_virtual_dataset("rewards", layout)
    with pytest.raises(HarnessError, match="rewards is in another file; copy its values into this one"):
        read(path)


def test_read_of_one_array_under_two_names_works(generated):
    path = generated(terminal_rate=0.1)
    with h5py.File(path, "r+") as file:
        del file["timeouts"]
        file["timeouts"] = file["terminals"]
    assert len(read(path))


def test_open_file_after_a_block_of_other_bytes_reads_it_as_matlab_writes(tmp_path):
    path = tmp_path / "matlab.mat"
    with h5py.File(path, "w", userblock_size=1024) as file:
        for key, array in random_steps(np.random.default_rng(0)).items():
            file.create_dataset(key, data=array)
    with hdf5.open_file(path) as opened:
        assert len(opened) == 200


def test_a_file_that_another_process_writes_is_not_called_damaged(generated):
    path = generated()
    writer = "import h5py, sys; file = h5py.File(sys.argv[1], 'r+'); print(); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", writer, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writing:
        assert writing.stdout.readline()
        with pytest.raises(HarnessError, match="another process is writing it; try again"):
            read(path)
        writing.stdin.close()
    assert len(read(path))
