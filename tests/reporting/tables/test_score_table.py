import numpy as np
import pytest

from harness.errors import HarnessError
from harness.reporting import published, reading
from harness.reporting.reading import records
from harness.reporting.tables import score_table
from harness.reporting.tables.model import Emphasis, Kind, emphasis_legend
from harness.scores import DDOF
from tests import synthetic


def made(tmp_path, rows=None, **settings):
    experiment = synthetic.experiment(**settings)
    frame = synthetic.frame(experiment)
    return reading.load(synthetic.write(tmp_path / "run", experiment, rows(frame) if rows else frame))


def by_label(table):
    return {row.key or row.label: row for row in table.rows}


def test_cells_are_means_and_deviations_over_seeds(results):
    table = score_table(results)
    finals = results.scores[
        (results.scores["dataset"] == "pendulum-expert-v0") & (results.scores["algorithm"] == "bc")
    ]["final"]
    cell = by_label(table)["pendulum-expert-v0"].cells[2]
    assert cell.value == pytest.approx(np.mean(finals))
    assert cell.spread == pytest.approx(np.std(finals, ddof=DDOF))


def test_the_total_is_the_sum_of_means_and_of_deviations(results):
    *rows, total = score_table(results).rows
    assert total.kind is Kind.TOTAL
    for index, cell in enumerate(total.cells):
        assert cell.value == pytest.approx(sum(row.cells[index].value for row in rows))
        assert cell.spread == pytest.approx(sum(row.cells[index].spread for row in rows))


def test_subtotals_by_quality_where_each_has_several_tasks(d4rl, results):
    rows = by_label(score_table(d4rl))
    parts = [rows["Sub-total random"].cells[0].value, rows["Sub-total medium"].cells[0].value]
    assert rows["Total"].cells[0].value == pytest.approx(sum(parts))
    assert not any(row.kind is Kind.SUBTOTAL for row in score_table(results).rows)


def test_the_best_is_marked_and_who_is_within_its_standard_error(tmp_path):
    def close(rows):
        level = rows["algorithm"].map({"td3_bc": 50.0, "bc": 49.5, "td3": 20.0})
        return rows.assign(normalized_score=level + rows["seed"])

    results = made(tmp_path, close, datasets=["pendulum-expert-v0"], seeds=5)
    (row,) = score_table(results).rows
    assert [cell.emphasis for cell in row.cells] == [Emphasis.BEST, Emphasis.NONE, Emphasis.CLOSE]


def test_cells_with_equal_shown_scores_are_marked_equally(tmp_path):
    results = made(
        tmp_path,
        lambda rows: rows.assign(
            normalized_score=rows["algorithm"].map({"td3_bc": 50.04, "bc": 50.0, "td3": 1})
        ),
        datasets=["pendulum-expert-v0"],
    )
    (row,) = score_table(results).rows
    assert [cell.emphasis for cell in row.cells] == [Emphasis.BEST, Emphasis.NONE, Emphasis.BEST]


@pytest.mark.parametrize(("score", "words"), [("final", "final 10"), ("last", "last"), ("best", "best")])
def test_the_caption_names_the_score(results, score, words):
    table = score_table(results, score)
    assert f"{words} evaluation" in table.caption
    assert f"ddof={DDOF}" in table.caption
    assert "over 3 seeds" in table.caption
    expected = results.scores.loc[results.scores["dataset"] == "pendulum-random-v0"]
    mean = expected[expected["algorithm"] == "td3_bc"][score].mean()
    assert table.rows[0].cells[0].value == pytest.approx(mean)


def test_fewer_evaluations_than_ten_are_told(tmp_path):
    results = made(tmp_path, steps=1_000, interval=500)
    assert "or all 2, where it has fewer" in score_table(results).caption


def test_a_single_seed_has_no_deviation(tmp_path):
    table = score_table(made(tmp_path, seeds=1))
    assert all(cell.spread is None for row in table.rows for cell in row.cells)
    assert "1 seed (so no deviation)" in table.caption


