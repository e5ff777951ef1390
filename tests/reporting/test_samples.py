import re

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.reporting import captions, figures, reading
from harness.reporting.figures import Material
from harness.reporting.report import report
from harness.reporting.samples import choose, show_chosen
from harness.reporting.tables import make_table
from tests import synthetic
from tests.reporting.selection import make

SWEEP = {
    "algorithms": {"bc": {}, "td3_bc": {}},
    "sweep": {"algorithms.td3_bc.alpha": {"log_uniform": [0.1, 10]}},
    "samples": 3,
    "seeds": 2,
    "steps": 1_000,
}
ON_EACH = {"td3_bc@s00": (10, 40), "td3_bc@s01": (30, 30), "td3_bc@s02": (20, 20)}
"""By sample, its scores on the two datasets."""


def scored(tmp_path, keep=lambda rows: rows, **more):
    """Results with these scores, the same at every evaluation."""
    experiment = synthetic.experiment(**(SWEEP | more))
    rows = synthetic.evaluations(experiment).to_pandas()
    for sample, scores in ON_EACH.items():
        for dataset, score in zip(experiment.datasets, scores, strict=True):
            at = (rows["algorithm"] == sample) & (rows["dataset"] == dataset.name)
            rows.loc[at, "normalized_score"] = score
    return reading.load(synthetic.write(tmp_path / "search", experiment, keep(rows)))


@pytest.fixture
def results(tmp_path):
    return scored(tmp_path)


def test_best_has_the_highest_mean_over_datasets(results):
    choice = choose(results, results.searches["td3_bc"], "best", "final")
    assert set(choice.samples.values()) == {"td3_bc@s01"}
    assert choice.label == "best of 3"


def test_best_per_dataset_differs_between_datasets(results):
    choice = choose(results, results.searches["td3_bc"], "best-per-dataset", "final")
    assert list(choice.samples.values()) == ["td3_bc@s01", "td3_bc@s00"]


def test_samples_with_missing_trials_are_left_out_of_the_choice(tmp_path):
    results = scored(tmp_path, lambda rows: rows[(rows["algorithm"] != "td3_bc@s01") | (rows["seed"] == 0)])
    choice = choose(results, results.searches["td3_bc"], "best", "final")
    assert set(choice.samples.values()) == {"td3_bc@s00"}
    assert "of the 2 of 3 samples that finished" in choice.note


@pytest.mark.parametrize("rule", ["best", "best-per-dataset"])
def test_sample_with_a_score_that_is_nan_is_not_the_best(tmp_path, rule):
    def diverge(rows):
        rows.loc[(rows["algorithm"] == "td3_bc@s01") & (rows["seed"] == 0), "normalized_score"] = float("nan")
        return rows

    results = scored(tmp_path, diverge)
    search = results.searches["td3_bc"]
    assert "td3_bc@s01" not in choose(results, search, rule, "final").samples.values()


def test_grouped_results_have_one_column_for_each_search(results):
    shown = show_chosen(results, "best", "final")
    assert shown.algorithms == ["bc", "td3_bc: best of 3"]
    table = make_table("scores", shown, "final")
    assert [column.label for column in table.columns] == ["BC", "TD3+BC: best of 3"]
    assert [row.cells[1].value for row in table.rows[:2]] == [30, 30]
    alpha = results.searches["td3_bc"].samples["td3_bc@s01"]["alpha"]
    (note,) = [note for note in table.notes if "best of 3" in note]
    assert re.search(rf"chosen in hindsight.*optimistic: .={alpha} \(s01\)\.", note)
    assert not shown.missing
    assert shown.every_sample is results


def test_a_grouped_search_with_another_sample_on_each_dataset(results):
    shown = show_chosen(results, "best-per-dataset", "final")
    values = shown.seed_scores("final")
    pair = [float(np.mean(values["td3_bc: best of 3 per dataset", dataset])) for dataset in shown.datasets]
    assert pair == [30, 40]
    assert "(s01) on " in next(captions.choices(shown))


def test_label_of_the_searched_variant_is_in_its_tables_and_figures(tmp_path):
    results = scored(tmp_path, algorithms={"bc": {}, "td3_bc": {"label": "Ours"}})
    shown = show_chosen(results, "best", "final")
    assert [column.label for column in make_table("scores", shown, "final").columns] == [
        "BC",
        "Ours: best of 3",
    ]
    assert next(captions.choices(shown)).startswith("Ours: best of 3: ")
    assert make_table("online-performance", shown, "final").rows[0].label == "Pendulum medium, Ours"
    assert make_table("samples", shown, "final").caption.startswith("Samples of Ours, ")
    assert Material(results).title("td3_bc") == "Ours"


def test_report_says_once_which_sample_a_search_shows(results, monkeypatch):
    monkeypatch.setattr("harness.reporting.report.page.draw_pictures", lambda material: ([], {}))
    assert report([show_chosen(results, "best", "final")]).count("chosen in hindsight") == 1


def test_a_missing_trial_of_the_chosen_sample_is_named_by_its_column(tmp_path):
    results = scored(tmp_path, lambda rows: rows[(rows["algorithm"] == "bc") | (rows["seed"] == 0)])
    shown = show_chosen(results, "best", "final")
    assert "td3_bc: best of 3 on pendulum-medium-v0, seed 1: no evaluation yet" in shown.missing
    assert len(shown.missing) == 2


def test_grids_keep_a_column_for_each_variant(tmp_path):
    experiment = synthetic.experiment(sweep={"algorithms.td3_bc.alpha": [1, 4]}, seeds=1, steps=1_000)
    results = reading.load(synthetic.write(tmp_path / "grid", experiment))
    assert show_chosen(results, "best", "final") is results


def test_captions_of_figures_with_all_samples_name_no_chosen_one(results, tmp_path):
    names = ("scores", "responses")
    figures.write(tmp_path / "figures", Material(show_chosen(results, "best", "final")), names, ["svg"])
    scores, responses = (tmp_path / "figures" / figures.CAPTIONS).read_text().split("\n\n")
    assert "chosen in hindsight" in scores
    assert "Response to each" in responses
    assert "chosen in hindsight" not in responses


def test_select_by_an_offline_rule_shows_what_it_selects_next_to_the_best(tmp_path):
    results = make.results(tmp_path, make.experiment(**make.DRAWN))
    shown = show_chosen(results, "fqe", "final")
    assert shown.algorithms == ["td3_bc: FQE of 4", "td3_bc: best of 4 per dataset", "bc"]
    table = make_table("scores", shown, "final")
    rows = {row.key: [cell.value or 0.0 for cell in row.cells] for row in table.rows}
    selected, best, _ = rows["pendulum-medium-v0"]
    assert selected == best
    selected, best, _ = rows["pendulum-expert-v0"]
    assert selected == pytest.approx(best - 30, abs=5)
    assert any("the one that FQE selects on each dataset" in note for note in (*table.notes, table.caption))
    assert not shown.missing
    figures.draw("learning-curves", Material(shown))


def test_select_by_an_offline_rule_of_a_grid_names_the_command_that_selects(tmp_path):
    results = make.results(tmp_path)
    with pytest.raises(HarnessError, match=r"drawn from ranges; .* harness select .* --by fqe"):
        show_chosen(results, "fqe", "final")


def test_select_by_an_offline_rule_without_estimates_says_how_to_make_them(tmp_path):
    of = make.experiment(**make.DRAWN, selection=None)
    results = make.results(tmp_path, of, with_estimates=False)
    with pytest.raises(HarnessError, match="no fqe estimates; add `selection:"):
        show_chosen(results, "fqe", "final")
