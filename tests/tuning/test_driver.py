"""Tests of the command as users run it, through Ray and real processes, some of which are killed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import psutil
import pytest
import torch

from harness.storage.progress import Progress, scan
from harness.storage.run_directory import RunDirectory
from harness.storage.stores import open_store
from harness.storage.trial_record import Checkpoint
from harness.tuning.trial_session import load_state
from tests.faults.sweep import Sweep, kill, press_ctrl_c, wait_until
from tests.tuning.undisturbed import undisturbed_tables


@pytest.mark.slow
def test_run_with_a_killed_worker_and_an_interrupt_resumes_to_the_same_tables(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, environment={"HARNESS_TEST_STEP_SECONDS": "0.002"})
    driver = sweep.start()
    workers = sweep.wait_for_workers(driver)
    assert_bound_to_this_machine(driver.pid)
    assert_no_usage_statistics_are_sent(driver.pid)

    wait_until(lambda: sweep.files("trials/*/checkpoint-*"), driver)
    kill(workers[0])
    wait_until(lambda: look(sweep).steps_per_second, driver)
    shown = sweep.status()
    assert shown["driver"]["pid"] == driver.pid
    assert shown["trials"]["failed"] == 0

    status, output = sweep.end(sweep.resume())
    assert status == 2
    assert output.count("\n") == 1
    assert f"another driver is already running here (process {driver.pid} on " in output

    wait_until(lambda: any(trial.step for trial in look(sweep).running()) and done(sweep), driver)
    press_ctrl_c(driver)
    status, output = sweep.end(driver)
    assert status == 130, output
    before, _, _ = output.partition("stopping: ")  # then come the tables
    assert_said_only(before, "faults: ", "4 trials of ", "12,000 steps ", "Starting Ray ", "done ", "lost ")
    stopped = [trial for trial in look(sweep).trials if trial.state == "waiting" and trial.step]
    assert any(trial.step % 300 for trial in stopped), "saved between evaluations"

    sweep.environment["HARNESS_TEST_STEP_SECONDS"] = "0"
    output = sweep.finish(sweep.resume())
    assert f"results: {sweep.target}" in output
    assert "Dataset" in output
    for trial in stopped:
        (log,) = sweep.files(f"trials/{trial.key}/log.txt")
        assert f"from step {trial.step} by" in log.read_text()
    assert sweep.tables() == undisturbed_tables(sweep, tmp_path / "undisturbed")

    manifest = json.loads((Path(sweep.target) / "manifest.json").read_text())
    assert all(run["ended"] for run in manifest["runs"])
    assert manifest["datasets"]["pendulum-expert-v0"]["digest"] == "d" * 64
    assert manifest["runs"][1]["versions"]["torch"]


def done(sweep: Sweep) -> list[Path]:
    return sweep.files("trials/*/result.json")


def look(sweep: Sweep) -> Progress:
    return scan(RunDirectory.load(open_store(sweep.target)))


def assert_bound_to_this_machine(pid: int) -> None:
    listening = [
        connection
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    addresses = {connection.laddr.ip.removeprefix("::ffff:") for connection in listening}
    assert addresses == {"127.0.0.1"}


def assert_no_usage_statistics_are_sent(pid: int) -> None:
    asked = [child.environ().get("RAY_USAGE_STATS_ENABLED") for child in psutil.Process(pid).children()]
    assert set(asked) == {"0"}


def assert_said_only(output: str, *starts: str) -> None:
    lines = [line for line in output.splitlines() if not line.startswith(starts)]
    assert [line for line in lines if "% trained" not in line] == []


def test_resume_does_not_execute_code_in_a_checkpoint(tmp_path: Path) -> None:
    """A checkpoint may be in a folder to which others can write."""
    data = io.BytesIO()
    torch.save({"step": _Touches(tmp_path / "owned")}, data)
    with pytest.raises(UnpicklingError):
        load_state(Checkpoint("checkpoint.pt", 1, data.getvalue()))
    assert not (tmp_path / "owned").exists()


class _Touches:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_resume_does_not_construct_objects_from_the_experiment_file(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write("experiment.yaml", b"!!python/object/apply:os.mkdir [owned]")
    with pytest.raises(Exception, match="not valid YAML"):
        RunDirectory.load(store)
