from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.reporting.selection.bandit import Rule, select_by_episodes

GENERATOR = np.random.default_rng(0)
RETURNS = GENERATOR.normal(np.linspace(0, 100, 8)[:, None], 10, size=(8, 50))[np.newaxis]


def regret(returns: NDArray[np.float64], episodes: int, rule: Rule = "ucb") -> NDArray[np.float64]:
    """Return how far the deployed policy is below the best one of its group after each episode."""
    best = returns.mean(axis=2).max(axis=1).mean()
    difference: NDArray[np.float64] = best - select_by_episodes(returns, episodes, rule, scale=100)[0]
    return difference


def test_select_by_episodes_finds_the_best_of_well_separated_policies() -> None:
    found = regret(RETURNS, 100)
    assert found[-1] < 1
    assert (found > -1e-9).all()


def test_select_by_episodes_first_deploys_a_random_policy() -> None:
    mean, _ = select_by_episodes(RETURNS, 1, repetitions=4000)
    assert abs(mean[0] - RETURNS.mean()) < 2


def test_select_by_episodes_is_deterministic() -> None:
    one, again = (select_by_episodes(RETURNS, 20)[0] for _ in range(2))
    assert (one == again).all()


def test_ucb_spends_its_episodes_better_than_uniform_on_close_arms() -> None:
    generator = np.random.default_rng(1)
    returns = generator.normal(np.array([0.0] * 10 + [60.0, 65.0])[:, None], 20, size=(12, 200))[np.newaxis]
    ucb, uniform = regret(returns, 300, "ucb"), regret(returns, 300, "uniform")
    assert ucb[150:].mean() < uniform[150:].mean()


def test_select_by_episodes_of_negative_returns_never_deploys_a_policy_that_was_not_tried() -> None:
    returns = np.array([[[-10.0], [-20.0], [-30.0]]])
    mean, _ = select_by_episodes(returns, 3)
    assert mean[0] > -30
    assert mean[-1] == -10
    assert (regret(np.zeros((1, 2, 3)), 5) == 0).all()


def test_select_by_episodes_compares_policies_within_their_group() -> None:
    shifted = np.concatenate([RETURNS, RETURNS - 1000])
    one, both = regret(RETURNS, 40), regret(shifted, 40)
    assert abs(both[-1] - one[-1]) < 1
