"""Tests that the experiment files in the repository name existing datasets, algorithms and settings."""

from pathlib import Path

import pytest

from harness import experiment_file
from harness.algorithms.registry import BUILT_IN

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_experiments_in_the_repository_load(path, monkeypatch):
    monkeypatch.syspath_prepend(str(EXPERIMENTS))
    experiment = experiment_file.load(path)
    assert experiment.name == path.stem
    assert experiment.trials()


@pytest.mark.parametrize("version", ["v0", "v2"])
def test_baselines_have_the_settings_of_each_dataset(version):
    experiment = experiment_file.load(EXPERIMENTS / f"d4rl-gym-mujoco-{version}-baselines.yaml", seeds="1")
    trials = {(trial.algorithm, trial.dataset.name): trial for trial in experiment.trials()}
    rebrac = trials["rebrac", f"hopper-medium-replay-{version}"].hyperparameters.model_dump()
    assert (rebrac["actor_penalty"], rebrac["critic_penalty"]) == (0.05, 0.5)
    assert all(
        trial.hyperparameters.model_dump()["actor_penalty"] <= 0.1
        for trial in trials.values()
        if trial.algorithm == "rebrac"
    )
    assert trials["edac", f"hopper-medium-{version}"].hyperparameters.model_dump()["critics"] == 50
    assert trials["edac", f"walker2d-medium-expert-{version}"].hyperparameters.model_dump()["eta"] == 5.0
    assert trials["iql", f"hopper-medium-{version}"].data.rewards == "return_range"
    assert trials["cql", f"hopper-medium-{version}"].data.rewards == "return_range"
    assert trials["iql", f"walker2d-medium-{version}"].data.rewards == "as_is"
    assert trials["bc-10", f"walker2d-medium-{version}"].data.best_episodes == 0.1


def test_pendulum_has_every_built_in_algorithm():
    experiment = experiment_file.load(EXPERIMENTS / "pendulum.yaml")
    assert {settings.algorithm for settings in experiment.algorithms.values()} == set(BUILT_IN)
