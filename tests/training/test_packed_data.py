from dataclasses import replace

import numpy as np
import pytest

from harness import datasets
from harness.errors import HarnessError
from harness.training import loading, packed_data
from tests.training.conftest import random_dataset
from tests.training.test_trainer import make_trial


def data_of(algorithm, *of_trials):
    return packed_data.training_data([make_trial(algorithm)] * len(of_trials), of_trials, 2.0, "cpu")


def test_training_data_for_a_learner_of_next_actions_ends_with_them(dataset):
    other = random_dataset(size=50, seed=1)
    transitions = data_of("rebrac", dataset, other).transitions.numpy()
    assert np.array_equal(transitions[:300, :-1], dataset.transitions)
    assert np.array_equal(transitions[:300, -1:], dataset.next_actions)
    assert np.array_equal(transitions[300:, -1:], other.next_actions)


def test_training_data_for_other_learners_is_not_copied(dataset):
    transitions = data_of("td3_bc", dataset).transitions
    assert transitions.shape == (300, 9)
    assert transitions.data_ptr() == dataset.transitions.ctypes.data


def test_training_data_without_needed_next_actions_raises(dataset):
    with pytest.raises(HarnessError, match="dataset random was loaded without the next actions"):
        data_of("rebrac", replace(dataset, next_actions=None))


@pytest.mark.parametrize(("algorithm", "wanted"), [("rebrac", True), ("td3_bc", False), ("iql", False)])
def test_load_dataset_loads_next_actions_only_if_needed(algorithm, wanted, monkeypatch):
    asked = []
    monkeypatch.setattr(datasets, "load", lambda settings, data, *, next_actions: asked.append(next_actions))
    loading.load([make_trial(algorithm)])
    assert asked == [wanted]
