"""Tests that end the driver in every possible way and resume the run."""

from __future__ import annotations

import signal

import psutil
import pytest

from tests.faults.sweep import Sweep, descendants, kill, press_ctrl_c, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(900)]
Tables = tuple[bytes, str]


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (None, 130), (signal.SIGHUP, 129)],
    ids=["kill", "term", "ctrl-c", "hangup"],
)
def test_driver_that_is_terminated_resumes_from_its_checkpoints(
    sweep: Sweep, undisturbed: Tables, number: int | None, status: int
) -> None:
    driver = sweep.start()
    wait_until(lambda: sweep.files("trials/*/checkpoint-*"), driver)
    workers = sweep.wait_for_workers(driver)
    if number is None:
        press_ctrl_c(driver)
    else:
        kill(driver.pid, number)
    ended, output = sweep.end(driver)
    assert ended == status, output
    if number != signal.SIGKILL:
        assert f"harness resume {sweep.target}" in output
        assert sweep.status()["driver"] is None
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in workers))
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed
    logs = [path.read_text() for path in sweep.files("trials/*/log.txt")]
    assert any("attempt at" in log and "from step 0" not in log.splitlines()[-1] for log in logs)


def test_driver_killed_twice_resumes_to_the_same_tables(sweep: Sweep, undisturbed: Tables) -> None:
    first = sweep.start()
    sweep.wait_for_workers(first)
    kill(first.pid)
    sweep.end(first)
    second = sweep.resume()
    wait_until(lambda: any(owner["driver"] == 2 for owner in sweep.owners().values()), second)
    kill(second.pid)
    sweep.end(second)
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed


def test_driver_ends_at_once_on_a_second_ctrl_c(sweep: Sweep, undisturbed: Tables) -> None:
    driver = sweep.start()
    sweep.wait_for_workers(driver)
    press_ctrl_c(driver)
    press_ctrl_c(driver)
    status, _ = sweep.end(driver)
    assert status == 130
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed


def test_driver_killed_before_its_first_trial_can_be_started_again(sweep: Sweep, undisturbed: Tables) -> None:
    driver = sweep.start()
    wait_until(lambda: sweep.files("manifest.json"), driver)
    kill(driver.pid)
    sweep.end(driver)
    sweep.finish(sweep.start())
    assert sweep.tables() == undisturbed


def test_second_driver_on_a_directory_is_rejected(sweep: Sweep, undisturbed: Tables) -> None:
    first = sweep.start()
    sweep.wait_for_workers(first)
    status, output = sweep.end(sweep.resume())
    assert status == 2
    assert f"another driver is already running here (process {first.pid} on " in output
    sweep.finish(first)
    assert sweep.tables() == undisturbed


def test_run_of_a_finished_experiment_repeats_nothing(sweep: Sweep, undisturbed: Tables) -> None:
    sweep.finish(sweep.start())
    before = {path: path.stat().st_mtime_ns for path in sweep.files("trials/*/*")}
    parquet = sweep.files("evaluations.parquet")[0].read_bytes()
    sweep.finish(sweep.start())
    sweep.finish(sweep.resume())
    assert {path: path.stat().st_mtime_ns for path in sweep.files("trials/*/*")} == before
    assert sweep.files("evaluations.parquet")[0].read_bytes() == parquet
    assert sweep.tables() == undisturbed


def test_driver_whose_ray_is_killed_ends_and_can_be_resumed(sweep: Sweep, undisturbed: Tables) -> None:
    driver = sweep.start()
    sweep.wait_for_workers(driver)
    for process in descendants(driver, "raylet") + descendants(driver, "gcs_server"):
        process.kill()
    status, output = sweep.end(driver)
    assert status != 0, output
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed
