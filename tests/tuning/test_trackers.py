"""Weights & Biases and MLflow, offline."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.sweep import Sweep


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_both_mirror_a_run_without_a_network(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    mlflow = pytest.importorskip("mlflow")
    sweep = Sweep(
        tmp_path,
        environment={
            "WANDB_MODE": "offline",
            "WANDB_DIR": str(tmp_path),
            "WANDB_SILENT": "true",
            "HARNESS_TEST_STEP_SECONDS": "0",
        },
        datasets=["pendulum-expert-v0"],
        algorithms=["bc"],
        evaluation={"interval": 1500, "episodes": 3},
    )
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    run = ["run", str(sweep.file), "--output", sweep.target]
    sweep.finish(sweep.start(*run, "--wandb", "harness-test", "--mlflow", uri))

    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("faults")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 1
    for logged in runs:
        scores = client.get_metric_history(logged.info.run_id, "normalized_score")
        assert len(scores) == 2
        assert logged.info.status == "FINISHED"
    assert len(list(tmp_path.glob("wandb/offline-run-*/*.wandb"))) == 1
