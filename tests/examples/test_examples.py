"""Tests of the other examples, with fewer gradient steps; `make test` runs the whole notebook."""

import importlib.util
import json
from pathlib import Path

from harness import experiment_file
from harness.testing import check_algorithm
from harness.training import Trainer

EXAMPLES = Path(__file__).parents[2] / "examples"


def module(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_train_example_plots_curves(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    example = module("train_and_plot")
    monkeypatch.setattr(example, "GRADIENT_STEPS", 10)
    example.main()
    assert (tmp_path / "learning_curves.png").read_bytes().startswith(b"\x89PNG")
    assert "after 10 gradient steps" in capsys.readouterr().out


def test_own_algorithm_example_passes_check_algorithm():
    check_algorithm(module("filtered_cloning").FilteredCloning, {"batch_size": 32}, improves=False)


def test_own_algorithm_example_trains_in_its_experiment(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    changes = ["training.gradient_steps=4", "evaluation.interval=4", "evaluation.episodes=1"]
    trials = experiment_file.load(EXAMPLES / "filtered_cloning.yaml", changes).trials()
    (evaluation,) = Trainer(next(trial for trial in trials if trial.algorithm == "filtered_cloning"))
    assert set(evaluation.metrics) == {"critic_loss", "actor_loss", "kept"}


def test_notebook_has_no_outputs():
    notebook = json.loads((EXAMPLES / "tour.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
