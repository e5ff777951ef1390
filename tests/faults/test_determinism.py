"""Tests that trials of the real trainer are bit-identical wherever and whenever they run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from tests.faults.sweep import Sweep, cluster, kill, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(900)]

SMALL: dict[str, Any] = {
    "datasets": ["pendulum-medium-replay-v0", "pendulum-expert-v0"],
    "algorithms": {"td3_bc": {"hidden_sizes": [64, 64]}, "bc": {"hidden_sizes": [64, 64]}},
    "seeds": 2,
    "training": {"gradient_steps": 400},
    "evaluation": {"interval": 100, "episodes": 2},
    "resources": {"checkpoint_seconds": 0},
}
Bits = dict[str, tuple[Any, ...]]


def make(folder: Path, **changes: Any) -> Sweep:
    return Sweep(folder, real=True, **SMALL | changes)


def bits(sweep: Sweep) -> Bits:
    """Return every evaluation, weight, target, moment of the optimisers and counter of each trial."""
    results = RunDirectory.load(open_store(sweep.target))
    found = {}
    for trial in results.requested_trials():
        record = results.record(trial)
        content = record.result()
        assert content is not None
        rows = [{k: v for k, v in row.items() if not k.endswith("_seconds")} for row in content["rows"]]
        newest = record.checkpoints()[0]
        state = torch.load(Path(sweep.target) / record.name(newest.name), weights_only=True)["learner"]
        found[trial.key] = (rows, {name: as_bytes(value) for name, value in state.items()})
    return found


def as_bytes(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.numpy().tobytes()
    if isinstance(value, dict):
        return {key: as_bytes(inner) for key, inner in value.items()}
    return [as_bytes(inner) for inner in value] if isinstance(value, list | tuple) else value


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Bits:
    sweep = make(tmp_path_factory.mktemp("whole"))
    sweep.finish(sweep.start())
    found = bits(sweep)
    assert len(found) == 8
    return found


def test_results_of_a_trial_run_alone_are_identical(tmp_path: Path, whole: Bits) -> None:
    sweep = make(tmp_path)
    conditions = ["--only", "algorithm=td3_bc", "--only", "seed=1", "--only", "dataset=pendulum-expert-v0"]
    sweep.finish(sweep.start("run", str(sweep.file), "--output", sweep.target, *conditions))
    alone = bits(sweep)
    assert list(alone) == ["td3_bc--pendulum-expert-v0--1"]
    assert alone.items() <= whole.items()


def test_results_of_trials_run_in_another_order_are_identical(tmp_path: Path, whole: Bits) -> None:
    sweep = make(
        tmp_path,
        datasets=SMALL["datasets"][::-1],
        algorithms=dict(reversed(SMALL["algorithms"].items())),
        seeds=[1, 0],
    )
    sweep.finish(sweep.start())
    assert bits(sweep) == whole


def test_results_of_a_killed_and_resumed_run_are_identical(tmp_path: Path, whole: Bits) -> None:
    sweep = make(tmp_path)
    driver = sweep.start()
    wait_until(lambda: len(sweep.files("trials/*/checkpoint-*")) >= 3, driver)
    for pid in sweep.workers():
        kill(pid)
    wait_until(lambda: sweep.files("trials/*/result.json"), driver)
    kill(driver.pid)
    sweep.end(driver)
    sweep.finish(sweep.resume())
    assert bits(sweep) == whole


def test_results_of_a_run_on_other_nodes_are_identical(tmp_path: Path, whole: Bits) -> None:
    sweep = make(tmp_path / "sweep")
    with cluster(tmp_path, nodes=2) as started:
        sweep.address = started.address
        sweep.environment |= started.environment
        sweep.finish(sweep.start())
    assert bits(sweep) == whole


def test_results_without_ray_are_identical(tmp_path: Path, whole: Bits) -> None:
    from harness import experiment_file
    from harness.training.trainer import Trainer

    torch.set_num_threads(1)
    trial = next(
        trial
        for trial in experiment_file.load(make(tmp_path).file).trials()
        if trial.key == "td3_bc--pendulum-expert-v0--1"
    )
    trainer = Trainer(trial)
    rows = [
        {k: v for k, v in evaluation.to_row().items() if not k.endswith("_seconds")} for evaluation in trainer
    ]
    trainer.close()
    assert rows == whole[trial.key][0]
