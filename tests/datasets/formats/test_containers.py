import os
import pickle
import zipfile

import h5py
import numpy as np
import pytest
import torch

from harness.datasets.formats import Source, read
from harness.errors import HarnessError


def test_a_missing_file_a_directory_and_a_pipe_are_named(tmp_path):
    with pytest.raises(HarnessError, match="no such file"):
        read(Source(tmp_path / "absent.pkl"))
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(HarnessError, match="is not a file"):
            read(Source(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"hello, world", "is not HDF5, npz, a pickle or torch-saved; save its arrays with numpy.savez"),
        (b" <!DOCTYPE html>", "is a web page"),
        (b"\x1f\x8b\x08", "is compressed with gzip; decompress it first"),
        (b"\x93NUMPY\x01\x00", "is a single numpy array; save all arrays in one file with numpy.savez"),
        (b"PK\x03\x04 and then nothing", "is damaged"),
        (b"\x80\x04\x95", "is damaged"),
        (b"\x89HDF\r\n\x1a\n", "is damaged"),
        (pickle.dumps([{"observations": np.zeros((9, 3))}])[:100], "is damaged"),
    ],
)
def test_a_file_that_is_none_is_named_in_one_line(tmp_path, content, said):
    (tmp_path / "data").write_bytes(content)
    with pytest.raises(HarnessError, match=said) as error:
        read(Source(tmp_path / "data"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"images": np.zeros((3, 2, 2)), "labels": [1]}, r"{images \(3, 2, 2\) float64, labels a list of 1}"),
        ([{"x": 1}] * 7, "a list of 7, the first is {x one int}"),
        ("text", "one str"),
    ],
)
def test_a_whole_file_of_an_unknown_kind_is_described_with_the_known_formats(tmp_path, content, said):
    (tmp_path / "data").write_bytes(pickle.dumps(content))
    with pytest.raises(
        HarnessError, match=f"unknown format: the file contains {said}; known formats: d3rlpy .h5, "
    ) as error:
        read(Source(tmp_path / "data"))
    assert "damaged" not in str(error.value)
    assert "\n" not in str(error.value)


def test_hdf5_of_an_unknown_kind_is_described(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["group/x"], file["y"], file["nothing"] = np.zeros(3), np.zeros((2, 2)), h5py.Empty("f")
    with pytest.raises(HarnessError, match=r"{group {x}, nothing None float32, y \(2, 2\) float64}; known"):
        read(Source(tmp_path / "data.h5"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("data.csv", r"the zip archive contains data\.csv, not numpy arrays"),
        ("policy.pth", "is an agent, not its data; harness data collect --policy FILE collects that"),
    ],
)
def test_a_zip_archive_of_other_files_is_described(tmp_path, name, said):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr(name, b"")
    with pytest.raises(HarnessError, match=said):
        read(Source(tmp_path / "data.zip"))


def test_an_array_of_objects_in_an_npz_is_named(tmp_path):
    arrays = {"observations": np.zeros((3, 2)), "actions": np.zeros((3, 1)), "rewards": np.array([{}] * 3)}
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(HarnessError, match="rewards has type object, not numbers"):
        read(Source(tmp_path / "data.npz"))


def test_nothing_of_a_torch_file_is_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save([Trap()], tmp_path / "trap.pt")
    with pytest.raises(HarnessError, match=r"cannot be read safely: it contains \S*open"):
        read(Source(tmp_path / "trap.pt"))
    assert not (tmp_path / "sprung").exists()


def test_arrays_that_were_never_written_are_rejected(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for name in ("observations", "actions", "rewards", "terminals"):
            file.create_dataset(name, (1000, 1), "f4", chunks=(100, 1))
            file[name][: 500 if name == "actions" else 1000] = 1
    with pytest.raises(HarnessError, match="actions is incomplete"):
        read(Source(tmp_path / "data.h5"))
