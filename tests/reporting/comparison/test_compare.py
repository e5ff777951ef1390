import numpy as np
import pandas as pd
import pytest
from scipy import stats

from harness.errors import HarnessError
from harness.reporting import reading
from harness.reporting.comparison import compare
from harness.reporting.reading import records
from harness.reporting.subset import narrowed
from harness.reporting.tables.comparison import comparison_table
from tests import synthetic


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


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_compare_bit_equal_results_are_identical_with_any_number_of_seeds(tmp_path, seeds):
    a = results(tmp_path, "a", seeds=seeds)
    comparison = compare(a, results(tmp_path, "b", seeds=seeds))
    assert {one.verdict for one in comparison.differences} == {"identical"}
    assert [one.difference for one in comparison.differences] == [0, 0, 0]
    for margin in (None, 5):
        assert compare(a, a, margin=margin).fails("same") == []
    assert comparison.caveat("same") == ""
    assert comparison.fails("better") == ["td3_bc on all datasets: not better (identical)"]
    caption = comparison_table(comparison).caption
    assert "Identical: every seed has the very same score" in caption
    assert "t-test" not in caption, "nothing was tested"


def test_compare_identical_scores_that_are_nan_are_shown_as_nan(tmp_path):
    def blank(rows):
        return rows.assign(normalized_score=rows["normalized_score"].mask(rows["seed"] == 0))

    a = results(tmp_path, "a", blank)
    cells = comparison_table(compare(a, a)).rows[0].cells
    assert [cell.plain() for cell in cells[:4]] == ["NaN", "NaN", "0.0", "identical"]


def test_compare_one_last_bit_is_not_identical(tmp_path, a):
    def nudged(rows):
        return rows.assign(normalized_score=np.nextafter(rows["normalized_score"], np.inf))

    verdicts = {one.verdict for one in compare(a, results(tmp_path, "b", nudged)).differences}
    assert verdicts == {"no difference found"}


def test_compare_another_draw_finds_no_difference_and_says_what_that_shows(tmp_path, a):
    b = results(tmp_path, "b", random_seed=1)
    comparison = compare(a, b)
    assert {one.verdict for one in comparison.differences} == {"no difference found"}
    assert comparison.fails("same") == []
    assert "does not show that there is none: the interval of td3_bc on" in comparison.caveat("same")
    assert comparison.caveat("better") == ""
    assert "not evidence" in comparison_table(comparison).caption


def test_compare_with_a_margin_same_is_claimed_only_by_an_equivalence_test(tmp_path, a):
    b = results(tmp_path, "b", random_seed=1)
    wide = compare(a, b, margin=20)
    assert {one.verdict for one in wide.differences} == {"same"}
    assert wide.fails("same") == []
    narrow = compare(a, b, margin=0.01)
    assert {one.verdict for one in narrow.differences} == {"no difference found"}
    assert all("not shown to be within 0.01 points (" in reason for reason in narrow.fails("same"))
    assert len(narrow.fails("same")) == 3
    assert narrow.caveat("same") == ""
    assert "p TOST" in [column.label for column in comparison_table(narrow).columns]


def test_compare_a_real_difference_within_the_margin_is_the_same(tmp_path, a):
    lifted_a_little = results(tmp_path, "b", lifted(1))
    assert {one.verdict for one in compare(a, lifted_a_little).differences} == {"better"}
    assert {one.verdict for one in compare(a, lifted_a_little, margin=5).differences} == {"same"}


def test_compare_a_margin_does_not_apply_to_returns(tmp_path):
    def returns(rows):
        return rows.assign(normalized_score=np.nan)

    a = results(tmp_path, "a", returns)
    comparison = compare(a, results(tmp_path, "b", returns, random_seed=1), margin=1e9)
    cell = comparison.differences[0]
    assert np.isnan(cell.equivalence)
    assert cell.verdict == "no difference found"
    assert "TOST" not in comparison_table(comparison).caption
    assert all("--margin applies to normalized scores" in reason for reason in comparison.fails("same"))


def test_compare_lifted_scores_are_better_everywhere(tmp_path, a):
    comparison = compare(a, results(tmp_path, "b", lifted(20)))
    assert {one.verdict for one in comparison.differences} == {"better"}
    assert comparison.fails("better") == []
    assert len(comparison.fails("same")) == 3
    overall = comparison.differences[-1]
    assert overall.dataset is None
    assert overall.difference == pytest.approx(20)
    assert overall.interval == pytest.approx((20, 20))


