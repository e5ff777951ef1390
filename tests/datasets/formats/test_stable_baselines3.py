import subprocess
import sys

import numpy as np
import pytest
from gymnasium.spaces import Box, Dict

from harness.datasets.formats import Source, read
from harness.errors import HarnessError
from tests.datasets.formats.make import A, S, assert_columns, episodes, flags, joined

buffers = pytest.importorskip("stable_baselines3.common.buffers")
save_util = pytest.importorskip("stable_baselines3.common.save_util")


def save(path, streams, size, handle_timeouts=True):
    """Fill a real replay buffer from one stream of episodes for each environment; ends are dones."""
    spaces = Box(-9, 9, (S,)), Box(-1, 1, (A,))
    spaces[0].sample()  # so that a random generator is pickled with it
    buffer = buffers.ReplayBuffer(
        size * len(streams),
        *spaces,
        device="cpu",
        n_envs=len(streams),
        optimize_memory_usage=not handle_timeouts,
        handle_timeout_termination=handle_timeouts,
    )
    columns = {
        key: np.stack([joined(stream, key) for stream in streams], axis=1)
        for key in ("observations", "next_observations", "actions", "rewards")
    }
    terminals, dones = (np.stack(marks, axis=1) for marks in zip(*map(flags, streams), strict=True))
    for row in range(len(dones)):
        infos = [{"TimeLimit.truncated": bool(cut)} for cut in dones[row] & ~terminals[row]]
        buffer.add(*(columns[key][row] for key in columns), dones[row], infos)
    save_util.save_to_pkl(path, buffer)


def test_a_buffer_is_read_with_timeouts_apart_from_terminals(tmp_path):
    save(tmp_path / "buffer.pkl", [episodes()], 100)
    columns = read(Source(tmp_path / "buffer.pkl"))
    assert_columns(columns, episodes())
    terminals, dones = flags(episodes())
    assert np.array_equal(columns.arrays["terminals"], terminals)
    assert np.array_equal(columns.arrays["timeouts"] != 0, dones & ~terminals)


def test_a_full_buffer_begins_with_its_oldest_step(tmp_path):
    save(tmp_path / "buffer.pkl", [episodes()], 12)
    rewards = read(Source(tmp_path / "buffer.pkl")).arrays["rewards"]
    assert rewards.tolist() == joined(episodes(), "rewards")[-12:].tolist()


def test_environments_side_by_side_are_read_one_after_the_other(tmp_path):
    streams = [episodes(seed=1), episodes((4, 5, 6), seed=2)]
    save(tmp_path / "buffer.pkl", streams, 100)
    columns = read(Source(tmp_path / "buffer.pkl"))
    assert_columns(columns, streams[0] + streams[1])
    assert np.flatnonzero(columns.arrays["episode_ends"]).tolist() == [14, 29]


def test_a_full_buffer_without_next_observations_loses_the_overwritten_row(tmp_path):
    save(tmp_path / "buffer.pkl", [episodes()], 12, handle_timeouts=False)
    columns = read(Source(tmp_path / "buffer.pkl"))
    assert np.array_equal(columns.arrays["observations"], joined(episodes(), "observations")[-11:])
    assert "next_observations" not in columns.arrays
    assert "timeouts" not in columns.arrays
    assert "does not mark time limits among dones" in columns.notes[0]


def test_dictionary_observations_are_concatenated_with_a_note(tmp_path):
    space = Dict(
        {"goal": Box(-9, 9, (1,)), "image": Box(0, 255, (4, 4, 1), np.uint8), "state": Box(-9, 9, (2,))}
    )
    buffer = buffers.DictReplayBuffer(20, space, Box(-1, 1, (A,)), device="cpu", n_envs=2)
    for row in range(3):
        observation = {key: np.full((2, *box.shape), row) for key, box in space.items()}
        observation["state"][1] += 10
        buffer.add(observation, observation, np.zeros((2, A)), np.zeros(2), np.zeros(2), [{}, {}])
    save_util.save_to_pkl(tmp_path / "buffer.pkl", buffer)
    columns = read(Source(tmp_path / "buffer.pkl"))
    assert columns.arrays["observations"].tolist() == [
        *([row, row, row] for row in range(3)),
        *([row, row + 10, row + 10] for row in range(3)),
    ]
    assert columns.notes[0].startswith("observations are goal + state; ")
    swapped = read(Source(tmp_path / "buffer.pkl", ("state", "goal"))).arrays["observations"]
    assert swapped[3].tolist() == [10, 10, 0]


def test_the_library_is_not_imported(tmp_path):
    save(tmp_path / "buffer.pkl", [episodes()], 100)
    script = (
        "import sys; from pathlib import Path; from harness.datasets.formats import Source, read\n"
        "read(Source(Path(sys.argv[1])))\n"
        "sys.exit(any(name.startswith('stable_baselines3') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script, tmp_path / "buffer.pkl"]).returncode == 0


def test_another_object_is_named_with_the_remedy(tmp_path):
    save_util.save_to_pkl(
        tmp_path / "other.pkl", buffers.RolloutBuffer(4, Box(-1, 1, (S,)), Box(-1, 1, (A,)), "cpu")
    )
    with pytest.raises(
        HarnessError, match=r"RolloutBuffer without dones, not a replay buffer; save one with"
    ):
        read(Source(tmp_path / "other.pkl"))
