"""The command as a person runs it, through Ray and real processes, killed on the way."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from harness.storage.results import Results
from harness.storage.stores import open_store
from tests.faults.sweep import Sweep, kill, wait_until
from tests.tuning.calm import calm_tables


@pytest.mark.slow
def test_a_run_is_watched_killed_resumed_and_whole(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    driver = sweep.start()
    workers = sweep.wait_for_workers(driver)
    assert_bound_to_this_machine(driver.pid)

    wait_until(lambda: sweep.files("trials/*/checkpoint-*"), driver)
    kill(workers[0])
    shown = wait_until(lambda: (status := sweep.status())["steps_per_second"] and status, driver)
    assert shown["driver"]["pid"] == driver.pid
    assert shown["trials"]["failed"] == 0

    status, output = sweep.end(sweep.resume())
    assert status == 2
    assert output.count("\n") == 1
    assert f"a driver is at work on it already (process {driver.pid} on " in output

    wait_until(lambda: sweep.files("trials/*/result.json"), driver)
    kill(driver.pid)
    _, output = sweep.end(driver)
    assert_said_only(output, "done ", "lost ")

    output = sweep.finish(sweep.resume())
    assert f"results: {sweep.target}" in output
    assert "Dataset" in output
    assert sweep.tables() == calm_tables(sweep, tmp_path / "calm")

    manifest = json.loads((Path(sweep.target) / "manifest.json").read_text())
    assert [run["ended"] is None for run in manifest["runs"]] == [True, False]
    assert manifest["datasets"]["pendulum-expert-v0"]["digest"] == "d" * 64
    assert manifest["runs"][1]["versions"]["torch"]


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


def assert_said_only(output: str, *starts: str) -> None:
    lines = [line for line in output.splitlines() if not line.startswith(starts)]
    assert [line for line in lines if "% of " not in line] == []


def test_no_usage_statistics_are_sent_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.tuning.cluster import ONE_MACHINE, QUIET

    assert QUIET["RAY_USAGE_STATS_ENABLED"] == "0"
    assert ONE_MACHINE["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"


def test_loading_what_was_written_by_others_runs_no_code() -> None:
    """Neither pickle nor a YAML that makes objects is read anywhere in what results are loaded with."""
    folder = Path(__file__).parents[2] / "harness"
    for path in [*folder.glob("storage/*.py"), *folder.glob("tuning/*.py")]:
        text = path.read_text()
        for banned in ("import pickle", "yaml.load(", "weights_only=False", "allow_pickle=True", "eval("):
            assert banned not in text, f"{path.name}: {banned}"


def test_an_experiment_in_the_results_cannot_make_objects(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write("experiment.yaml", b"!!python/object/apply:os.mkdir [owned]")
    with pytest.raises(Exception, match="not valid YAML"):
        Results.load(store)
