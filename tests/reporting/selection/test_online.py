from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.reporting.selection.online import (
    bootstrap_interval,
    expected_online_performance,
    performance_over_datasets,
)

scores = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5)


@given(scores)
def test_expected_online_performance_equals_the_mean_over_all_draws(values: list[float]) -> None:
    expected = [
        np.mean([max(drawn) for drawn in itertools.product(values, repeat=k)])
        for k in range(1, len(values) + 1)
    ]
    np.testing.assert_allclose(expected_online_performance(np.array(values)), expected, atol=1e-9)


@given(scores)
def test_expected_online_performance_begins_at_the_mean_and_rises_below_the_best(values: list[float]) -> None:
    curve = expected_online_performance(np.array(values))
    np.testing.assert_allclose(curve[0], np.mean(values), atol=1e-9)
    assert (np.diff(curve) >= -1e-9).all()
    assert curve[-1] <= max(values) + 1e-9


def test_performance_over_datasets_is_the_mean_of_those_of_each() -> None:
    values = np.random.default_rng(0).normal(size=(6, 3, 2))
    each = [expected_online_performance(values[:, :, at].mean(axis=1)) for at in (0, 1)]
    np.testing.assert_allclose(performance_over_datasets(values), np.mean(each, axis=0))


def test_bootstrap_interval_is_the_same_again_and_around_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=(12, 3, 1))
    low, high = bootstrap_interval(values)
    assert (bootstrap_interval(values) == [low, high]).all()
    assert low[0] < values.mean() < high[0]
    error = values.mean(axis=1).std() / np.sqrt(12)
    assert 2 * error < high[0] - low[0] < 8 * error
