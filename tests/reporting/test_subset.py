"""The trials that `--only` selects."""

import pytest

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.reading import records
from harness.reporting.subset import narrowed
from harness.reporting.tables import make_table, score_table
from tests import synthetic


def test_select_without_conditions_returns_the_results(results):
    assert narrowed(results, []) is results


def test_select_leaves_scores_unchanged_and_names_itself(results):
    some = narrowed(results, ["algorithm=bc,td3", "dataset=pendulum-medium-v0", "seed=0,2"])
    assert (some.algorithms, some.datasets) == (["td3", "bc"], ["pendulum-medium-v0"])
    assert some.expected_seeds == 2
    assert some.missing == []
    whole = results.seed_scores("final")["bc", "pendulum-medium-v0"]
    assert some.seed_scores("final")["bc", "pendulum-medium-v0"].equals(whole.loc[[0, 2]])
    notes = score_table(some).notes
    assert "Selected: algorithm bc, td3; dataset pendulum-medium-v0; seed 0, 2." in notes[0]
    assert "over 2 seeds" in captions.scores(some, "final")


def test_total_of_selected_datasets_counts_them(results):
    chosen = narrowed(results, ["dataset=pendulum-medium-v0,pendulum-expert-v0"])
    assert score_table(chosen).rows[-1].label == "Total of 2 selected datasets"


@pytest.mark.parametrize(
    ("condition", "words"),
    [("algorithm=cql", "no algorithm cql"), ("seed=9", "no seed 9"), ("bc", "algorithm=NAME")],
)
def test_select_of_an_unmet_condition_names_the_results(results, condition, words):
    with pytest.raises(HarnessError, match=words) as error:
        narrowed(results, [condition])
    assert str(error.value).startswith(results.source)


def test_select_of_a_trial_that_is_unfinished_in_a_file_stays_unfinished():
    rows = synthetic.frame(synthetic.experiment(steps=2_000))
    cut = rows[(rows["seed"] != 1) | (rows["step"] <= 1_000)]
    some = narrowed(records.from_frame(cut, "log.csv"), ["seed=1"])
    assert len(some.finished) == 0
    assert "at step 1,000 of 2,000" in some.missing[0]


def test_select_of_a_dataset_in_a_file_states_the_steps_of_that_dataset():
    rows = synthetic.frame(synthetic.experiment(steps=2_000))
    shorter = rows[(rows["dataset"] != "pendulum-medium-v0") | (rows["step"] <= 1_000)]
    some = narrowed(records.from_frame(shorter, "log.csv"), ["dataset=pendulum-medium-v0"])
    assert captions.protocol(some).startswith("1,000 gradient steps")


def test_select_of_a_swept_algorithm_takes_its_variants(sweep):
    assert len(narrowed(sweep, ["algorithm=td3_bc"]).algorithms) == 3
    one = narrowed(sweep, ["algorithm=td3_bc@alpha=1,bc"])
    assert one.algorithms == ["td3_bc@alpha=1", "bc"]
    assert list(one.searches["td3_bc"].samples) == ["td3_bc@alpha=1"]


def test_select_narrows_the_experiment_and_all_tables(results):
    some = narrowed(results, ["seed=1"])
    assert some.experiment.seeds == (1,)
    assert [column.label for column in make_table("seeds", some, "final").columns] == ["Seed 1"]
