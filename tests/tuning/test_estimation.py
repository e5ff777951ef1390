"""Tests of the estimates of a pack of policies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.datasets.dataset import OfflineDataset
from harness.errors import HarnessError
from harness.policies import NumpyPolicy
from harness.policies.files import PolicyInfo, dumps
from harness.policies.layers import Affine
from harness.storage import estimates
from harness.storage.provenance import versions
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import DirectoryStore
from harness.tuning.selection import Estimation, estimate
from tests.storage.make import finish, prepared

SETTINGS = {"gradient_steps": 5, "hidden_sizes": [8], "batch_size": 32}
DIGEST = "d" * 64


def policy(name: str, seed: int, observations: int = 2, digest: str = DIGEST) -> bytes:
    zeros = np.zeros(observations, np.float32)
    network = Affine(np.ones((observations, 1), np.float32), np.zeros(1, np.float32))
    info = PolicyInfo(
        variant=name,
        algorithm=name,
        dataset="pendulum-expert-v0",
        dataset_digest=digest,
        seed=seed,
        step=1000,
        chosen="final",
        environment="Pendulum-v1",
        evaluation_seed=100,
    )
    return dumps(NumpyPolicy([network], zeros, zeros + 1), info, observations, 1)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """Return finished trials with policies, on a made-up dataset."""
    rows = np.random.default_rng(0).normal(size=(64, 7)).astype(np.float32)
    rows[:, -1] = 0
    dataset = OfflineDataset("pendulum-expert-v0", rows, 2, 1, None, None, DIGEST)
    monkeypatch.setattr("harness.datasets.load", lambda *_: dataset)
    results = prepared(DirectoryStore(str(tmp_path)), selection=SETTINGS)
    for trial in results.requested_trials():
        finish(results, trial)
        data = policy(trial.algorithm, trial.seed)
        results.store.write(results.record(trial).name("policy.npz"), data)
    return results


def work(results: RunDirectory, count: int) -> Estimation:
    assert results.experiment.selection is not None
    return Estimation(
        trials=tuple(results.requested_trials()[:count]),
        store=results.store.target,
        data=results.experiment.data,
        settings=results.experiment.selection,
        versions=versions(),
    )


def test_estimate_commits_one_file_for_each_policy_of_its_pack(results: RunDirectory) -> None:
    estimate(Estimation.model_validate_json(work(results, 2).model_dump_json()))
    found = estimates.read_all(results, results.requested_trials())
    assert len(found) == 2
    first, second = found.values()
    assert np.isfinite(first["value"])
    assert (first["value"], first["td_error"]) == (second["value"], second["td_error"])  # of equal policies


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (policy("td3_bc", 0, digest="e" * 64), "was trained on different transitions"),
        (policy("bc", 0), "expected the policy of this trial"),
        (b"", "not a policy file, or damaged"),
    ],
)
def test_estimate_of_a_policy_that_does_not_fit_raises(
    results: RunDirectory, data: bytes, message: str
) -> None:
    results.store.write(results.record(results.requested_trials()[0]).name("policy.npz"), data)
    with pytest.raises(HarnessError, match=message):
        estimate(work(results, 1))
    assert estimates.read_all(results, results.requested_trials()) == {}
