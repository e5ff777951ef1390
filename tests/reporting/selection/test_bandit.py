from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.reporting.selection.bandit import SelectionCurve, select_by_episodes

GENERATOR = np.random.default_rng(0)
RETURNS = GENERATOR.normal(np.linspace(0, 100, 8)[:, None], 10, size=(8, 50))[np.newaxis]


def regret(curve: SelectionCurve) -> NDArray[np.float64]:
    return curve.best - curve.mean


def test_select_by_episodes_finds_the_best_of_well_separated_policies() -> None:
    curve = select_by_episodes(RETURNS, 100, scale=100)
    assert curve.best == pytest.approx(RETURNS.mean(axis=2).max())
    assert regret(curve)[-1] < 1
    assert (regret(curve) > -1e-9).all()


def test_select_by_episodes_first_deploys_a_random_policy() -> None:
    curve = select_by_episodes(RETURNS, 1, repetitions=4000)
    assert abs(curve.mean[0] - RETURNS.mean()) < 2


def test_select_by_episodes_is_deterministic_from_its_seed() -> None:
    one, again, other = (select_by_episodes(RETURNS, 20, seed=seed).mean for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_ucb_spends_its_episodes_better_than_uniform_on_close_arms() -> None:
    generator = np.random.default_rng(1)
    returns = generator.normal(np.array([0.0] * 10 + [60.0, 65.0])[:, None], 20, size=(12, 200))[np.newaxis]
    ucb, uniform = (regret(select_by_episodes(returns, 300, rule, scale=100)) for rule in ("ucb", "uniform"))
    assert ucb[150:].mean() < uniform[150:].mean()


def test_select_by_episodes_of_negative_returns_never_deploys_a_policy_that_was_not_tried() -> None:
    returns = np.array([[[-10.0], [-20.0], [-30.0]]])
    curve = select_by_episodes(returns, 3)
    assert curve.mean[0] > -30
    assert curve.mean[-1] == -10
    assert (regret(select_by_episodes(np.zeros((1, 2, 3)), 5)) == 0).all()


def test_select_by_episodes_compares_policies_within_their_group() -> None:
    shifted = np.concatenate([RETURNS, RETURNS - 1000])
    one, both = (select_by_episodes(returns, 40, scale=100) for returns in (RETURNS, shifted))
    assert both.best == pytest.approx(one.best - 500)
    assert abs(regret(both)[-1] - regret(one)[-1]) < 1
