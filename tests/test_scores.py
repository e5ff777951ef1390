import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scores import FINAL_EVALUATIONS, mean_and_deviation, scores, standard_error


def evaluations(curve, seed=0, algorithm="td3_bc", dataset="hopper-medium-v2"):
    return pd.DataFrame(
        {
            "algorithm": algorithm,
            "dataset": dataset,
            "seed": seed,
            "step": np.arange(1, len(curve) + 1) * 100,
            "return_mean": np.asarray(curve, dtype=float) * 10,
            "normalized_score": np.asarray(curve, dtype=float),
        }
    )


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30))
def test_scores_are_of_the_final_last_or_best_evaluations(curve):
    (row,) = scores(evaluations(curve)).itertuples()
    assert row.final == pytest.approx(np.mean(curve[-FINAL_EVALUATIONS:]), abs=1e-9)
    assert (row.last, row.best) == (curve[-1], max(curve))
    assert row.final_return == pytest.approx(10 * row.final, abs=1e-6)
    assert (row.step, row.evaluations) == (100 * len(curve), len(curve))


@given(st.permutations(range(15)))
def test_scores_do_not_depend_on_the_order_of_rows(order):
    rows = evaluations(np.arange(15.0))
    shuffled = rows.iloc[list(order)]
    pd.testing.assert_frame_equal(scores(shuffled), scores(rows))


def test_scores_of_several_trials_are_separate():
    rows = pd.concat(
        [evaluations([1, 2], seed=0), evaluations([5, 7], seed=1), evaluations([9], seed=1, algorithm="bc")]
    )
    table = scores(rows).set_index(["algorithm", "seed"])["last"]
    assert table.to_dict() == {("td3_bc", 0): 2.0, ("td3_bc", 1): 7.0, ("bc", 1): 9.0}


def test_scores_of_nan_evaluations_are_nan():
    (row,) = scores(evaluations([1.0, np.nan, 3.0])).itertuples()
    assert np.isnan(row.final)
    assert np.isnan(row.best)
    assert row.last == 3.0


def test_scores_with_nan_before_the_final_evaluations_keep_the_final_score():
    (row,) = scores(evaluations([np.nan, *[4.0] * FINAL_EVALUATIONS])).itertuples()
    assert row.final == 4.0


def test_scores_without_reference_scores_have_only_returns():
    rows = evaluations([1.0, 2.0]).drop(columns="normalized_score")
    (row,) = scores(rows).itertuples()
    assert np.isnan(row.final)
    assert row.final_return == 15.0


def test_scores_of_no_rows_are_empty():
    assert scores(evaluations([])).empty


def test_deviation_has_ddof_0_and_is_nan_for_a_single_seed():
    mean, deviation = mean_and_deviation(np.array([1.0, 3.0]))
    assert (mean, deviation) == (2.0, 1.0)
    assert np.isnan(mean_and_deviation(np.array([1.0]))[1])
    assert np.isnan(mean_and_deviation(np.array([]))[0])


def test_standard_error_divides_the_deviation_by_the_root_of_the_seeds():
    assert standard_error(np.array([1.0, 3.0])) == pytest.approx(1.0)
    assert np.isnan(standard_error(np.array([1.0])))


def test_scores_have_the_first_diverged_step():
    marked = evaluations([1.0, 2.0, 3.0]).assign(non_finite=[None, "q1", "q1, q2"])
    both = scores(pd.concat([marked, evaluations([4.0], seed=1)]))
    assert both["diverged"].tolist() == [200, pd.NA]
    assert scores(evaluations([1.0]))["diverged"].isna().all()
