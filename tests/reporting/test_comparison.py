import numpy as np
import pandas as pd
import pytest
from scipy import stats

from harness.bench import synthetic
from harness.errors import HarnessError
from harness.reporting import load as reading
from harness.reporting import records
from harness.reporting.comparison import compare
from harness.reporting.tables.comparison import comparison_table


def results(tmp_path, name, change=None, random_seed=0, **settings):
    experiment = synthetic.experiment(**{"algorithms": ("td3_bc",), "seeds": 5} | settings)
    rows = synthetic.frame(experiment, random_seed)
    return reading.load(synthetic.write(tmp_path / name, experiment, change(rows) if change else rows))


def lifted(by, dataset=None):
    def change(rows):
        chosen = rows["dataset"] == dataset if dataset else slice(None)
        rows.loc[chosen, "normalized_score"] += by
        return rows

    return change


@pytest.fixture
def a(tmp_path):
    return results(tmp_path, "a")


def test_the_same_are_the_same(tmp_path, a):
    comparison = compare(a, results(tmp_path, "b"))
    assert {one.verdict for one in comparison.differences} == {"same"}
    assert [one.difference for one in comparison.differences] == [0, 0, 0]
    assert comparison.fails("same") == []
    assert comparison.fails("better") == ["td3_bc on all datasets: not better"]


def test_another_draw_of_the_same_is_the_same(tmp_path, a):
    assert compare(a, results(tmp_path, "b", random_seed=1)).fails("same") == []


def test_better_everywhere(tmp_path, a):
    comparison = compare(a, results(tmp_path, "b", lifted(20)))
    assert {one.verdict for one in comparison.differences} == {"better"}
    assert comparison.fails("better") == []
    assert len(comparison.fails("same")) == 3
    overall = comparison.differences[-1]
    assert overall.dataset is None
    assert overall.difference == pytest.approx(20)
    low, high = overall.interval
    assert low < 20 < high


def test_better_over_all_but_worse_on_one(tmp_path, a):
    def mixed(rows):
        return lifted(-20, "pendulum-medium-v0")(lifted(60, "pendulum-expert-v0")(rows))

    reasons = compare(a, results(tmp_path, "b", mixed)).fails("better")
    assert reasons == ["td3_bc on pendulum-medium-v0: worse"]


def with_lucky_seeds(rows):
    """Seeds that do far better than others, whatever the algorithm."""
    rows["normalized_score"] += 30 * rows["seed"]
    return rows


def test_what_a_seed_does_to_both_cancels_out(tmp_path):
    a = results(tmp_path, "a", with_lucky_seeds)
    b = results(tmp_path, "b", lambda rows: with_lucky_seeds(lifted(5)(rows)), random_seed=1)
    assert compare(a, b, paired=False).fails("same") == []
    comparison = compare(a, b)
    assert comparison.paired
    assert {one.verdict for one in comparison.differences} == {"better"}
    assert "the t-test of pairs" in comparison_table(comparison).caption


def test_seeds_are_paired_only_where_they_stand_for_the_same(tmp_path, a):
    assert compare(a, a).paired
    assert not compare(a, results(tmp_path, "b", lambda rows: rows[rows["seed"] != 3])).paired
    assert not compare(a, results(tmp_path, "c", evaluation={"interval": 500, "episodes": 3})).paired
    other_tool = records.from_frame(a.frame.drop(columns="episode_returns"), "log.csv")
    assert not compare(a, other_tool).paired
    assert compare(a, other_tool, paired=True).paired
    with pytest.raises(HarnessError, match="have not the same seeds"):
        compare(a, results(tmp_path, "d", seeds=4), paired=True)


def test_a_missing_trial_unpairs_no_other_cell(tmp_path, a):
    def killed(rows):
        return rows[(rows["seed"] != 3) | (rows["dataset"] != "pendulum-medium-v0")]

    comparison = compare(a, results(tmp_path, "b", killed))
    assert comparison.paired
    cells = {one.dataset: one for one in comparison.differences}
    assert cells["pendulum-expert-v0"].interval == (0, 0)
    assert cells["pendulum-medium-v0"].verdict == cells[None].verdict == "unknown"


def test_p_values_are_welchs_with_holms_correction(tmp_path, a):
    b = results(tmp_path, "b", lifted(2), random_seed=1)
    raw = []
    for dataset in a.datasets:
        ours, theirs = (of.scores.loc[of.scores["dataset"] == dataset, "final"].to_numpy() for of in (a, b))
        raw.append(stats.ttest_ind(theirs, ours, equal_var=False).pvalue)
    expected = [min(1, 2 * min(raw)), max(min(1, 2 * min(raw)), max(raw))]
    found = [one.t_test for one in compare(a, b, paired=False).differences[:2]]
    assert sorted(found) == pytest.approx(sorted(expected))


@pytest.mark.parametrize(
    ("change", "settings", "words"),
    [
        (None, {"seeds": 2}, "B has 2 seeds, too few to test anything"),
        (lambda rows: rows[rows["seed"] != 3], {}, "B has 4 of 5 seeds"),
        (
            lambda rows: rows.assign(normalized_score=rows["normalized_score"].mask(rows["seed"] == 0)),
            {},
            "NaN",
        ),
    ],
)
def test_what_cannot_be_compared_holds_no_expectation(tmp_path, a, change, settings, words):
    comparison = compare(a, results(tmp_path, "b", change, **settings))
    assert {one.verdict for one in comparison.differences} == {"unknown"}
    for expectation, reasons in (("same", 2), ("better", 3)):  # better is so over all datasets
        assert all(words in reason for reason in comparison.fails(expectation))
        assert len(comparison.fails(expectation)) == reasons
    assert "unknown" in comparison_table(comparison).rows[0].cells[-1].plain()


