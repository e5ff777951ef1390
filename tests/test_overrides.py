"""Tests of overrides of hyper-parameters and data settings."""

import pytest

from harness import experiment_file
from harness.datasets.settings import RewardScaling
from harness.errors import HarnessError
from tests.test_experiment import MINIMAL, parse


def settings(text):
    return {
        (trial.algorithm, trial.dataset.name): (trial.hyperparameters.model_dump(), trial.data)
        for trial in parse(MINIMAL + text).trials()
    }


def test_override_of_an_algorithm_on_a_dataset_changes_only_those_trials():
    found = settings(
        "overrides: [{algorithm: td3_bc, dataset: pendulum-expert-v0, hyperparameters: {alpha: 7}}]"
    )
    alphas = {key: values["alpha"] for key, (values, _) in found.items() if "alpha" in values}
    assert alphas == {("td3_bc", "pendulum-random-v0"): 2.5, ("td3_bc", "pendulum-expert-v0"): 7.0}


def test_override_without_a_dataset_or_an_algorithm_changes_all():
    found = settings(
        "overrides:\n"
        "  - {algorithm: bc, data: {best_episodes: 0.1}}\n"
        "  - {dataset: pendulum-expert-v0, hyperparameters: {batch_size: 64}}"
    )
    assert {key for key, (_, data) in found.items() if data.best_episodes == 0.1} == {
        ("bc", "pendulum-random-v0"),
        ("bc", "pendulum-expert-v0"),
    }
    assert {key for key, (values, _) in found.items() if values["batch_size"] == 64} == {
        ("bc", "pendulum-expert-v0"),
        ("td3_bc", "pendulum-expert-v0"),
    }


def test_later_overrides_take_precedence_and_keep_other_settings():
    found = settings(
        "data: {timeout_steps: keep}\n"
        "overrides:\n"
        "  - {algorithm: td3_bc, hyperparameters: {alpha: 7, tau: 0.1}, data: {rewards: {shift: -1}}}\n"
        "  - {algorithm: td3_bc, dataset: pendulum-expert-v0, hyperparameters: {alpha: 8}}"
    )
    values, data = found["td3_bc", "pendulum-expert-v0"]
    assert (values["alpha"], values["tau"]) == (8.0, 0.1)
    assert (data.timeout_steps, data.rewards) == ("keep", RewardScaling(shift=-1))
    assert found["bc", "pendulum-expert-v0"][1].rewards == "as_is"


def test_override_applies_to_every_variant_of_a_sweep_or_to_one():
    found = settings(
        "sweep: {algorithms.td3_bc.alpha: [1, 2]}\n"
        "overrides:\n"
        "  - {algorithm: td3_bc, hyperparameters: {tau: 0.1}}\n"
        "  - {algorithm: td3_bc@alpha=2, hyperparameters: {tau: 0.2}}"
    )
    assert found["td3_bc@alpha=1", "pendulum-expert-v0"][0]["tau"] == 0.1
    assert found["td3_bc@alpha=2", "pendulum-expert-v0"][0]["tau"] == 0.2


def test_trials_that_differ_by_an_override_do_not_share_a_pack():
    trials = parse(
        MINIMAL + "overrides: [{dataset: pendulum-expert-v0, hyperparameters: {batch_size: 64}}]"
    ).trials()
    assert len({trial.pack_settings for trial in trials}) == 4


def test_overrides_are_kept_in_the_resolved_file():
    experiment = parse(MINIMAL + "overrides: [{algorithm: bc, data: {best_episodes: 0.1}}]")
    assert experiment_file.parse(experiment_file.dump(experiment), "resolved").trials() == experiment.trials()


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        (
            "{algorithm: td3bc, hyperparameters: {tau: 1}}",
            "overrides.0: no algorithm td3bc; did you mean td3_bc",
        ),
        (
            "{dataset: hopper, hyperparameters: {tau: 1}}",
            "overrides.0: no dataset hopper; there are pendulum-ran",
        ),
        ("{algorithm: bc}", "overrides.0: it changes nothing; give hyperparameters or data"),
        (
            "{algorithm: bc, hyperparameters: {algorithm: td3}}",
            "overrides.0: the algorithm cannot be overridden",
        ),
        (
            "{algorithm: td3_bc, hyperparameters: {alpah: 1}}",
            r"unknown key overrides.0.hyperparameters.alpah; did you mean alpha",
        ),
        ("{hyperparameters: {alpha: 1}}", "unknown key overrides.0.hyperparameters.alpha"),
        ("{algorithm: bc, data: {rewards: none}}", "overrides.0.data.rewards: must be 'as_is' or "),
        ("{algorithm: bc, data: {reward: as_is}}", "unknown key overrides.0.data.reward"),
        ("{algorithm: bc, seeds: 3}", "unknown key overrides.0.seeds"),
        (
            "{algorithm: td3_bc, hyperparameters: {tau: 1}}",
            "overrides.0 replaces algorithms.td3_bc.tau, which the sweep varies; remove one",
        ),
        (
            "{dataset: pendulum-expert-v0, hyperparameters: {precision: tf32}}",
            "precision tf32 requires a GPU",
        ),
    ],
)
def test_invalid_override_raises_one_line(override, complaint):
    with pytest.raises(HarnessError, match=complaint) as error:
        parse(MINIMAL + f"sweep: {{algorithms.td3_bc.tau: [0.1]}}\noverrides: [{override}]")
    assert "\n" not in str(error.value)


def test_command_line_changes_and_adds_to_overrides(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(MINIMAL + "overrides: [{algorithm: td3_bc, hyperparameters: {alpha: 7}}]")
    changed = ["overrides.0.hyperparameters.alpha=8", "overrides.0.hyperparameters.tau=0.1"]
    (override,) = experiment_file.load(path, changed).overrides
    assert override.hyperparameters == {"alpha": 8, "tau": 0.1}
