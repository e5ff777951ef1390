"""Tests of fitted Q evaluation against known values, and of packs against single policies."""

from __future__ import annotations

import numpy as np
import pytest

from harness.datasets.dataset import OfflineDataset
from harness.training.fitted_q import evaluate, initial_rows
from harness.training.settings import SelectionSettings

SETTINGS = SelectionSettings(
    gradient_steps=1500, discount=0.5, tau=0.05, learning_rate=3e-3, batch_size=32, hidden_sizes=(16,)
)


def chain(episodes=60, length=4, terminal=True, seed=0):
    """A corridor: in state x the action a = +-1 earns a (x + 1), and leads to x + 1, until `length`.

    The behaviour acts at random, so that either policy is covered.
    """
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(episodes):
        for place in range(length):
            action = generator.choice([-1.0, 1.0])
            last = place == length - 1
            rows.append([place, action, action * (place + 1), place + 1, float(last and terminal)])
    return OfflineDataset("chain", np.array(rows, np.float32), 1, 1, None, None, "0" * 64)


def constant(action):
    return lambda observations: np.full((len(observations), 1), action, np.float32)


def test_evaluate_tiny_mdp_finds_known_values_and_order() -> None:
    forward, backward = evaluate([constant(1.0), constant(-1.0)], chain(), SETTINGS)
    truth = 1 + 0.5 * 2 + 0.25 * 3 + 0.125 * 4
    assert forward.value == pytest.approx(truth, abs=0.15)
    assert backward.value == pytest.approx(-truth, abs=0.15)
    assert forward.td_error < 0.3


def test_evaluate_in_a_pack_equals_single_evaluation_to_the_bit() -> None:
    policies = [constant(1.0), constant(-1.0), lambda observations: np.tanh(observations)]
    settings = SETTINGS.model_copy(update={"gradient_steps": 50})
    together = evaluate(policies, chain(), settings)
    alone = [evaluate([policy], chain(), settings)[0] for policy in policies]
    assert together == alone


def test_evaluate_in_parts_that_fit_in_memory_equals_one_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    policies = [constant(1.0), constant(-1.0), constant(0.5)]
    settings = SETTINGS.model_copy(update={"gradient_steps": 20})
    whole = evaluate(policies, chain(), settings)
    monkeypatch.setattr("harness.training.fitted_q.MAX_BYTES", 1)
    assert evaluate(policies, chain(), settings) == whole


def test_evaluate_does_not_depend_on_the_scale_of_rewards() -> None:
    dataset = chain()
    larger = dataset.transitions.copy()
    larger[:, 2] *= 1024
    settings = SETTINGS.model_copy(update={"gradient_steps": 100})
    (one,) = evaluate([constant(1.0)], dataset, settings)
    (other,) = evaluate(
        [constant(1.0)], OfflineDataset("large", larger, 1, 1, None, None, "0" * 64), settings
    )
    assert other.value == pytest.approx(1024 * one.value, rel=1e-5)
    assert other.td_error == pytest.approx(1024 * one.td_error, rel=1e-5)


def test_evaluate_rewards_all_zero_gives_finite_values() -> None:
    rows = chain().transitions.copy()
    rows[:, 2] = 0
    (found,) = evaluate([constant(1.0)], OfflineDataset("zero", rows, 1, 1, None, None, "0" * 64), SETTINGS)
    assert found.value == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("terminal", [True, False])
def test_initial_rows_begin_each_episode(terminal: bool) -> None:
    assert initial_rows(chain(episodes=3, terminal=terminal)).tolist() == [0, 4, 8]


def test_initial_rows_after_a_dropped_last_step_begin_the_next_episode() -> None:
    dataset = chain(episodes=2, terminal=False)
    kept = OfflineDataset("cut", np.delete(dataset.transitions, 3, axis=0), 1, 1, None, None, "0" * 64)
    assert initial_rows(kept).tolist() == [0, 3]
