import math
from dataclasses import replace

import pytest

from harness.errors import HarnessError
from harness.reporting.reading import records
from harness.reporting.tables.run_time import run_time_table, trial_seconds
from harness.reporting.tables.seeds import seeds_table
from harness.reporting.tables.statistics import improvement_table, statistics_table


def test_run_times_are_summed_over_a_trial_and_evaluation_stands_apart(results):
    seconds = trial_seconds(results)
    rows = results.frame[(results.frame["algorithm"] == "bc") & (results.frame["seed"] == 0)]
    rows = rows[rows["dataset"] == "pendulum-expert-v0"]
    found = seconds[
        (seconds["algorithm"] == "bc") & (seconds["seed"] == 0) & (seconds["dataset"] == "pendulum-expert-v0")
    ].iloc[0]
    assert found["train_seconds"] == pytest.approx(rows["train_seconds"].sum())
    assert found["evaluation_seconds"] == pytest.approx(rows["evaluation_seconds"].sum())
    training, speed, evaluation, trials = run_time_table(results).rows[2].cells
    assert training.value > evaluation.value
    assert speed.value == pytest.approx(10_000 / training.value, rel=0.05)
    assert trials.value == 15


@pytest.mark.parametrize("make", [run_time_table, seeds_table, statistics_table, improvement_table])
def test_every_table_has_the_notes_of_the_results(results, make):
    assert "Evaluated elsewhere." in make(replace(results, notes=("Evaluated elsewhere.",))).notes


def test_results_without_run_times_have_no_table_of_them(results):
    foreign = records.from_frame(results.frame.drop(columns="train_seconds"), "log.csv")
    with pytest.raises(HarnessError, match="no run times"):
        run_time_table(foreign)


def test_a_trial_of_which_a_time_is_missing_has_no_time(results):
    frame = results.frame.copy()
    trial = (frame["algorithm"] == "bc") & (frame["seed"] == 0) & (frame["dataset"] == "pendulum-expert-v0")
    frame.loc[frame[trial].index[0], "train_seconds"] = None
    table = run_time_table(replace(results, frame=frame))
    td3, bc = table.rows[1:]
    assert math.isfinite(td3.cells[0].value)
    assert math.isnan(bc.cells[0].value)
    assert math.isnan(bc.cells[1].value)
    assert math.isfinite(bc.cells[2].value)
    assert any("no time recorded" in note for note in table.notes)


def test_run_time_of_zero_seconds_has_no_speed(results):
    table = run_time_table(replace(results, frame=results.frame.assign(train_seconds=0.0)))
    assert [cell.plain() for cell in table.rows[0].cells[:2]] == ["0.0 ± 0.0", "-"]


def test_every_seed_has_its_score(results):
    table = seeds_table(results, "last")
    assert len(table.rows) == 15
    trial = results.scores[
        (results.scores["algorithm"] == "td3") & (results.scores["dataset"] == "pendulum-medium-v0")
    ].set_index("seed")
    row = next(row for row in table.rows if row.label == "Pendulum medium, TD3")
    assert [cell.value for cell in row.cells] == [trial.loc[seed, "last"] for seed in (0, 1, 2)]
