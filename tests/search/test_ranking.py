import math

from harness.search.ranking import TrialScore, by_merit, means

SCORES = {"a": {"x": 1.0, "y": 900.0}, "b": {"x": 2.0, "y": 100.0}, "c": {"x": 3.0, "y": 100.0}}


def trials(scores, normalized):
    return {
        sample: [TrialScore(dataset, score, normalized) for dataset, score in own.items()]
        for sample, own in scores.items()
    }


def test_samples_with_normalized_scores_are_ordered_by_means_over_datasets():
    assert by_merit(trials(SCORES, normalized=True)) == ("a", "c", "b")


def test_samples_with_returns_on_several_datasets_are_ordered_by_mean_ranks():
    assert by_merit(trials(SCORES, normalized=False)) == ("c", "a", "b")


def test_samples_with_returns_on_one_dataset_are_ordered_by_returns():
    scores = {"a": {"x": -5.0}, "b": {"x": -7.0}, "c": {"x": -math.inf}, "d": {"x": -5.0}}
    assert by_merit(trials(scores, normalized=False)) == ("a", "d", "b", "c")


def test_samples_without_trials_are_not_ordered():
    assert by_merit({}) == ()


def test_means_do_not_depend_on_order_and_keep_minus_infinity():
    scores = [1e16, *[0.1] * 4, -1e16, *[0.1] * 4]
    found = means([*(TrialScore("x", score, True) for score in scores), TrialScore("y", -math.inf, True)])
    assert found == {"x": 0.08, "y": -math.inf}
