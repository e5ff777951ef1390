"""Rows without a score in what other tools wrote."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.reporting import reading
from harness.reporting.reading import records

HEADER = "algorithm,dataset,seed,step,return"


def read(tmp_path, lines, header=HEADER):
    path = tmp_path / "log.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return reading.load(path)


def test_rows_between_evaluations_without_a_return_are_left_out_with_their_number(tmp_path):
    results = read(tmp_path, ["a,x,0,10,1", "a,x,0,11,", "a,x,0,20,3", "a,x,0,21,"])
    assert results.frame["return_mean"].tolist() == [1, 3]
    assert results.scores["final_return"].tolist() == [2]
    assert results.notes == ("Left out: 2 of 4 rows, which have no return.",)


def test_rows_of_losses_alone_are_left_out(tmp_path):
    results = read(tmp_path, ["a,x,0,10,1,", "a,x,0,15,,0.5", "a,x,0,20,3,"], f"{HEADER},critic_loss")
    assert results.frame["step"].tolist() == [10, 20]


def test_a_row_that_is_empty_altogether_is_left_out_and_later_rows_keep_their_numbers(tmp_path):
    lines = ["a,x,0,10,1", ",,,,", "a,x,0,20,3"]
    assert read(tmp_path, lines).notes == ("Left out: 1 of 3 rows, which have no return.",)
    with pytest.raises(HarnessError, match=r"column seed holds -0\.5 in row 4"):
        read(tmp_path, [*lines, "a,x,-0.5,30,3"])


def test_a_return_that_other_trials_have_at_that_step_is_named_with_its_row(tmp_path):
    lines = [f"a,x,{seed},{step},{step + seed}" for seed in (0, 1) for step in (10, 20)]
    lines[2] = "a,x,1,10,"
    results = read(tmp_path, lines)
    assert results.notes == ("No return in row 3, where an evaluation took place: it counts as NaN.",)
    scores = results.scores.set_index("seed")
    assert scores.loc[0, "final_return"] == 15
    assert pd.isna(scores.loc[1, "final_return"])
    assert scores.loc[1, "last_return"] == 21


@pytest.mark.parametrize(
    ("column", "value"), [("return_std", "0.5"), ("evaluation_seconds", "2"), ("episode_returns", '"[1, 2]"')]
)
def test_a_return_that_is_missing_beside_other_results_is_named_with_its_row(tmp_path, column, value):
    lines = [f"a,x,0,10,1.5,{value}", f"a,x,0,20,,{value}"]
    results = read(tmp_path, lines, f"{HEADER},{column}")
    assert results.notes == ("No return in row 2, where an evaluation took place: it counts as NaN.",)


def test_many_missing_returns_are_named_by_the_first_and_their_number(tmp_path):
    lines = [f"a,x,{seed},{step},{'' if seed else step}" for seed in (0, 1) for step in range(10, 90, 10)]
    (note,) = read(tmp_path, lines).notes
    assert note.startswith("No return in row 9, 10, 11, 12, 13 and 3 more, where")


def test_an_empty_row_at_the_step_of_an_evaluation_of_the_same_trial_is_left_out(tmp_path):
    results = read(tmp_path, ["a,x,0,10,", "a,x,0,10,1", "a,x,1,10,2"])
    assert results.notes == ("Left out: 1 of 3 rows, which have no return.",)


def test_a_return_written_as_nan_is_an_evaluation_of_a_run_that_diverged(tmp_path):
    results = read(tmp_path, ["a,x,0,10,1", "a,x,0,20,nan", "a,x,0,21,", "a,x,0,30,NaN", "a,x,0,40,2"])
    assert results.frame["step"].tolist() == [10, 20, 30, 40]
    assert results.frame["return_mean"].isna().tolist() == [False, True, True, False]
    assert results.notes == ("Left out: 1 of 5 rows, which have no return.",)


def test_a_score_in_either_column_is_enough(tmp_path):
    results = read(tmp_path, ["a,x,0,10,1,", "a,x,0,20,,5", "a,x,0,30,,"], f"{HEADER},normalized_score")
    assert results.frame["step"].tolist() == [10, 20]
    assert results.notes == ("Left out: 1 of 3 rows, which have no return or normalized score.",)


def test_trials_of_which_nothing_is_left_are_named(tmp_path):
    results = read(tmp_path, ["a,x,0,10,1", "b,x,3,11,", ",,,,"])
    assert results.notes == (
        "Left out: 2 of 3 rows, which have no return; nothing is left of b on x, seed 3.",
    )


def test_a_file_without_any_score_is_rejected(tmp_path):
    with pytest.raises(HarnessError, match="no scores: every row is empty in return"):
        read(tmp_path, ["a,x,0,10,", "a,x,0,20,"])


def test_parquet_and_frames_with_an_index_of_their_own_are_read_alike(tmp_path):
    rows = pd.DataFrame(
        [("a", "x", 0, 10, 1.0), ("a", "x", 0, 11, None), ("a", "x", 0, 20, 3.0)], columns=HEADER.split(",")
    ).set_axis([7, 7, 9])
    rows.to_parquet(tmp_path / "log.parquet")
    for results in (reading.load(tmp_path / "log.parquet"), records.from_frame(rows, "a frame")):
        assert results.frame["step"].tolist() == [10, 20]
    assert rows.index.tolist() == [7, 7, 9]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1), st.integers(1, 4)), max_size=10))
def test_scores_do_not_depend_on_blank_rows_between_evaluations(blanks):
    rows = pd.DataFrame(
        [("a", "x", seed, step, float(step + seed)) for seed in (0, 1) for step in (10, 20, 30, 40)],
        columns=HEADER.split(","),
    )
    expected = records.from_frame(rows, "a frame").scores
    for place, seed, offset in blanks:
        blank = pd.DataFrame([("a", "x", seed, 10 * offset + 1, np.nan)], columns=rows.columns)
        rows = pd.concat([rows.iloc[:place], blank, rows.iloc[place:]])
    pd.testing.assert_frame_equal(records.from_frame(rows, "a frame").scores, expected)
