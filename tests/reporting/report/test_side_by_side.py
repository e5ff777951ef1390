import pytest

from harness.reporting import reading
from harness.reporting.report.side_by_side import distinct_names, join, shared_curves, verdicts
from harness.reporting.tables import FORMATS
from harness.reporting.tables.joint import joint_table
from tests import synthetic

DATASETS = ["pendulum-medium-v0", "pendulum-expert-v0"]


def made(folder, name, random_seed=0, drop=None, **settings):
    experiment = synthetic.experiment(**settings).model_copy(update={"name": name})
    rows = synthetic.frame(experiment, random_seed)
    kept = rows[~drop(rows)] if drop else rows
    return reading.load(synthetic.write(folder / name, experiment, kept))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    first = made(folder, "first", algorithms=("td3_bc", "bc"), datasets=DATASETS)
    short = made(folder, "short", 1, algorithms=("td3_bc",), datasets=DATASETS[:1], steps=5_000)
    return first, short


def test_joint_table_groups_the_variants_of_each(both):
    table = joint_table(dict(zip(("first", "short"), both, strict=True)))
    assert [(column.group, column.label) for column in table.columns] == [
        ("first", "TD3+BC"),
        ("first", "BC"),
        ("short", "TD3+BC"),
    ]
    medium, expert = table.rows
    assert medium.cells[0].value == pytest.approx(both[0].seed_scores("final")["td3_bc", DATASETS[0]].mean())
    assert expert.cells[2].value is None
    assert any("5,000 gradient steps" in note for note in table.notes), "the protocols differ"
    assert "td3_bc" in FORMATS["csv"](table)


def test_joint_table_has_a_mean_over_shared_datasets_alone(tmp_path, both):
    other = made(tmp_path, "other", 2, algorithms=("bc",), datasets=[*DATASETS, "pendulum-random-v0"])
    table = joint_table({"first": both[0], "other": other})
    total = table.rows[-1]
    assert total.label == "Mean of 2 shared datasets"
    first, second = (row.cells[0].value for row in table.rows if row.key in DATASETS)
    assert total.cells[0].value == pytest.approx((first + second) / 2)


def test_joint_table_marks_missing_seeds_and_does_not_call_them_best(tmp_path, both):
    lucky = made(
        tmp_path, "lucky", 3, lambda rows: rows["seed"] == 0, algorithms=("td3_bc",), datasets=DATASETS
    )
    table = joint_table({"first": both[0], "lucky": lucky})
    cell = table.rows[0].cells[2]
    assert cell.mark == "2/3 seeds"
    assert not cell.emphasis.value


def test_join_keeps_runs_of_different_lengths_and_names_each(both):
    joined = join(both, DATASETS[:1])
    assert set(joined.algorithms) == {"first: TD3+BC", "first: BC", "short: TD3+BC"}
    assert len(joined.finished) == 9


def test_verdicts_compare_each_with_the_first(both):
    ((title, summary, table),) = verdicts(["first", "short"], both, "final")
    assert title == "short (B) against first (A)"
    assert summary.startswith("B on single datasets: 1 ")
    assert table is not None


def test_shared_curves_are_drawn_of_shared_datasets(both):
    assert shared_curves(both, "final") is not None


def test_shared_curves_of_different_intervals_of_evaluation_are_drawn(tmp_path, both):
    other = made(tmp_path, "other", algorithms=("bc",), datasets=DATASETS, interval=2_500)
    assert shared_curves([both[0], other], "final") is not None


def test_results_without_a_common_dataset_are_not_compared(tmp_path, both):
    other = made(tmp_path, "other", datasets=["pendulum-random-v0"])
    assert shared_curves([both[0], other], "final") is None
    ((_, summary, table),) = verdicts(["first", "other"], [both[0], other], "final")
    assert table is None
    assert "no dataset in common" in summary


def test_distinct_names_tells_results_of_one_name_by_their_folders(both):
    assert distinct_names(both) == ["first", "short"]
    assert distinct_names([both[0], both[0]]) == ["first (first) #1", "first (first) #2"]
