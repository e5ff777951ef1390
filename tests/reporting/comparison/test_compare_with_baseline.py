import numpy as np
import pytest
from scipy import stats

from harness.errors import HarnessError
from harness.reporting import reading
from harness.reporting.comparison import compare_with_baseline, default_baseline
from harness.reporting.significance import holm
from harness.reporting.tables.comparison import comparison_table
from tests import synthetic


def test_compare_with_baseline_tests_pairs_of_seeds_corrected_over_all_cells(results):
    comparison = compare_with_baseline(results, "td3_bc")
    assert comparison.paired
    scores = results.seed_scores("final")
    raw = [
        stats.ttest_rel(scores[variant, dataset], scores["td3_bc", dataset]).pvalue
        for variant in ("td3", "bc")
        for dataset in results.datasets
    ]
    cells = [one for one in comparison.differences if one.dataset]
    assert [(one.variant, one.dataset) for one in cells] == [
        (variant, dataset) for variant in ("td3", "bc") for dataset in results.datasets
    ]
    assert [one.t_test for one in cells] == pytest.approx(holm(raw))
    overall = [one for one in comparison.differences if one.dataset is None]
    assert [one.variant for one in overall] == ["td3", "bc"]
    assert {one.verdict for one in overall} == {"worse"}


def test_compare_with_baseline_table_has_a_total_after_the_datasets_of_each_variant(results):
    table = comparison_table(compare_with_baseline(results, "td3_bc"))
    kinds = [row.kind.value for row in table.rows]
    count = len(results.datasets)
    assert kinds == [*["data"] * count, "total"] * 2
    assert [column.label for column in table.columns][:3] == ["TD3+BC", "Variant", "Variant - TD3+BC"]
    assert table.caption.startswith("Each variant against TD3+BC")


def test_compare_with_baseline_of_the_same_policy_is_identical(tmp_path):
    experiment = synthetic.experiment(algorithms=("td3_bc", "bc"), seeds=1)
    rows = synthetic.frame(experiment)
    of_baseline = rows.loc[rows["algorithm"] == "td3_bc", "normalized_score"].to_numpy()
    rows.loc[rows["algorithm"] == "bc", "normalized_score"] = of_baseline

    both = reading.load(synthetic.write(tmp_path / "run", experiment, rows))
    comparison = compare_with_baseline(both, "td3_bc", margin=1)
    assert {one.verdict for one in comparison.differences} == {"identical"}
    assert comparison.fails("same") == []


def test_compare_with_baseline_that_is_not_there_is_rejected(results):
    with pytest.raises(HarnessError, match="no variant td3bc; did you mean td3_bc"):
        compare_with_baseline(results, "td3bc")


def test_compare_with_baseline_needs_a_second_variant(tmp_path):

    alone = reading.load(synthetic.write(tmp_path / "run", synthetic.experiment(algorithms=("bc",))))
    with pytest.raises(HarnessError, match="no variant other than bc"):
        compare_with_baseline(alone, "bc")


def test_compare_with_baseline_missing_trials_are_unknown(tmp_path):

    experiment = synthetic.experiment(algorithms=("td3_bc", "bc"))
    rows = synthetic.frame(experiment)
    lost = (rows["algorithm"] == "bc") & (rows["dataset"] == "pendulum-medium-v0") & (rows["seed"] == 1)
    half = reading.load(synthetic.write(tmp_path / "run", experiment, rows[~lost]))
    comparison = compare_with_baseline(half, "td3_bc")
    medium, expert, overall = comparison.differences
    assert (medium.verdict, medium.reason) == ("unknown", "BC has 2 of 3 seeds")
    assert expert.verdict == "worse"
    assert overall.reason == "pendulum-medium-v0: BC has 2 of 3 seeds"
    assert np.isfinite(expert.interval).all()


def test_compare_with_baseline_a_nan_score_makes_the_mean_nan(tmp_path):
    experiment = synthetic.experiment(algorithms=("td3_bc", "bc"))
    rows = synthetic.frame(experiment)
    lost = (rows["algorithm"] == "bc") & (rows["dataset"] == "pendulum-medium-v0") & (rows["seed"] == 1)
    rows.loc[lost, ["normalized_score", "return_mean"]] = np.nan
    comparison = compare_with_baseline(
        reading.load(synthetic.write(tmp_path / "run", experiment, rows)), "td3_bc"
    )
    medium, expert, overall = comparison.differences
    assert medium.reason == "BC has NaN scores"
    assert np.isnan([medium.mean_b, medium.difference, overall.mean_b, overall.difference]).all()
    assert np.isfinite([medium.mean_a, overall.mean_a, expert.mean_b]).all()


def test_default_baseline_is_the_papers_td3_bc_with_a_label_too(tmp_path):
    variants = {"bc": {}, "full": {"algorithm": "td3_bc", "label": "TD3+BC (paper)"}}
    directory = synthetic.write(tmp_path / "run", synthetic.experiment(algorithms=variants))
    results = reading.load(directory)
    assert default_baseline(results) == "full"
