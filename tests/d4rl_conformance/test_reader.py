"""Tests that our reader is bit-identical to d4rl.qlearning_dataset."""

import h5py
import numpy as np
import pytest

from harness.datasets.dataset import OfflineDataset
from harness.datasets.file_source import read_recording
from harness.datasets.registry import Task
from harness.datasets.settings import DataSettings
from harness.datasets.transitions import build_transitions, select
from tests.datasets.generate import random_steps, write_raw

CASES = {
    "timeouts": {"timeouts": True},
    "no timeouts": {"timeouts": False},
    "no timeouts, no terminals": {"timeouts": False, "terminal_rate": 0.0},
    "no timeouts, many terminals": {"timeouts": False, "terminal_rate": 0.3},
    "terminals on the last step before the limit": {"timeouts": False, "terminal_at": "limit"},
    "terminals one step before that": {"timeouts": False, "terminal_at": "limit - 1"},
    "cut last episode": {"timeouts": True, "cut_last": True},
    "cut last episode, no timeouts": {"timeouts": False, "cut_last": True},
    "terminal in the last row": {"timeouts": True, "terminal_last": True},
    "double precision": {"timeouts": True, "dtype": np.float64},
    "flags as numbers, rewards as a column": {"timeouts": True, "flags": np.float32, "column": True},
    "terminal and timeout at once": {"timeouts": True, "both": True},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", range(3))
def test_transitions_are_d4rls(d4rl, tmp_path, case, seed):
    limit = 10 + seed
    path = tmp_path / "generated.hdf5"
    write_raw(path, random_steps(np.random.default_rng(seed), rows=400, limit=limit, **CASES[case]))
    d4rl("read", path, tmp_path / "theirs.npz", limit, 5, 2)
    task = Task("any", 5, 2, 1.0, limit, "Any-v0")
    recording = read_recording(path, limit, task, successors=False)
    transitions = build_transitions(recording, select(recording, DataSettings()), "as_is")
    found = OfflineDataset("any", transitions, 5, 2, None, None, "")
    with np.load(tmp_path / "theirs.npz") as theirs:
        for key in ("observations", "actions", "rewards", "next_observations", "terminals"):
            mine = getattr(found, key)
            assert mine.dtype == theirs[key].dtype
            assert mine.shape == theirs[key].shape
            assert mine.tobytes() == theirs[key].tobytes(), key


def test_generated_files_equal_the_cases(tmp_path):
    path = tmp_path / "generated.hdf5"
    write_raw(path, random_steps(np.random.default_rng(0), rows=400, limit=10, timeouts=False))
    with h5py.File(path) as file:
        assert "timeouts" not in file
        assert 0 < file["terminals"][:].sum() < 100
