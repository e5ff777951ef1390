import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rliable import library, metrics

from harness.errors import HarnessError
from harness.reporting import reading
from harness.reporting.reading import records
from harness.reporting.statistics import (
    aggregate_estimates,
    aggregates,
    improvement,
    improvement_estimate,
    iqm_curve,
    performance_profile,
    score_matrices,
    seeded,
    spread,
)
from tests import synthetic

matrices = arrays(np.float64, (3, 4), elements=st.floats(-50, 150, width=32))


@given(matrices, matrices)
def test_improvement_equals_that_of_rliable(one, other):
    expected = metrics.probability_of_improvement(one, other)
    assert improvement(one, other)[0] == pytest.approx(expected)
    assert improvement(one, other)[0] + improvement(other, one)[0] == pytest.approx(1)


def test_a_nan_makes_every_aggregate_nan():
    scores = np.full((5, 4), 50.0)
    scores[0, 0] = np.nan
    assert np.isnan(aggregates(scores)).all()
    assert np.isnan(improvement(scores, scores)).all()


@given(matrices)
def test_aggregates_equal_those_of_rliable(scores):
    expected = [
        metrics.aggregate_iqm(scores),
        metrics.aggregate_median(scores),
        metrics.aggregate_mean(scores),
        metrics.aggregate_optimality_gap(scores, gamma=100),
    ]
    assert aggregates(scores) == pytest.approx(expected, abs=1e-9)


def test_aggregates_of_a_known_matrix():
    scores = np.array([[0.0, 100.0, 50.0, 120.0]])
    iqm, median, mean, gap = aggregates(scores)
    assert (iqm, median, mean) == (75.0, 75.0, 67.5)
    assert gap == pytest.approx((100 + 0 + 50 + 0) / 4)


def test_intervals_hold_their_estimate_and_repeat(results):
    first = aggregate_estimates(results)
    aggregate_estimates.cache_clear()
    np.random.seed(123)
    assert aggregate_estimates(results) == first
    for row in first.values():
        for estimate in row:
            low, high = estimate.interval
            assert low <= estimate.value <= high


def test_the_bootstrap_leaves_the_global_random_state_alone():
    np.random.seed(7)
    expected = np.random.rand(3)
    np.random.seed(7)
    improvement_estimate(np.random.default_rng(0).normal(size=(3, 2)), np.zeros((3, 2)))
    assert np.array_equal(np.random.rand(3), expected)


def test_seeded_repeats_and_restores_after_an_error():
    with seeded(0):
        first = np.random.rand()
    before = np.random.get_state()[1].copy()
    with contextlib.suppress(ValueError), seeded(0):
        assert np.random.rand() == first
        raise ValueError
    assert np.array_equal(np.random.get_state()[1], before)


def test_a_single_seed_has_no_interval():
    estimate = improvement_estimate(np.ones((1, 3)), np.zeros((4, 3)))
    assert (estimate.value, estimate.interval) == (1.0, None)


def test_a_profile_falls_from_one_to_nothing():
    scores = np.random.default_rng(0).uniform(0, 100, size=(5, 3))
    shares, (low, high) = performance_profile(scores, np.linspace(-1, 101, 20))
    assert (shares[0], shares[-1]) == (1.0, 0.0)
    assert (np.diff(shares) <= 0).all()
    assert (low <= shares + 1e-12).all()
    assert (shares <= high + 1e-12).all()


def test_profile_equals_that_of_rliable():
    scores = np.random.default_rng(0).normal(50, 20, (5, 6)).round()  # with ties, also with thresholds
    thresholds = np.arange(0.0, 101.0, 5.0)
    profiles, _ = library.create_performance_profile({"": scores}, thresholds, reps=2)
    np.testing.assert_allclose(performance_profile(scores, thresholds)[0], profiles[""], atol=1e-12)


def test_an_algorithm_without_every_seed_is_left_out_and_named(tmp_path):
    experiment = synthetic.experiment()
    rows = synthetic.frame(experiment)
    rows = rows[
        ~((rows["algorithm"] == "bc") & (rows["seed"] == 2) & (rows["dataset"] == "pendulum-expert-v0"))
    ]
    found = score_matrices(reading.load(synthetic.write(tmp_path / "run", experiment, rows)))
    assert set(found.scores) == {"td3_bc", "td3"}
    assert found.left_out == ["BC is left out: fewer than 3 seeds on pendulum-expert-v0."]
    assert found.scores["td3"].shape == (3, 2)


def test_returns_have_no_common_scale(results):
    returns = records.from_frame(results.frame.drop(columns="normalized_score"), "log.csv")
    with pytest.raises(HarnessError, match="normalized scores"):
        score_matrices(returns)


def test_spread_is_the_standard_deviation_its_error_or_the_t_interval():
    values = np.array([[1.0], [2.0], [6.0]])
    error = np.std(values, ddof=1) / np.sqrt(3)
    assert spread(values, "sd") == pytest.approx([np.std(values)])
    assert spread(values, "se") == pytest.approx([error])
    assert spread(values, "ci") == pytest.approx([4.302653 * error])
    assert np.isnan(spread(values[:1], "sd")).all()


def test_iqm_curve_is_the_aggregate_at_each_step():
    scores = np.random.default_rng(0).normal(50, 20, size=(4, 3, 5))
    scores[0, 0, 4] = np.nan
    values, (low, high) = iqm_curve(scores)
    expected = [aggregates(scores[..., step])[0] for step in range(5)]
    np.testing.assert_allclose(values, expected)
    assert (low[:4] < values[:4]).all()
    assert (values[:4] < high[:4]).all()