def test_missing_seeds_are_marked_and_named(tmp_path):
    results = made(tmp_path, lambda rows: rows[~((rows["algorithm"] == "bc") & (rows["seed"] == 2))], seeds=3)
    table = score_table(results)
    assert table.rows[0].cells[2].mark == "2/3 seeds"
    assert [row.cells[2].emphasis for row in table.rows if row.cells[2].mark] == [Emphasis.NONE] * 3
    assert table.rows[-1].cells[2].mark == "incomplete"
    assert any("bc on pendulum-medium-v0, seed 2" in note for note in table.notes)


def test_the_best_is_of_the_complete_cells(tmp_path, results, d4rl):
    def killed(rows):
        return rows[~((rows["algorithm"] == "bc") & (rows["seed"] == 2))]

    assert "best of a row's complete cells" in emphasis_legend(
        score_table(made(tmp_path, killed, seeds=3)), "best", "close"
    )
    assert "complete" not in emphasis_legend(score_table(results), "best", "close")
    ticked = score_table(d4rl, "final", [published.load("corl-last")])
    assert "best of a row among ours" in emphasis_legend(ticked, "best", "close")


def test_a_column_without_a_dataset_has_no_total(tmp_path):
    def drop(rows):
        return rows[~((rows["algorithm"] == "bc") & (rows["dataset"] == "pendulum-expert-v0"))]

    table = score_table(made(tmp_path, drop))
    assert by_label(table)["pendulum-expert-v0"].cells[2].value is None
    assert by_label(table)["Total"].cells[2].value is None
    assert by_label(table)["Total"].cells[0].value is not None


def test_nan_is_shown_in_its_cell_and_in_the_total(tmp_path):
    def diverge(rows):
        rows.loc[(rows["algorithm"] == "td3") & (rows["seed"] == 1), "normalized_score"] = np.nan
        return rows

    table = score_table(made(tmp_path, diverge))
    cell = table.rows[0].cells[1]
    assert cell.plain() == "NaN"
    assert cell.emphasis is Emphasis.NONE
    assert table.rows[-1].cells[1].plain().startswith("NaN")
    assert any(note.startswith("NaN") for note in table.notes)


def test_datasets_without_reference_scores_stand_below_the_total(tmp_path):
    def returns(rows):
        rows.loc[rows["dataset"] == "pendulum-medium-v0", "normalized_score"] = np.nan
        return rows

    datasets = ["pendulum-random-v0", "pendulum-medium-v0", "pendulum-expert-v0"]
    table = score_table(made(tmp_path, returns, datasets=datasets))
    assert [row.label for row in table.rows] == [
        "Pendulum random",
        "Pendulum expert",
        "Total",
        "Pendulum medium (return)",
    ]
    assert table.rows[-1].cells[0].value < -100


def test_published_scores_are_shown_with_difference_and_verdict(d4rl):
    corl = published.load("corl-last")
    table = score_table(d4rl, "final", [corl])
    keys = [column.key for column in table.columns]
    position = keys.index("td3_bc corl-last")
    row = by_label(table)["hopper-medium-v2"]
    theirs, deviation = corl.scores["TD3+BC"]["hopper-medium-v2"]
    assert row.cells[position].value == theirs
    last = d4rl.scores[
        (d4rl.scores["dataset"] == "hopper-medium-v2") & (d4rl.scores["algorithm"] == "td3_bc")
    ]["last"]
    difference = row.cells[position + 1]
    assert difference.value == pytest.approx(last.mean() - theirs), (
        "like is compared with like: last with last"
    )
    assert bool(difference.mark) == (abs(difference.value) <= max(deviation, np.std(last)))
    assert any("corl-team/CORL" in note for note in table.notes)
    assert "4 seeds" in table.caption
    assert any("no scores of td3" in note for note in table.notes)
    assert any("no scores on halfcheetah-random-v2" in note for note in table.notes)


