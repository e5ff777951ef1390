import math

from harness.search.ranking import mean, merits

SCORES = {"a": {"x": 1.0, "y": 900.0}, "b": {"x": 2.0, "y": 100.0}, "c": {"x": 3.0, "y": 100.0}}


def test_normalized_scores_are_compared_by_their_mean_over_datasets():
    assert merits(SCORES, normalized=True) == {"a": 450.5, "b": 51.0, "c": 51.5}


def test_returns_of_several_datasets_are_compared_by_their_mean_rank():
    assert merits(SCORES, normalized=False) == {"a": 2.0, "b": 1.75, "c": 2.25}


def test_returns_of_one_dataset_are_compared_as_they_are():
    assert merits({"a": {"x": -5.0}, "b": {"x": -7.0}}, normalized=False) == {"a": -5.0, "b": -7.0}


def test_mean_is_exact_in_any_order_and_knows_divergence():
    assert mean([0.1] * 10) == mean([1e16, *[0.1] * 4, -1e16, *[0.1] * 4]) * 10 / 8 == 0.1
    assert mean([1.0, -math.inf]) == -math.inf