def test_compare_worse_on_one_dataset_fails_better(tmp_path, a):
    def mixed(rows):
        return lifted(-20, "pendulum-medium-v0")(lifted(60, "pendulum-expert-v0")(rows))

    reasons = compare(a, results(tmp_path, "b", mixed)).fails("better")
    assert reasons == ["td3_bc on pendulum-medium-v0: worse"]


def with_lucky_seeds(rows):
    """Seeds that do far better than others, whatever the algorithm."""
    rows["normalized_score"] += 30 * rows["seed"]
    return rows


def test_compare_paired_cancels_what_a_seed_does_to_both(tmp_path):
    a = results(tmp_path, "a", with_lucky_seeds)
    b = results(tmp_path, "b", lambda rows: with_lucky_seeds(lifted(5)(rows)), random_seed=1)
    assert compare(a, b, paired=False).fails("same") == []
    comparison = compare(a, b)
    assert comparison.paired
    assert {one.verdict for one in comparison.differences} == {"better"}
    assert "the paired t-test" in comparison_table(comparison).caption


def test_compare_pairs_only_seeds_that_stand_for_the_same(tmp_path, a):
    assert compare(a, a).paired
    assert not compare(a, results(tmp_path, "b", lambda rows: rows[rows["seed"] != 3])).paired
    assert not compare(a, results(tmp_path, "c", evaluation={"interval": 500, "episodes": 3})).paired
    other_tool = records.from_frame(a.frame.drop(columns="episode_returns"), "log.csv")
    assert not compare(a, other_tool).paired
    assert compare(a, other_tool, paired=True).paired
    with pytest.raises(HarnessError, match="--paired requires the same seeds"):
        compare(a, results(tmp_path, "d", seeds=4), paired=True)


def test_compare_a_missing_trial_unpairs_no_other_cell(tmp_path, a):
    def killed(rows):
        return rows[(rows["seed"] != 3) | (rows["dataset"] != "pendulum-medium-v0")]

    comparison = compare(a, results(tmp_path, "b", killed))
    assert comparison.paired
    cells = {one.dataset: one for one in comparison.differences}
    assert cells["pendulum-expert-v0"].verdict == "identical"
    assert cells["pendulum-medium-v0"].verdict == cells[None].verdict == "unknown"


def test_compare_p_values_are_welchs_with_holms_correction(tmp_path, a):
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
        (None, {"seeds": 2}, "B has fewer than 3 seeds"),
        (lambda rows: rows[rows["seed"] != 3], {}, "B has 4 of 5 seeds"),
        (
            lambda rows: rows.assign(normalized_score=rows["normalized_score"].mask(rows["seed"] == 0)),
            {},
            "NaN",
        ),
    ],
)
def test_compare_what_cannot_be_tested_fails_every_expectation(tmp_path, a, change, settings, words):
    comparison = compare(a, results(tmp_path, "b", change, **settings))
    assert {one.verdict for one in comparison.differences} == {"unknown"}
    for expectation, reasons in (("same", 2), ("better", 3)):  # better is so over all datasets
        assert all(words in reason for reason in comparison.fails(expectation))
        assert len(comparison.fails(expectation)) == reasons
    assert "unknown" in comparison_table(comparison).rows[0].cells[3].plain()


def test_compare_names_what_only_one_side_has(tmp_path, a):
    b = results(
        tmp_path, "b", algorithms=("td3_bc", "bc"), datasets=["pendulum-medium-v0", "pendulum-random-v0"]
    )
    comparison = compare(a, b)
    assert [one.dataset for one in comparison.differences] == ["pendulum-medium-v0"]
    assert "Only in A, not compared: pendulum-expert-v0." in comparison.notes
    assert "Only in B, not compared: bc, pendulum-random-v0." in comparison.notes
    assert comparison.fails("same")[0] == "B has no results of pendulum-expert-v0"


