import pickle

import numpy as np
import pytest
import torch

from harness.datasets.formats import Source, read
from harness.errors import HarnessError
from tests.datasets.formats.make import assert_columns, episodes


def steps(number=float):
    return [
        (
            e["states"][i],
            e["actions"][i],
            number(e["rewards"][i]),
            e["states"][i + 1],
            e["terminal"],
            False,
            {},
        )
        for e in episodes()
        for i in range(len(e["actions"]))
    ]


@pytest.mark.parametrize("number", [float, np.float32, torch.tensor])
def test_steps_of_a_torch_file_are_read_with_any_kind_of_number(tmp_path, number):
    torch.save(steps(number), tmp_path / "data.pt")
    assert_columns(read(Source(tmp_path / "data.pt")), episodes())


def test_steps_of_a_pickle_are_read(tmp_path):
    (tmp_path / "data.pkl").write_bytes(pickle.dumps([step[:6] for step in steps()]))
    assert_columns(read(Source(tmp_path / "data.pkl")), episodes())


@pytest.mark.parametrize("entries", [5, 6])
def test_steps_of_the_older_gym_are_read_with_ends_as_dones(tmp_path, entries):
    (tmp_path / "data.pkl").write_bytes(pickle.dumps([(*step[:5], {})[:entries] for step in steps()]))
    arrays = dict(read(Source(tmp_path / "data.pkl")).arrays)
    assert np.array_equal(arrays.pop("dones"), [step[4] for step in steps()])
    assert "timeouts" not in arrays
    assert np.array_equal(arrays["next_observations"], [step[3] for step in steps()])


def test_time_limits_of_the_older_gym_are_timeouts(tmp_path):
    cut = {"TimeLimit.truncated": True}
    kept = [
        (*step[:4], step[4] or number == 2, cut if number == 2 else {}) for number, step in enumerate(steps())
    ]
    (tmp_path / "data.pkl").write_bytes(pickle.dumps(kept))
    arrays = read(Source(tmp_path / "data.pkl")).arrays
    assert np.flatnonzero(arrays["timeouts"]).tolist() == [2]
    assert np.array_equal(arrays["terminals"], [step[4] for step in steps()])
    assert "dones" not in arrays


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ((1, 2), "entry 15 is not a tuple of the same entries as the first one"),
        ((np.zeros(2), np.zeros(1), 0.0, np.zeros(2), False, {}), "entry 15 is not a tuple of the same"),
        (
            (np.zeros(2), np.zeros(1), 0.0, np.zeros(3), False, False),
            "the observations have different shapes",
        ),
    ],
)
def test_a_step_unlike_the_others_is_named(tmp_path, last, said):
    torch.save([*steps(), last], tmp_path / "data.pt")
    with pytest.raises(HarnessError, match=said):
        read(Source(tmp_path / "data.pt"))
