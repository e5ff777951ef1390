"""Tests of the stage after training: killed, resumed, and never repeated."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import experiment_file
from harness.storage import estimates
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from harness.tuning import selection
from harness.tuning.capacity import Capacity
from harness.tuning.launch import PACK
from harness.tuning.packing import pack_size
from harness.tuning.settings import ResourceSettings
from tests.faults.sweep import Sweep, press_ctrl_c, wait_until
from tests.tuning.undisturbed import complete

SMALL = {
    "algorithms": {"bc": {"hidden_sizes": [8]}},
    "seeds": 2,
    "training": {"gradient_steps": 20},
    "evaluation": {"interval": 20, "episodes": 2},
}


def fqe(steps: int) -> dict[str, Any]:
    return {"gradient_steps": steps, "hidden_sizes": [8], "batch_size": 32}


@pytest.mark.slow
def test_selection_that_is_interrupted_resumes_and_repeats_nothing(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, real=True, selection=fqe(1500), **SMALL)
    driver = sweep.start()
    first = wait_until(lambda: sweep.files("trials/*/fqe-*.json"), driver)
    press_ctrl_c(driver)
    status, _ = sweep.end(driver)
    assert status == 130
    written = {path: path.stat().st_mtime_ns for path in sweep.files("trials/*/fqe-*.json")}
    assert set(first) <= set(written)
    shown = sweep.status()
    assert shown["trials"]["done"] == 4
    assert shown["selection"]["done"] + shown["selection"]["missing"] == 4

    output = sweep.finish(sweep.resume())
    assert "done    " not in output
    after = {path: path.stat().st_mtime_ns for path in sweep.files("trials/*/fqe-*.json")}
    assert len(after) == 4
    assert {path: after[path] for path in written} == written

    results = RunDirectory.load(open_store(sweep.target))
    found = estimates.read_all(results, results.requested_trials())
    assert len({estimate["value"] for estimate in found.values()}) == 4
    assert Path(sweep.target, "offline_estimates.csv").read_text().count("\n") == 5
    assert "estimating" not in sweep.finish(sweep.resume())


@pytest.mark.slow
def test_selection_added_to_finished_results_reports_missing_policies(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, real=True, **SMALL)
    results = RunDirectory.prepare(open_store(sweep.target), experiment_file.load(sweep.file), [])
    results.save()
    for trial in results.requested_trials():
        complete(trial, sweep.target, PACK)
    gone, damaged, *_ = sweep.files("trials/*/policy.npz")
    gone.unlink()
    damaged.write_bytes(b"")
    again = Sweep(tmp_path, real=True, selection=fqe(10), **SMALL)
    status, output = again.end(again.start())
    assert status == 1
    assert "done    " not in output
    assert f"failed fqe of bc on {damaged.parent.name.split('--')[1]}, seed 1" in output
    assert "policy.npz: not a policy file, or damaged" in output
    assert "1 finished trials saved no policy for fqe to evaluate" in output
    assert "1 policies have no fqe estimate. Resume with: harness resume" in output
    assert len(again.files("trials/*/fqe-*.json")) == 2


def trials_on(**counts: int) -> list[Any]:
    return [
        SimpleNamespace(dataset=SimpleNamespace(name=name))
        for name, count in counts.items()
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("resources", "sizes"),
    [({}, [1, 1, 1, 1]), ({"pack": 2}, [2, 1, 1]), ({"gpus": 1}, [2, 1, 1])],
)
def test_packs_contain_policies_of_one_dataset(resources: dict[str, Any], sizes: list[int]) -> None:
    capacity = Capacity([{"CPU": 4.0, "GPU": 1.0}] * 2)
    size = pack_size(ResourceSettings(evaluators=0, **resources), 4, capacity)
    packs = selection._packs(trials_on(hopper=3, walker=1), size)
    assert [len(pack) for pack in packs] == sizes
