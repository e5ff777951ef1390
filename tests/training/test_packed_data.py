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


def test_next_actions_are_the_last_columns_for_a_learner_that_asks_for_them(dataset):
    other = random_dataset(size=50, seed=1)
    transitions = data_of("rebrac", dataset, other).transitions.numpy()
    assert np.array_equal(transitions[:300, :-1], dataset.transitions)
    assert np.array_equal(transitions[:300, -1:], dataset.next_actions)
    assert np.array_equal(transitions[300:, -1:], other.next_actions)


def test_transitions_of_other_learners_are_not_copied(dataset):
    transitions = data_of("td3_bc", dataset).transitions
    assert transitions.shape == (300, 9)
    assert transitions.data_ptr() == dataset.transitions.ctypes.data


def test_dataset_loaded_without_next_actions_is_refused(dataset):
    with pytest.raises(HarnessError, match="dataset random was loaded without the next actions"):
        data_of("rebrac", replace(dataset, next_actions=None))


@pytest.mark.parametrize(("algorithm", "wanted"), [("rebrac", True), ("td3_bc", False), ("iql", False)])
def test_next_actions_are_loaded_for_learners_that_ask_for_them_alone(algorithm, wanted, monkeypatch):
    asked = []
    monkeypatch.setattr(datasets, "load", lambda settings, data, *, next_actions: asked.append(next_actions))
    loading.load([make_trial(algorithm)])
    assert asked == [wanted]
