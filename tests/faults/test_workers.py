"""Tests of workers that are killed, hang, fail or run out of memory."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.sweep import Sweep, kill, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(900)]
Tables = tuple[bytes, str]
KEY = "td3_bc--pendulum-expert-v0--0"


def test_worker_killed_in_training_gives_the_same_tables(sweep: Sweep, undisturbed: Tables) -> None:
    driver = sweep.start()
    wait_until(lambda: sweep.files("trials/*/checkpoint-*"), driver)
    kill(sweep.wait_for_workers(driver)[0])
    output = sweep.finish(driver)
    assert "its worker died; it continues from its last checkpoint" in output
    assert sweep.tables() == undisturbed


def test_worker_killed_in_evaluation_gives_the_same_tables(sweep: Sweep, undisturbed: Tables) -> None:
    fault_file = sweep.faults / KEY
    fault_file.write_text("hang 900")
    driver = sweep.start()
    wait_until(fault_file.with_suffix(".hangs").exists, driver)
    fault_file.unlink()
    kill(sweep.owners()[KEY]["pid"])
    sweep.finish(driver)
    assert sweep.tables() == undisturbed


def test_worker_killed_while_writing_a_checkpoint_gives_the_same_tables(
    tmp_path: Path, undisturbed: Tables
) -> None:
    sweep = Sweep(tmp_path, environment={"HARNESS_TEST_CHECKPOINT_MIB": "200"})
    driver = sweep.start()
    half = wait_until(lambda: sweep.files("trials/*/.checkpoint-*.tmp"), driver)[0]
    owner = sweep.owners()[half.parent.name]
    kill(owner["pid"])
    sweep.finish(driver)
    assert sweep.tables() == undisturbed


def test_worker_that_always_dies_at_the_same_step_fails_and_is_resumed(
    sweep: Sweep, undisturbed: Tables
) -> None:
    (sweep.faults / KEY).write_text("die 900")
    status, output = sweep.end(sweep.start())
    assert status == 1
    assert "failed: td3_bc on pendulum-expert-v0, seed 0: its worker process died 3 times" in output
    trials = sweep.status()["trials"]
    assert (trials["done"], trials["failed"]) == (3, 1)
    (sweep.faults / KEY).unlink()
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("raise 900", "ValueError: told to fail"),
        ("nan 900", "training diverged: the evaluation at step 900 returned nan"),
        ("hang 900", "no evaluation within 5 s after step 600"),
    ],
    ids=["raises", "nan", "hangs"],
)
def test_trial_that_fails_does_not_stop_others(
    sweep: Sweep, undisturbed: Tables, fault: str, reason: str
) -> None:
    (sweep.faults / KEY).write_text(fault)
    arguments = ["run", str(sweep.file), "--output", sweep.target, "--set", "resources.interval_seconds=5"]
    status, output = sweep.end(sweep.start(*arguments))
    assert status == 1
    lines = [line for line in output.splitlines() if line.startswith("failed: ")]
    assert len(lines) == 1
    assert lines[0].startswith(f"failed: td3_bc on pendulum-expert-v0, seed 0: {reason}")
    assert f"details: {sweep.target}/trials/{KEY}/log.txt" in output
    shown = {trial["key"]: trial for trial in sweep.status()["each"]}
    assert shown[KEY]["state"] == "failed"
    assert shown[KEY]["reason"].startswith(reason)
    (sweep.faults / KEY).unlink()
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed


def test_worker_out_of_memory_gives_the_same_tables(sweep: Sweep, undisturbed: Tables) -> None:
    sweep.environment["HARNESS_TEST_MEMORY_MIB"] = "512"
    (sweep.faults / KEY).write_text("memory 900")
    status, output = sweep.end(sweep.start())
    assert status == 1
    assert "pendulum-expert-v0, seed 0: " in output
    assert "MemoryError" in output
    (sweep.faults / KEY).unlink()
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed


def test_superseded_worker_that_continues_changes_nothing(tmp_path: Path, undisturbed: Tables) -> None:
    """As on a node that was considered lost: the process is paused, superseded, and then continues."""
    from harness.storage.provenance import versions
    from harness.tuning.attempt import Attempt
    from harness.tuning.messages import Assignment, Ended

    sweep = Sweep(tmp_path)
    driver = sweep.start()
    wait_until(lambda: sweep.files("trials/*/checkpoint-*"), driver)
    kill(driver.pid)
    sweep.end(driver)
    from harness.storage.run_directory import RunDirectory
    from harness.storage.stores import open_store

    trial = RunDirectory.load(open_store(sweep.target)).requested_trials()[0]
    old = Attempt(
        Assignment(
            trials=[trial],
            store=sweep.target,
            driver=1,
            versions=versions(),
            checkpoint_seconds=0,
            pack="tests.faults.fake:FakePack",
        )
    )
    new = sweep.resume()
    wait_until(lambda: sweep.owners()[trial.key]["driver"] == 2, new)
    while not (report := old.advance())["done"]:
        time.sleep(0.01)
    assert report["events"][-1] == Ended(trial.key, "waiting")
    sweep.finish(new)
    assert sweep.tables() == undisturbed
