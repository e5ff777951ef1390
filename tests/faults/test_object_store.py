"""Tests of killed workers and drivers with results in an object store."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.storage.stores import open_store
from tests.faults.sweep import Sweep, kill, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(900)]


def test_workers_and_driver_killed_with_an_object_store_give_the_same_tables(
    tmp_path: Path, s3_bucket: str, undisturbed: tuple[bytes, str]
) -> None:
    sweep = Sweep(tmp_path, target=f"{s3_bucket}/deep/results")
    store = open_store(sweep.target)
    driver = sweep.start()
    wait_until(lambda: [name for name in store.names("trials") if "checkpoint" in name], driver)
    kill(sweep.wait_for_workers(driver)[0])
    wait_until(lambda: [name for name in store.names("trials") if name.endswith("result.json")], driver)
    status, output = sweep.end(sweep.resume())
    assert status == 2
    assert f"process {driver.pid} on" in output
    kill(driver.pid)
    sweep.end(driver)
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed
    names = store.names()
    for name in ("experiment.yaml", "manifest.json", "evaluations.parquet", "scores.csv"):
        assert name in names
    assert sum(name.endswith("log.txt") for name in names) == 4
    assert sweep.status()["trials"]["done"] == 4
