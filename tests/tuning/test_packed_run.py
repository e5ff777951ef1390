"""Tests that a pack through Ray, with evaluation in other processes, is bit-identical to single trials."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from harness.training import Trainer
from tests.faults.sweep import Sweep


@pytest.mark.slow
def test_pack_with_evaluators_fails_the_trial_that_kills_them_and_no_other(tmp_path: Path) -> None:
    deadly = {"name": "pendulum-expert-v0", "environment": "tests.tuning.deadly:Deadly-v0"}
    sweep = Sweep(
        tmp_path,
        real=True,
        datasets=["pendulum-random-v0", "pendulum-medium-v0", deadly],
        algorithms={"td3_bc": {"hidden_sizes": [16, 16], "gradient_norm_clip": 0.5}},
        training={"gradient_steps": 50},
        evaluation={"interval": 20, "episodes": 2},
        resources={"pack": 3, "evaluators": 1, "checkpoint_seconds": 0},
    )
    status, output = sweep.end(sweep.start())
    assert status == 1, output
    assert output.count("done ") == 2
    assert "the process that ran its episodes died 3 times (out of memory?)" in output
    results = RunDirectory.load(open_store(sweep.target))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for trial in results.requested_trials()[:2]:
        result = results.record(trial).result()
        assert result is not None
        alone = [evaluation.to_row() for evaluation in Trainer(trial)]
        for ours, expected in zip(result["rows"], alone, strict=True):
            for name in expected:
                if not name.endswith("_seconds"):
                    assert ours[name] == expected[name], (trial.key, name)
    torch.set_num_threads(threads)
