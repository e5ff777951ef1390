from __future__ import annotations

from typing import Any

import pytest

from harness.storage.stores import Store
from harness.storage.trial_record import SupersededError, TrialRecord, checkpoint_steps
from harness.trial import Trial
from tests.storage.make import experiment, in_every_store, result, rows

TRIAL, *_ = experiment().trials()
OTHER, *_ = experiment(training={"gradient_steps": 2000}).trials()
"""TRIAL with other settings."""


def record(store: Store, trial: Trial = TRIAL) -> TrialRecord:
    return TrialRecord(store, trial)


def result_of(scale: float) -> dict[str, Any]:
    return {**result(TRIAL), "rows": rows(TRIAL, scale)}


def claimed(store: Store, driver: int = 1, step: int = 0) -> TrialRecord:
    attempt = record(store)
    attempt.claim(driver, step)
    return attempt


@in_every_store
def test_commit_checkpoint_keeps_the_newest_two(store: Store) -> None:
    attempt = claimed(store)
    for step in (500, 1000, 10_000):
        attempt.commit_checkpoint(step, f"state {step}".encode())
    assert [(c.step, c.data) for c in record(store).checkpoints()] == [
        (10_000, b"state 10000"),
        (1000, b"state 1000"),
    ]


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"", lambda data: b"X" + data[1:]])
def test_checkpoints_skips_damaged_ones(store: Store, damage) -> None:
    attempt = claimed(store)
    attempt.commit_checkpoint(1, b"first")
    attempt.commit_checkpoint(2, b"second")
    newest = record(store).checkpoints()[0]
    store.write(attempt.name(newest.name), damage(newest.data))
    assert [c.data for c in record(store).checkpoints()] == [b"first"]


def test_commit_checkpoint_replaces_damaged_ones(store: Store) -> None:
    lost = claimed(store)
    for step in (500, 1000):
        lost.commit_checkpoint(step, f"state {step}".encode())
    for checkpoint in record(store).checkpoints():
        store.write(lost.name(checkpoint.name), b"")
    attempt = claimed(store)
    attempt.commit_checkpoint(500, b"state 500 again")
    assert [(c.step, c.data) for c in record(store).checkpoints()] == [(500, b"state 500 again")]
    attempt.commit_checkpoint(1000, b"state 1000 again")
    assert [c.step for c in record(store).checkpoints()] == [1000, 500]


@in_every_store
def test_commit_result_keeps_one_checkpoint_and_the_first_result(store: Store) -> None:
    attempt = claimed(store)
    attempt.commit_checkpoint(1, b"first")
    attempt.commit_checkpoint(2, b"second")
    attempt.commit_result(result_of(1.0))
    attempt.commit_result(result_of(2.0))
    assert record(store).result() == {**result_of(1.0), "trial": TRIAL.digest}
    assert [c.step for c in record(store).checkpoints()] == [2]


@in_every_store
def test_damaged_result_is_ignored_and_replaced(store: Store) -> None:
    attempt = claimed(store)
    attempt.commit_result(result_of(1.0))
    whole = store.read(attempt.name("result.json")) or b""
    store.write(attempt.name("result.json"), whole[: len(whole) // 2])
    assert record(store).result() is None
    attempt.commit_result(result_of(1.0))
    assert record(store).result() == {**result_of(1.0), "trial": TRIAL.digest}


def test_results_and_progress_of_other_settings_are_ignored(store: Store) -> None:
    attempt = claimed(store)
    attempt.commit_result(result_of(1.0))
    attempt.write_progress({"step": 1})
    assert record(store, OTHER).result() is None
    assert record(store, OTHER).progress() is None


def test_superseded_attempt_cannot_commit(store: Store) -> None:
    old = claimed(store)
    new = claimed(store)
    for commit in (
        lambda: old.commit_checkpoint(5, b"late"),
        lambda: old.commit_result(result_of(1.0)),
        lambda: old.commit_error("late", 1),
    ):
        with pytest.raises(SupersededError):
            commit()
    assert record(store).checkpoints() == []
    assert record(store).result() is None
    assert record(store).failure() is None
    new.commit_checkpoint(5, b"mine")


def test_claim_removes_the_error_of_an_earlier_driver(store: Store) -> None:
    attempt = claimed(store, driver=3)
    attempt.commit_error("ValueError: no", 3)
    failure = record(store).failure()
    assert (failure["reason"], failure["driver"]) == ("ValueError: no", 3)
    claimed(store, driver=4)
    assert record(store).failure() is None


def test_claim_counts_attempts_that_start_at_the_same_step() -> None:
    from harness.storage.stores import open_store

    store = open_store("memory://deaths/results")
    assert [record(store).claim(1, 0) for _ in range(3)] == [0, 1, 2]
    assert record(store).claim(1, 500) == 0, "the attempt got further"
    assert record(store).claim(1, 500) == 1
    assert record(store).claim(2, 500) == 0, "each driver counts for itself"


def test_checkpoint_steps_ignores_other_files() -> None:
    digest = "0" * 32
    names = [
        "trials/stray",
        "trials/a/log.txt",
        f"trials/a/checkpoint-0000000100-{digest}.pt",
        f"trials/a/checkpoint-0000000200-{digest}.pt",
        f"trials/b/checkpoint-0000000100-{digest}.pt",
        f"trials/b/.checkpoint-0000000200-{digest}.pt.1.tmp",
    ]
    assert checkpoint_steps(names) == {"a": frozenset({100, 200}), "b": frozenset({100})}


def test_claim_by_an_earlier_driver_raises(store: Store) -> None:
    later = claimed(store, driver=2)
    with pytest.raises(SupersededError):
        claimed(store, driver=1)
    later.commit_result(result_of(1.0))


def test_claim_removes_unfinished_files_of_a_killed_writer(store: Store) -> None:
    attempt = claimed(store)
    folder = store.path(attempt.name("log.txt"))
    assert folder is not None
    left = folder.with_name(".checkpoint-0000000001.pt.0123.tmp")
    left.write_bytes(b"half")
    claimed(store)
    assert not left.exists()
