from __future__ import annotations

import math

import numpy as np
import pytest

from harness.reporting.selection.ranking import rank_correlation, ranked, regret_at

TRUTH = np.array([10.0, 40.0, 30.0, 20.0])


def test_rank_correlation_of_any_increasing_function_is_one() -> None:
    assert rank_correlation(np.exp(TRUTH / 10), TRUTH) == pytest.approx(1)
    assert rank_correlation(-TRUTH, TRUTH) == pytest.approx(-1)


def test_rank_correlation_leaves_out_what_is_not_finite() -> None:
    assert rank_correlation(np.array([1.0, math.nan, 3.0, 2.0]), TRUTH) == pytest.approx(1)
    assert math.isnan(rank_correlation(np.full(4, math.nan), TRUTH))
    assert math.isnan(rank_correlation(np.ones(4), TRUTH))


def test_ranked_puts_nan_last() -> None:
    assert ranked(np.array([1.0, math.nan, 3.0])).tolist() == [2, 0, 1]


@pytest.mark.parametrize(("k", "regret"), [(1, 30), (2, 10), (3, 0), (4, 0)])
def test_regret_at_k_is_what_the_best_of_the_first_k_lacks(k: int, regret: float) -> None:
    assert regret_at(k, np.array([9.0, 2.0, 5.0, 1.0]), TRUTH) == regret
