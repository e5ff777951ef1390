import pytest

from harness import experiment_file, trial_selection
from harness.errors import HarnessError


def trials(sweep=""):
    text = """
name: tiny
datasets: [pendulum-random-v0, pendulum-expert-v0]
algorithms: [td3_bc, bc]
seeds: 2
"""
    return experiment_file.parse(f"{text}{sweep}", "tiny.yaml").trials()


def test_select_by_conditions_returns_trials():
    chosen = trial_selection.select(trials(), ["algorithm=bc", "dataset=pendulum-expert-v0", "seed=1"])
    assert [trial.key for trial in chosen] == ["bc--pendulum-expert-v0--1"]
    assert len(trial_selection.select(trials(), ["algorithm=bc,td3_bc"])) == len(trials())
    assert len(trial_selection.select(trials(), ["seed=0", "seed=1"])) == len(trials())


def test_select_of_a_variant_of_two_settings_by_its_name():
    swept = trials("sweep: {algorithms.td3_bc.alpha: [1, 2], algorithms.td3_bc.policy_freq: [1, 2]}")
    chosen = trial_selection.select(swept, ["algorithm=td3_bc@alpha=1,policy_freq=2", "algorithm=bc"])
    assert {trial.algorithm for trial in chosen} == {"td3_bc@alpha=1,policy_freq=2", "bc"}
    with pytest.raises(HarnessError, match="no algorithm td3_bc@alpha=3"):
        trial_selection.select(swept, ["algorithm=td3_bc@alpha=3,policy_freq=2"])


def test_select_of_a_swept_algorithm_returns_all_its_variants():
    swept = trials("sweep: {algorithms.td3_bc.alpha: [1, 2]}")
    chosen = trial_selection.select(swept, ["algorithm=td3_bc"])
    assert {trial.algorithm for trial in chosen} == {"td3_bc@alpha=1", "td3_bc@alpha=2"}


@pytest.mark.parametrize("condition", ["algorithm=ppo", "bc", "learner=bc", "seed=9", "dataset="])
def test_select_of_nothing_raises_one_line(condition):
    with pytest.raises(HarnessError, match="--only"):
        trial_selection.select(trials(), [condition])
