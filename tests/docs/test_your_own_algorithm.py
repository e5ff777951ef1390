"""Tests of the code on the page on adding an algorithm."""

import re
import sys
from pathlib import Path

import pytest

from harness import experiment_file
from harness.testing import check_algorithm
from harness.training import Trainer

PAGE = (Path(__file__).parents[2] / "docs" / "your-own-algorithm.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Write the page's files into a folder of importable modules."""
    (tmp_path / "awr.py").write_text(blocks("python")[0])
    (tmp_path / "awr.yaml").write_text(blocks("yaml")[0])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("awr", None)


@pytest.mark.usefixtures("folder")
def test_algorithm_of_the_page_passes_its_check():
    import awr

    assert blocks("python")[1].strip().endswith("check_algorithm(AWR)")
    check_algorithm(awr.AWR, gradient_steps=400)


def test_experiment_of_the_page_trains(folder):
    experiment = experiment_file.load(
        folder / "awr.yaml", ["training.gradient_steps=16", "evaluation.interval=16", "evaluation.episodes=1"]
    )
    trial = next(trial for trial in experiment.trials() if trial.algorithm == "awr-cold")
    assert trial.hyperparameters.model_dump()["temperature"] == 0.3
    (evaluation,) = Trainer(trial)
    assert set(evaluation.metrics) == {"value_loss", "actor_loss", "weight"}


def test_rules_name_attributes_of_a_learner():
    from harness.algorithms import AutogradLearner

    for name in re.findall(r"`self\.([a-z_]+)\(", PAGE):
        if name not in ("critics", "value", "actor"):
            assert hasattr(AutogradLearner, name), name
