"""Tests of the plan of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness.algorithms.registry import BUILT_IN
from harness.errors import HarnessError
from harness.storage.lease import Lease
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from harness.tuning import preflight
from harness.tuning.capacity import Capacity
from harness.tuning.launch import Options
from harness.tuning.packing import Concurrency, concurrency
from harness.tuning.settings import ResourceSettings
from tests.algorithms.make import ACTIONS, STATES
from tests.algorithms.make import make as make_learner
from tests.storage.make import experiment, finish, prepared
from tests.storage.test_estimates import estimate, results_with_policies


def test_plan_of_a_resumed_run_counts_what_is_done_and_tries_failures_again(tmp_path: Path) -> None:
    results = prepared(open_store(tmp_path), resources={"cpus": 0.01})
    done, failed, slow, _ = results.requested_trials()
    finish(results, done)
    record = results.record(failed)
    record.claim(1, 0)
    record.commit_error("no luck", 1)
    results.record(slow).write_progress({"step": 500, "steps_per_second": 10.0})
    plan = preflight.plan(results, Options(), dry=True)
    assert plan.missing == results.requested_trials()[1:]
    assert plan.progress.by_key[failed.key].state == "waiting"
    assert plan.lines() == [
        "small: 2 variants x 1 dataset x 2 seeds",
        "4 trials of 1,000 gradient steps: 1 done, 1 failed before",
        "3,000 steps left; to download: nothing; disk: about 6 MB",
    ]
    assert plan.time() == "about 2 min at the speed of the last run"
    assert preflight.plan(results, Options(address="auto"), dry=True).concurrency is None


def test_plan_names_algorithms_that_were_edited_since_they_were_trained(tmp_path: Path) -> None:
    results = prepared(open_store(tmp_path))
    record = results.record(results.requested_trials()[0])
    record.digest = "of other code"
    record.write_progress({"step": 500})
    assert preflight.plan(results, Options(), dry=True).lines()[1:3] == [
        "4 trials of 1,000 gradient steps",
        "td3_bc: 1 trial ran with another version of its code and will be trained again; choose another "
        "--output to keep the earlier results",
    ]


def test_plan_counts_the_estimates_that_are_missing(tmp_path: Path) -> None:
    results = results_with_policies(tmp_path)
    estimate(results, 0)

    def last_line() -> str:
        return preflight.plan(results, Options(), dry=True).lines()[-1]

    assert last_line() == "then fqe of 3 policies, 10 gradient steps each"
    for index in (1, 2):
        estimate(results, index)
    finish(results, results.requested_trials()[3])
    estimate(results, 3)
    assert last_line().startswith("0 steps left")


def test_plan_with_a_driver_on_this_machine_raises(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    holder = Lease.acquire(store)
    with pytest.raises(HarnessError, match="another driver is already running here"):
        preflight.plan(RunDirectory.prepare(store, experiment(), []), Options(), dry=True)
    holder.release()


@pytest.mark.parametrize(
    ("resources", "slots", "expected"),
    [
        ({}, 2, Concurrency(2, 2)),
        ({}, 99, Concurrency(8, 8)),
        ({"pack": 3}, 2, Concurrency(2, 4)),
        ({"gpus": 1}, 1, Concurrency(1, 4)),
        ({"gpus": 1}, 4, Concurrency(4, 8)),
    ],
)
def test_concurrency_is_limited_by_the_number_of_packs(
    resources: dict[str, float], slots: int, expected: Concurrency
) -> None:
    trials = experiment(seeds=4).trials()
    settings = ResourceSettings(evaluators=0, **resources)  # type: ignore[arg-type]
    requests = {variant: settings.of(variant) for variant in ("td3_bc", "bc")}
    assert concurrency(trials, requests, Capacity([{"CPU": 1.0, "GPU": 1.0}] * slots)) == expected


@pytest.mark.parametrize("algorithm", BUILT_IN)
def test_disk_estimate_of_a_checkpoint_follows_the_networks_of_the_algorithm(algorithm: str) -> None:
    learner = make_learner(algorithm, hidden_sizes=(128, 128))
    state = learner.state_dict(0).values()
    written = sum(value.nbytes for value in state if isinstance(value, torch.Tensor))
    weights = 128 * 128 + 128 * (STATES + ACTIONS)
    assert written == pytest.approx(
        4 * learner.hyperparameters.network_counts.per_checkpoint * weights, rel=0.1
    )