def test_what_only_one_side_has_is_told(tmp_path, a):
    b = results(
        tmp_path, "b", algorithms=("td3_bc", "bc"), datasets=["pendulum-medium-v0", "pendulum-random-v0"]
    )
    comparison = compare(a, b)
    assert [one.dataset for one in comparison.differences] == ["pendulum-medium-v0"]
    assert "Only in A, not compared: pendulum-expert-v0." in comparison.notes
    assert "Only in B, not compared: bc, pendulum-random-v0." in comparison.notes
    assert comparison.fails("same")[0] == "B has no results of pendulum-expert-v0"


def test_an_algorithm_that_b_lacks_is_missed_unless_others_were_asked_for(tmp_path):
    a = results(tmp_path, "a", algorithms=("td3_bc", "td3", "bc"))
    frame = a.frame[a.frame["algorithm"] != "td3"].drop(columns="episode_returns")
    b = records.from_frame(pd.DataFrame(frame), "log.csv")
    assert compare(a, b).fails("same") == ["B has no results of td3"]
    assert compare(a, b, algorithms=["bc"]).fails("same") == []


def test_other_protocols_are_told(tmp_path, a):
    comparison = compare(a, results(tmp_path, "b", steps=5_000))
    assert any("protocols differ" in note for note in comparison.notes)
    assert "A is of 10,000 gradient steps, B of 5,000" in comparison.fails("same")
    assert "A is of 10,000 gradient steps, B of 5,000" in comparison.fails("better")


def test_normalized_scores_and_returns_have_no_common_mean(tmp_path):
    def without_references(rows):
        return rows.assign(
            normalized_score=rows["normalized_score"].mask(rows["dataset"] == "pendulum-medium-v0")
        )

    a = results(tmp_path, "a", without_references)
    medium, expert, overall = comparison_table(compare(a, a)).rows
    assert (medium.label, expert.label) == (
        "TD3+BC, pendulum-medium-v0 (return)",
        "TD3+BC, pendulum-expert-v0",
    )
    assert [cell.value for cell in overall.cells[:3]] == [None, None, None]
    assert "no scale common" in overall.cells[-1].plain()


def test_a_difference_that_no_table_shows_is_none(tmp_path, a):
    """Three seeds whose last bits differ alike would be told apart by any test."""
    tiny = compare(a, results(tmp_path, "b", lifted(-0.01)))
    assert [one.difference for one in tiny.differences] == pytest.approx([-0.01] * 3)
    assert max(one.t_test for one in tiny.differences) < 0.01
    assert tiny.fails("same") == []
    assert len(compare(a, results(tmp_path, "c", lifted(-0.1))).fails("same")) == 3


def test_returns_are_the_same_where_every_dataset_says_so(tmp_path):
    def returns(rows):
        return rows.assign(normalized_score=np.nan)

    a = results(tmp_path, "a", returns)
    assert set(a.metric.values()) == {"return_mean"}
    comparison = compare(a, results(tmp_path, "b", returns, random_seed=1))
    assert comparison.fails("same") == []
    assert comparison.fails("better")[0].startswith("td3_bc on all datasets: returns have no scale")


def test_names_may_be_spelt_otherwise(tmp_path):
    a = results(tmp_path, "a", algorithms=("td3_bc", "bc"))
    frame = a.frame.drop(columns="episode_returns")
    frame["algorithm"] = frame["algorithm"].astype(str).replace({"td3_bc": "TD3+BC", "bc": "BC"})
    comparison = compare(a, records.from_frame(pd.DataFrame(frame), "log.csv"))
    assert {one.algorithm for one in comparison.differences} == {"td3_bc", "bc"}
    assert comparison.fails("same") == []


def test_the_same_names_are_compared_with_each_other(tmp_path):
    frame = results(tmp_path, "a", algorithms=("td3_bc", "bc")).frame.drop(columns="episode_returns")
    frame["algorithm"] = frame["algorithm"].astype(str).replace({"td3_bc": "X", "bc": "x"})
    a = records.from_frame(pd.DataFrame(frame), "log.csv")
    comparison = compare(a, a)
    assert comparison.fails("same") == []
    assert comparison.notes == ()


def test_one_algorithm_each_is_compared_whatever_its_name(tmp_path, a):
    b = results(tmp_path, "b", algorithms=("bc",))
    comparison = compare(a, b)
    assert "td3_bc of A is compared with bc of B." in comparison.notes
    assert comparison.fails("better")


def test_nothing_in_common_is_refused(tmp_path):
    a = results(tmp_path, "a", algorithms=("td3_bc", "bc"))
    with pytest.raises(HarnessError, match="no dataset in common"):
        compare(a, results(tmp_path, "b", datasets=["pendulum-random-v0"]))
    others = {"mine": {"algorithm": "td3"}, "yours": {"algorithm": "td3"}}
    with pytest.raises(HarnessError, match="no algorithm in common"):
        compare(a, results(tmp_path, "c", algorithms=others))
    with pytest.raises(HarnessError, match="algorithm td3 is not in both"):
        compare(a, a, algorithms=["td3"])
