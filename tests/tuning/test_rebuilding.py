"""Tests of policies that are rebuilt from the checkpoints of finished trials."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import torch

from harness.errors import HarnessError
from harness.policies.files import loads
from harness.storage.stores import open_store
from harness.training import Pack
from harness.tuning import rebuilding
from tests.storage.make import prepared, result
from tests.training.conftest import random_dataset


@pytest.fixture
def dataset(monkeypatch):
    made = random_dataset()
    monkeypatch.setattr(rebuilding, "load_dataset", lambda trial: made)
    return made


@pytest.fixture
def trained(tmp_path, dataset):
    """Return a finished trial with its last checkpoint, and the policy file that it should have."""
    small = {"gradient_steps": 2}
    run = prepared(
        open_store(tmp_path / "run"),
        training=small,
        evaluation={"interval": 2, "episodes": 2},
        algorithms=["bc"],
        seeds=2,
    )
    trial = run.requested_trials()[0]
    pack = Pack([trial], [dataset])
    pack.advance()
    buffer = io.BytesIO()
    torch.save(pack.state_dict(), buffer)
    record = run.record(trial)
    record.claim(1, 0)
    record.commit_checkpoint(2, buffer.getvalue())
    record.commit_result({**result(trial), "dataset_digest": dataset.digest})
    return run, record, pack.policy_files(0, run.experiment.name)["policy.npz"]


def rebuilt(run):
    return [
        (trial.seed, error and str(error)) for trial, error in rebuilding.rebuild(run, run.requested_trials())
    ]


def test_rebuild_writes_the_policy_that_training_saves(trained):
    run, record, expected = trained
    assert rebuilt(run) == [(0, None), (1, "is not finished")]
    assert record.store.read(record.name("policy.npz")) == expected
    assert rebuilt(run) == [(1, "is not finished")]


def test_rebuild_replaces_a_damaged_policy(trained):
    run, record, expected = trained
    record.store.write(record.name("policy.npz"), expected[:-20])
    assert rebuilt(run)[0] == (0, None)
    assert loads(record.store.read(record.name("policy.npz")), "x").info.step == 2


def test_rebuild_without_the_checkpoint_yields_one_line(trained):
    run, record, _ = trained
    for checkpoint in record.checkpoints():
        record.store.remove(record.name(checkpoint.name))
    assert rebuilt(run)[0] == (0, "its checkpoint at step 2 is missing; train it again to get its policy")


def test_rebuild_with_another_dataset_yields_one_line(trained, dataset, monkeypatch):
    run, record, _ = trained
    other = replace(dataset, digest="1" * 64)
    monkeypatch.setattr(rebuilding, "load_dataset", lambda trial: other)
    assert "is not the one it was trained on (SHA-256 111111111111..., not 00" in rebuilt(run)[0][1]
    assert record.store.read(record.name("policy.npz")) is None


def test_rebuild_in_results_without_records_of_trials_raises_one_line(tmp_path):
    run = prepared(open_store(tmp_path / "run"), algorithms=["bc"], seeds=2)
    with pytest.raises(HarnessError, match=r"run: has no records of trials \(trials/\)"):
        rebuilt(run)
