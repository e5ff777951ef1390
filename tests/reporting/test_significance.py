import numpy as np
import pytest
from scipy import stats

from harness.reporting.significance import of_independent, of_pairs


def test_independent_seeds_on_one_dataset_are_tested_as_welch_does():
    generator = np.random.default_rng(0)
    one, other = generator.normal(0, 1, 5), generator.normal(1, 2, 4)
    constant = np.array([3.0, 3.0])
    alone = stats.ttest_ind(other, one, equal_var=False).pvalue
    assert of_independent([one], [other]).t_test == pytest.approx(alone)
    assert of_independent([one, constant], [other, constant]).t_test == pytest.approx(alone)
    assert of_independent([constant], [constant]).t_test == 1.0
    assert of_independent([constant], [constant + 1]).t_test == 0.0


@pytest.mark.parametrize("score", [0.1, 55.55, -1234.56])
def test_rounding_is_no_difference(score):
    five, seven = np.full(5, score), np.full(7, score)
    assert of_independent([five], [seven]) == ((0.0, 0.0), 1.0, 1.0)
    assert of_independent([five, five], [seven, seven]) == ((0.0, 0.0), 1.0, 1.0)
    rounded = five * (1 + 1e-15 * np.arange(5))
    assert of_pairs([five], [rounded]) == ((0.0, 0.0), 1.0, 1.0)
    assert of_pairs([five], [rounded + 1]).t_test == 0.0


def test_pairs_are_tested_by_their_means_over_datasets():
    generator = np.random.default_rng(1)
    of_a, of_b = generator.normal(0, 1, (2, 5)), generator.normal(0.5, 1, (2, 5))
    expected = stats.ttest_rel(of_b.mean(axis=0), of_a.mean(axis=0)).pvalue
    assert of_pairs(list(of_a), list(of_b)).t_test == pytest.approx(expected)
    assert of_pairs([of_a[0]], [of_a[0]]) == ((0.0, 0.0), 1.0, 1.0)
    assert of_pairs([of_a[0]], [of_a[0] + 1]).t_test == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("test", [of_pairs, of_independent])
def test_no_difference_is_found_where_there_is_none_more_often_than_by_the_level(test):
    generator = np.random.default_rng(2)
    found = 0
    for _ in range(200):
        a, b = generator.normal(0, 1, (2, 2, 8))
        both = test(list(a), list(b))
        found += both.t_test < 0.05 and both.bootstrap < 0.05
    assert found <= 20
