import numpy as np
import pytest

from harness.reporting import reading
from harness.reporting.comparison import compare_with_baseline
from harness.reporting.report.headline import headline_table, standings, wins
from tests import synthetic


def made(tmp_path, change=None, **settings):
    experiment = synthetic.experiment(**settings)
    rows = synthetic.frame(experiment)
    return reading.load(synthetic.write(tmp_path / "run", experiment, change(rows) if change else rows))


def test_standings_name_the_highest_mean_and_the_tests_against_it(results):
    overall, *cells = standings(results)
    assert overall.dataset is None
    assert [one.dataset for one in cells] == results.datasets
    assert {one.best for one in cells} == {"td3_bc"}
    means = results.seed_scores("final")
    assert cells[0].mean == pytest.approx(means["td3_bc", cells[0].dataset].mean())
    low, high = cells[0].interval
    assert low < cells[0].mean < high
    compared = compare_with_baseline(results, "td3_bc").differences
    expected = [one.t_test for one in compared if one.dataset == cells[0].dataset]
    assert sorted(one.t_test for one in cells[0].others) == sorted(expected)
    assert "TD3+BC has the highest mean over 5 datasets" in overall.sentence()
    assert "the next, BC, is worse (-" in overall.sentence()
    assert wins([overall, *cells]) == "Highest mean: TD3+BC on 5 of 5 datasets."


def test_headline_of_an_untested_lead_says_not_distinguishable(tmp_path):
    def close(rows):
        bc, td3_bc = (rows["algorithm"] == name for name in ("bc", "td3_bc"))
        of_other_seeds = np.roll(rows.loc[td3_bc, "normalized_score"].to_numpy(), 20)
        rows.loc[bc, "normalized_score"] = of_other_seeds
        return rows

    of = made(tmp_path, close, algorithms=("td3_bc", "bc"), datasets=["pendulum-medium-v0"])
    (only,) = standings(of)
    assert "not distinguishable from it" in only.sentence()
    assert wins([only]) == ""


def test_two_seeds_are_not_claimed_to_be_tested(tmp_path):
    overall = standings(made(tmp_path, seeds=2))[0]
    assert "cannot be tested" in overall.sentence()
    assert "fewer than 3 seeds" in overall.sentence()


def test_a_variant_that_lacks_seeds_is_not_the_best(tmp_path):
    def killed(rows):
        return rows[(rows["algorithm"] != "td3_bc") | (rows["seed"] != 0)]

    overall, *cells = standings(made(tmp_path, killed))
    assert {one.best for one in cells} == {"bc"}
    assert [one.variant for one in overall.untested] == ["td3_bc"]
    assert "not tested: TD3+BC" in headline_table(cells, "mean").rows[0].cells[-1].mark


def test_a_variant_with_a_score_that_is_nan_is_not_the_best(tmp_path):
    def diverged(rows):
        failed = (rows["algorithm"] == "td3_bc") & (rows["seed"] == 0)
        return rows.assign(normalized_score=rows["normalized_score"].mask(failed))

    assert {one.best for one in standings(made(tmp_path, diverged))} == {"bc"}


def test_headline_names_the_tested_variants_next_to_untested_ones(tmp_path):
    def killed(rows):
        return rows[(rows["algorithm"] != "bc") | (rows["seed"] != 0)]

    sentence = standings(made(tmp_path, killed))[0].sentence()
    assert "the next that was tested, TD3, is worse (-" in sentence
    assert sentence.endswith("Not tested: BC.")


def test_one_variant_is_not_called_the_best(tmp_path):
    overall = standings(made(tmp_path, algorithms=("bc",)))[0]
    assert overall.sentence().startswith("BC scores ")


def test_returns_have_no_standing_over_all_datasets(tmp_path):
    found = standings(made(tmp_path, lambda rows: rows.assign(normalized_score=float("nan"))))
    assert [one.dataset for one in found] == ["pendulum-medium-v0", "pendulum-expert-v0"]
    assert "(return)" in found[0].sentence()
