import math

from harness.search.ranking import mean, merits

SCORES = {"a": {"x": 1.0, "y": 900.0}, "b": {"x": 2.0, "y": 100.0}, "c": {"x": 3.0, "y": 100.0}}


def test_merits_of_normalized_scores_are_means_over_datasets():
    assert merits(SCORES, normalized=True) == {"a": 450.5, "b": 51.0, "c": 51.5}


def test_merits_of_returns_on_several_datasets_are_mean_ranks():
    assert merits(SCORES, normalized=False) == {"a": 2.0, "b": 1.75, "c": 2.25}


def test_merits_of_returns_on_one_dataset_are_the_returns():
    assert merits({"a": {"x": -5.0}, "b": {"x": -7.0}}, normalized=False) == {"a": -5.0, "b": -7.0}


def test_mean_does_not_depend_on_order_and_keeps_minus_infinity():
    assert mean([0.1] * 10) == mean([1e16, *[0.1] * 4, -1e16, *[0.1] * 4]) * 10 / 8 == 0.1
    assert mean([1.0, -math.inf]) == -math.inf