def test_compare_a_variant_that_b_lacks_fails_unless_others_were_asked_for(tmp_path):
    a = results(tmp_path, "a", algorithms=("td3_bc", "td3", "bc"))
    frame = a.frame[a.frame["algorithm"] != "td3"].drop(columns="episode_returns")
    b = records.from_frame(pd.DataFrame(frame), "log.csv")
    assert compare(a, b).fails("same") == ["B has no results of td3"]
    assert compare(narrowed(a, ["algorithm=bc"]), b).fails("same") == []


def test_compare_notes_other_protocols(tmp_path, a):
    comparison = compare(a, results(tmp_path, "b", steps=5_000))
    assert any("protocols differ" in note for note in comparison.notes)
    assert "A was trained for 10,000 gradient steps, B for 5,000" in comparison.fails("same")
    assert "A was trained for 10,000 gradient steps, B for 5,000" in comparison.fails("better")


def test_compare_normalized_scores_and_returns_have_no_common_mean(tmp_path):
    def without_references(rows):
        return rows.assign(
            normalized_score=rows["normalized_score"].mask(rows["dataset"] == "pendulum-medium-v0")
        )

    a = results(tmp_path, "a", without_references)
    medium, expert, overall = comparison_table(compare(a, a)).rows
    assert (medium.label, expert.label) == (
        "TD3+BC, Pendulum medium (return)",
        "TD3+BC, Pendulum expert",
    )
    assert [cell.value for cell in overall.cells[:2]] == [None, None]
    assert overall.cells[3].plain() == "identical"
    other = compare(a, results(tmp_path, "b", without_references, random_seed=1)).differences[-1]
    assert other.reason == "returns have no scale common to all datasets"


def test_compare_a_difference_that_rounds_to_0_counts_as_none(tmp_path, a):
    """Any test finds seeds that all differ alike, however little."""
    tiny = compare(a, results(tmp_path, "b", lifted(-0.01)))
    assert [one.difference for one in tiny.differences] == pytest.approx([-0.01] * 3)
    assert max(one.t_test for one in tiny.differences) < 0.01
    assert tiny.fails("same") == []
    assert len(compare(a, results(tmp_path, "c", lifted(-0.1))).fails("same")) == 3


def test_compare_returns_pass_same_without_a_common_mean(tmp_path):
    def returns(rows):
        return rows.assign(normalized_score=np.nan)

    a = results(tmp_path, "a", returns)
    assert not a.normalized
    comparison = compare(a, results(tmp_path, "b", returns, random_seed=1))
    assert comparison.fails("same") == []
    assert comparison.fails("better")[0].startswith("td3_bc on all datasets: returns have no scale")


def test_compare_matches_other_spellings(tmp_path):
    a = results(tmp_path, "a", algorithms=("td3_bc", "bc"))
    frame = a.frame.drop(columns="episode_returns")
    frame["algorithm"] = frame["algorithm"].astype(str).replace({"td3_bc": "TD3+BC", "bc": "BC"})
    comparison = compare(a, records.from_frame(pd.DataFrame(frame), "log.csv"))
    assert {one.variant for one in comparison.differences} == {"td3_bc", "bc"}
    assert comparison.fails("same") == []


def test_compare_prefers_the_same_spelling(tmp_path):
    frame = results(tmp_path, "a", algorithms=("td3_bc", "bc")).frame.drop(columns="episode_returns")
    frame["algorithm"] = frame["algorithm"].astype(str).replace({"td3_bc": "X", "bc": "x"})
    a = records.from_frame(pd.DataFrame(frame), "log.csv")
    comparison = compare(a, a)
    assert comparison.fails("same") == []
    assert comparison.notes == ()


def test_compare_one_variant_each_whatever_their_names(tmp_path, a):
    b = results(tmp_path, "b", algorithms=("bc",))
    comparison = compare(a, b)
    assert "td3_bc of A is compared with bc of B." in comparison.notes
    assert comparison.fails("better")


def test_compare_nothing_in_common_is_rejected(tmp_path):
    a = results(tmp_path, "a", algorithms=("td3_bc", "bc"))
    with pytest.raises(HarnessError, match="no dataset in common"):
        compare(a, results(tmp_path, "b", datasets=["pendulum-random-v0"]))
    others = {"mine": {"algorithm": "td3"}, "yours": {"algorithm": "td3"}}
    with pytest.raises(HarnessError, match="no algorithm in common"):
        compare(a, results(tmp_path, "c", algorithms=others))