def test_two_spellings_of_an_algorithm_do_not_get_the_same_published_scores(d4rl):
    spellings = {"td3": "TD3+BC", "bc": "TD3+BC λ"}
    frame = d4rl.frame.drop(columns="episode_returns")
    frame["algorithm"] = frame["algorithm"].astype(str).replace(spellings)
    table = score_table(records.from_frame(frame, "log.csv"), "final", [published.load("corl-last")])
    assert [column.label for column in table.columns if column.group == "corl-last"] == ["TD3+BC", "Δ TD3+BC"]
    assert "corl-last has no scores of td3_bc, TD3+BC λ." in table.notes


def test_chosen_published_algorithms_get_a_column_each_and_a_difference_where_ours_has_them(d4rl):
    table = score_table(d4rl, "final", [published.load("corl-last:iql,td3_bc")])
    labels = [column.label for column in table.columns if column.group == "corl-last"]
    assert labels == ["IQL", "TD3+BC", "Δ TD3+BC"]
    position = [column.key for column in table.columns].index("IQL corl-last")
    assert by_label(table)["hopper-medium-v2"].cells[position].value == 67.53
    assert not any("no scores of" in note for note in table.notes)


def test_the_caption_tells_the_protocol_of_each_shown_algorithm(d4rl):
    table = score_table(d4rl, "final", [published.load("corl-last:iql,dt")])
    text = " ".join(table.notes)
    assert "DT: 100,000 gradient steps, the last evaluation, 100 episodes" in text
    assert "EDAC" not in text
    assert "Δ" not in text
    assert "corl-last trained DT for 100,000 gradient steps, ours for 100,000." not in text
    assert "corl-last trained IQL for 1,000,000 gradient steps, ours for 100,000." in text


def test_a_source_with_another_choice_of_evaluations_gets_no_difference(d4rl):
    table = score_table(d4rl, "final", [published.load("offlinerl-lib"), published.load("td7-rerun")])
    groups = ("offlinerl-lib", "td7-rerun")
    labels = [column.label for column in table.columns if column.group in groups]
    assert labels == ["TD3+BC", "TD3+BC"]
    assert any("offlinerl-lib: no Δ, because" in note for note in table.notes)


def test_a_dataset_published_as_another_gets_the_scores_of_that_one(local_files):
    table = score_table(local_files, "final", [published.load("corl-last")])
    position = [column.key for column in table.columns].index("td3_bc corl-last")
    rows = by_label(table)
    assert rows["mine"].cells[position].value == -0.33
    assert rows["mine"].cells[position + 1].value is not None
    assert rows["other"].cells[position].value is None
    assert "Published scores on mine are those on door-human-v1." in table.notes
    assert "corl-last has no scores on other." in table.notes


def test_published_scores_are_not_shown_in_a_row_of_returns(d4rl):
    frame = d4rl.frame[["algorithm", "dataset", "seed", "step", "return_mean", "normalized_score"]].copy()
    frame.loc[frame["dataset"] == "hopper-medium-v2", "normalized_score"] = np.nan
    table = score_table(records.from_frame(frame, "log.csv"), "final", [published.load("corl-last")])
    position = [column.key for column in table.columns].index("td3_bc corl-last")
    rows = by_label(table)
    assert rows["hopper-medium-v2"].cells[position].value is None
    assert rows["walker2d-medium-v2"].cells[position].value == 82.71


def test_no_column_mixes_protocols(d4rl):
    table = score_table(d4rl, "final", [published.load("corl-last"), published.load("corl-best")])
    groups = [column.group for column in table.columns]
    assert groups == sorted(groups, key=["Ours", "corl-last", "corl-best"].index)


def test_a_source_that_has_nothing_in_common_is_rejected(results, d4rl):
    with pytest.raises(HarnessError, match="td3_bc-paper-v2 has no scores on pendulum-random-v0"):
        score_table(results, "final", [published.load("td3_bc-paper-v2")])
    one = d4rl.frame[d4rl.frame["algorithm"] == "bc"].drop(columns="episode_returns")
    foreign = records.from_frame(one.assign(algorithm="mine"), "log.csv")
    with pytest.raises(HarnessError, match="has no scores of mine; it has BC"):
        score_table(foreign, "final", [published.load("corl-last")])
