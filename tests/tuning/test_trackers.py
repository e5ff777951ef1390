"""Weights & Biases and MLflow, offline."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from harness.trial import Trial
from harness.tuning.launch import Options
from harness.tuning.trackers import MlflowTracker, WandbTracker, make_trackers, parameters
from harness.tuning.tracking import Tracking
from tests.storage.make import experiment

TRIAL = Trial.model_validate(
    {
        "algorithm": "td3_bc",
        "dataset": "pendulum-expert-v0",
        "seed": 3,
        "hyperparameters": {"alpha": 0.5, "hidden_sizes": [16, 16]},
        "training": {"gradient_steps": 500},
    }
)


METRICS = {"return_mean": -1.0, "q1": 2.0}


def test_parameters_are_flat_and_name_the_trial() -> None:
    shown = parameters(TRIAL)
    assert shown["variant"] == "td3_bc"
    assert shown["algorithm"] == "td3_bc"
    assert shown["dataset"] == "pendulum-expert-v0"
    assert shown["seed"] == 3
    assert shown["alpha"] == 0.5
    assert shown["training.gradient_steps"] == 500
    assert shown["evaluation.episodes"] == 10
    assert not any(isinstance(value, dict) for value in shown.values())


class FakeClient:
    """The part of mlflow.MlflowClient that is in use, in memory."""

    def __init__(self, tracking_uri: str) -> None:
        self.runs: list[Any] = []

    def get_experiment_by_name(self, name: str) -> None:
        return None

    def create_experiment(self, name: str) -> str:
        return "1"

    def search_runs(self, experiments: list[str], filter_string: str, max_results: int) -> list[Any]:
        return [run for run in self.runs if run.tag in filter_string]

    def create_run(self, experiment: str, run_name: str, tags: dict[str, str]) -> Any:
        from types import SimpleNamespace

        info = SimpleNamespace(run_id=f"run{len(self.runs)}")
        run = SimpleNamespace(info=info, name=run_name, tag=tags[MlflowTracker.TAG], metrics=[], params={})
        self.runs.append(run)
        return run

    def log_batch(self, run_id: str, metrics: Any = (), params: Any = ()) -> None:
        (run,) = [run for run in self.runs if run.info.run_id == run_id]
        run.metrics += metrics
        run.params |= {param.key: param.value for param in params}

    def update_run(self, run_id: str, status: str) -> None:
        (run,) = [run for run in self.runs if run.info.run_id == run_id]
        run.status = status

    set_terminated = update_run

    def get_metric_history(self, run_id: str, name: str) -> list[Any]:
        (run,) = [run for run in self.runs if run.info.run_id == run_id]
        return [metric for metric in run.metrics if metric.key == name]


def test_mlflow_run_of_an_interrupted_trial_is_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setattr(mlflow, "MlflowClient", FakeClient)
    tracker = MlflowTracker("http://nowhere", "exp", "results/a")
    assert tracker.start(TRIAL) == -1
    tracker.log(TRIAL.key, 100, {"return_mean": 1.0, "odd:name": 2.0})
    tracker.end(TRIAL.key, "stopped")
    (run,) = tracker._client.runs
    assert run.status == "KILLED"
    assert run.params["alpha"] == "0.5"
    assert run.params["hidden_sizes"] == "[16, 16]"
    assert run.params["dataset"] == "pendulum-expert-v0"
    assert tracker.start(TRIAL) == 100
    tracker.log(TRIAL.key, 200, {"return_mean": 1.0})
    assert [metric.step for metric in run.metrics if metric.key == "return_mean"] == [100, 200]
    assert {metric.key for metric in run.metrics} == {"return_mean", "odd_name"}


def test_wandb_runs_are_separate_and_use_gradient_steps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wandb = pytest.importorskip("wandb")
    started: list[dict[str, Any]] = []
    logged: list[tuple[str, int]] = []

    class Run:
        step = 0

        def __init__(self, name: str) -> None:
            self.name = name

        def log(self, metrics: dict[str, float], step: int) -> None:
            logged.append((self.name, step))

        def finish(self, exit_code: int) -> None:
            logged.append((self.name, -exit_code))

    def init(**arguments: Any) -> Run:
        started.append(arguments)
        return Run(arguments["name"])

    monkeypatch.setattr(wandb, "init", init)
    tracker = WandbTracker("project", "exp", "results/a")
    other = TRIAL.model_copy(update={"seed": 4})
    assert [tracker.start(trial) for trial in (TRIAL, other)] == [-1, -1]
    for trial in (TRIAL, other):
        tracker.log(trial.key, 100, {"q1": 1.0})
    tracker.end(TRIAL.key, "finished")
    tracker.end(other.key, "failed")
    assert logged == [(TRIAL.key, 100), (other.key, 100), (TRIAL.key, 0), (other.key, -1)]
    assert [arguments["config"]["seed"] for arguments in started] == [3, 4]
    assert len({arguments["id"] for arguments in started}) == 2


@pytest.mark.slow
def test_trackers_log_runs_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb")
    mlflow = pytest.importorskip("mlflow")
    wandb.teardown()  # settings that an earlier test has loaded
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    program = (
        "import sys; from harness.tuning import launch, trackers; "
        "trackers.check(launch.Options(mlflow=sys.argv[1]))"
    )
    command = [sys.executable, "-W", "ignore", "-c", program, uri]
    checked = subprocess.run(command, check=True, capture_output=True, text=True)
    assert checked.stdout + checked.stderr == "", "MLflow prints when it creates its database"
    results = RunDirectory.prepare(open_store(tmp_path / "results"), experiment(), [])
    said: list[str] = []
    make = partial(make_trackers, "small", results.store.target, Options(wandb="harness-test", mlflow=uri))
    tracking = Tracking(make, said.append)
    trials = results.requested_trials()[:2]
    for trial in trials:
        for step in (500, 1000):
            tracking.log(trial, step, METRICS | {"normalized_score": 50.0})
        tracking.end(trial, "finished")
    tracking.close()
    assert said == []

    client = mlflow.MlflowClient(tracking_uri=uri)
    mirrored = client.get_experiment_by_name("small")
    runs = client.search_runs([mirrored.experiment_id], f"params.variant = '{trials[1].algorithm}'")
    assert len(runs) == 1
    scores = client.get_metric_history(runs[0].info.run_id, "normalized_score")
    assert [metric.step for metric in scores] == [500, 1000]
    assert runs[0].info.status == "FINISHED"
    assert len(list(tmp_path.glob("wandb/offline-run-*/*.wandb"))) == 2
