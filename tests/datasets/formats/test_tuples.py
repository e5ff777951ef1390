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


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ((1, 2), "entry 15 is not a tuple of 6 or 7 entries as the first one is"),
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
