import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from harness.reporting.significance import holm, of_independent, of_pairs

A, B, C = (np.array(seeds) for seeds in ([50.0, 52, 49, 55, 51], [51.0, 53.5, 49.5, 54, 52], [48.0, 57, 50]))


def test_of_pairs_equals_the_sums_by_hand():
    """The differences are 1, 1.5, 0.5, -1, 1: mean 0.6, variance 3.7 / 4, t = 0.6 / sqrt(0.925 / 5)."""
    contrast = of_pairs([A], [B])
    assert contrast.difference == pytest.approx(0.6)
    error = math.sqrt(0.925 / 5)
    assert contrast.interval == pytest.approx((0.6 - 2.7764451 * error, 0.6 + 2.7764451 * error))
    assert contrast.t_test() == pytest.approx(0.2354963603)
    assert contrast.equivalence(2) == pytest.approx(stats.t.sf(1.4 / error, 4))


def test_equivalence_equals_statsmodels():
    """Numbers of `ttost_paired(B, A, -2, 2)` and `ttost_ind(C, A, -5, 5, usevar="unequal")`, version 0.15."""
    assert of_pairs([A], [B]).equivalence(2) == pytest.approx(0.015614906963538275)
    assert of_pairs([B], [A]).equivalence(2) == pytest.approx(0.015614906963538275)
    assert of_independent([A], [C]).equivalence(5) == pytest.approx(0.10867713212256101)


def test_equivalence_is_shown_where_the_90_percent_interval_is_within_the_margin():
    contrast = of_pairs([A], [B])
    _, high = stats.ttest_rel(B, A).confidence_interval(0.9)
    assert contrast.equivalence(high * 1.001) < 0.05 < contrast.equivalence(high * 0.999)


def test_of_independent_on_one_dataset_is_welchs_test():
    generator = np.random.default_rng(0)
    one, other = generator.normal(0, 1, 5), generator.normal(1, 2, 4)
    constant = np.array([3.0, 3.0])
    welch = stats.ttest_ind(other, one, equal_var=False)
    alone = of_independent([one], [other])
    assert alone.t_test() == pytest.approx(welch.pvalue)
    assert alone.interval == pytest.approx(tuple(welch.confidence_interval()))
    assert of_independent([one, constant], [other, constant]).t_test() == pytest.approx(welch.pvalue)
    assert of_independent([constant], [constant]).t_test() == 1.0
    assert of_independent([constant], [constant + 1]).t_test() == 0.0


def test_of_pairs_tests_means_over_datasets():
    generator = np.random.default_rng(1)
    of_a, of_b = generator.normal(0, 1, (2, 5)), generator.normal(0.5, 1, (2, 5))
    expected = stats.ttest_rel(of_b.mean(axis=0), of_a.mean(axis=0))
    found = of_pairs(list(of_a), list(of_b))
    assert found.t_test() == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx(tuple(expected.confidence_interval()))


@pytest.mark.parametrize("score", [0.1, 55.55, -1234.56])
def test_rounding_is_not_a_difference(score):
    five, seven = np.full(5, score), np.full(7, score)
    rounded = five * (1 + 1e-15 * np.arange(5))
    for contrast in (
        of_independent([five], [seven]),
        of_independent([five, five], [seven, seven]),
        of_pairs([five], [rounded]),
    ):
        assert (contrast.t_test(), contrast.bootstrap()) == (1.0, 1.0)
        assert contrast.interval == pytest.approx((0, 0), abs=1e-9)
        assert contrast.equivalence(0.1) == 0.0
    assert of_pairs([five], [rounded + 1]).t_test() == 0.0
    assert of_pairs([five], [rounded + 1]).equivalence(0.5) == 1.0


@pytest.mark.parametrize("test", [of_pairs, of_independent])
def test_a_false_difference_is_found_no_more_often_than_the_level(test):
    generator = np.random.default_rng(2)
    found = 0
    for _ in range(100):
        a, b = generator.normal(0, 1, (2, 2, 8))
        both = test(list(a), list(b))
        found += both.t_test() < 0.05 and both.bootstrap() < 0.05
    assert found <= 10


@given(
    st.lists(st.floats(-200, 200), min_size=3, max_size=6),
    st.lists(st.floats(-200, 200), min_size=3, max_size=6),
    st.floats(0.1, 50),
)
@example([0.0, 0.0, 0.0], [0.0, 0.0, 3e-129], 1.0)
def test_a_wider_margin_never_makes_equivalence_less_likely(of_a, of_b, margin):
    contrast = of_independent([np.array(of_a)], [np.array(of_b)])
    assert contrast.equivalence(2 * margin) <= contrast.equivalence(margin)
    low, high = contrast.interval
    assert low <= contrast.difference <= high


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.5], [0.5]),
        ([0.9, 0.9], [1.0, 1.0]),
        ([0.02, float("nan")], [0.02, float("nan")]),
        ([], []),
    ],
)
def test_holm_adjusts_known_p_values(p_values, adjusted):
    assert holm(p_values) == pytest.approx(adjusted, nan_ok=True)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values):
    adjusted = holm(p_values)
    assert all(after >= before for before, after in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
