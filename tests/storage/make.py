from __future__ import annotations

from typing import Any

import pytest

from harness.experiment import Experiment
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import Store
from harness.trial import Trial

in_every_store = pytest.mark.parametrize("store", ["directory", "memory", "s3"], indirect=True)
"""Marks tests of behaviour that depends on the store."""


def experiment(**changes: Any) -> Experiment:
    raw = {
        "name": "small",
        "datasets": ["pendulum-expert-v0"],
        "algorithms": ["td3_bc", "bc"],
        "seeds": 2,
        "training": {"gradient_steps": 1000},
        "evaluation": {"interval": 500, "episodes": 2},
    }
    return Experiment.model_validate(raw | changes)


def rows(trial: Trial, scale: float = 1.0) -> list[dict[str, Any]]:
    return [
        {
            "step": step,
            "return_mean": scale * (step / 7 + trial.seed),
            "return_std": 0.5,
            "normalized_score": scale * step / 100,
            "episode_returns": [scale * (step / 7 + trial.seed) + change for change in (-0.5, 0.5)],
            "train_seconds": 1.5,
            "evaluation_seconds": 0.5,
            "actor_loss": -0.25,
            **({} if trial.algorithm == "bc" else {"q1": 1 / 3}),
        }
        for step in (500, 1000)
    ]


def finish(results: RunDirectory, trial: Trial) -> None:
    record = results.record(trial)
    record.claim(1, 0)
    record.commit_result(result(trial))


def result(trial: Trial) -> dict[str, Any]:
    return {
        "algorithm": trial.algorithm,
        "dataset": trial.dataset.name,
        "seed": trial.seed,
        "rows": rows(trial),
        "dataset_digest": "0" * 64,
        "transitions": 10,
        "environment": "Pendulum-v1",
    }


def prepared(store: Store, **changes: Any) -> RunDirectory:
    results = RunDirectory.prepare(store, experiment(**changes), [])
    results.save()
    return results
