"""Tests of clusters that lose and gain machines; each machine is a Ray node on this machine."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml

from tests.faults.sweep import RAY, Cluster, Sweep, cluster, kill, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.timeout(900)]
Tables = tuple[bytes, str]


@pytest.fixture
def one_node(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as started:
        yield started


@pytest.fixture
def two_nodes(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, nodes=2) as started:
        yield started


def on(sweep: Sweep, started: Cluster) -> Sweep:
    sweep.address = started.address
    sweep.environment |= started.environment
    return sweep


def raylet_of(pid: int) -> int | None:
    parent = psutil.Process(pid).parent()
    return parent.pid if parent else None


def test_run_that_loses_a_node_gives_the_same_tables(
    sweep: Sweep, two_nodes: Cluster, undisturbed: Tables
) -> None:
    driver = on(sweep, two_nodes).start()
    second = two_nodes.raylet(1)
    wait_until(lambda: sweep.files("trials/*/checkpoint-*"), driver)
    wait_until(lambda: second.pid in {raylet_of(pid) for pid in sweep.workers()}, driver)
    two_nodes.kill_node(1)
    sweep.finish(driver)
    assert sweep.tables() == undisturbed


def test_run_that_loses_a_raylet_gives_the_same_tables(
    sweep: Sweep, two_nodes: Cluster, undisturbed: Tables
) -> None:
    driver = on(sweep, two_nodes).start()
    second = two_nodes.raylet(1)
    wait_until(lambda: second.pid in {raylet_of(pid) for pid in sweep.workers()}, driver)
    second.kill()
    sweep.finish(driver)
    assert sweep.tables() == undisturbed


def test_run_uses_a_node_that_is_added(tmp_path: Path, undisturbed: Tables) -> None:
    sweep = Sweep(tmp_path / "sweep")
    with cluster(tmp_path, environment={"HARNESS_TEST_STEP_SECONDS": "0.02"}) as started:
        driver = on(sweep, started).start()
        sweep.wait_for_workers(driver)
        added = started.raylet(started.add())
        wait_until(lambda: added.pid in {raylet_of(pid) for pid in sweep.workers()}, driver)
        sweep.finish(driver)
    assert sweep.tables() == undisturbed


def test_run_after_the_head_was_lost_resumes_on_a_new_one(tmp_path: Path, undisturbed: Tables) -> None:
    sweep = Sweep(tmp_path / "sweep")
    with cluster(tmp_path) as first:
        driver = on(sweep, first).start()
        wait_until(lambda: sweep.files("trials/*/checkpoint-*"), driver)
        first.kill_node(0)
        status, output = sweep.end(driver)
        assert status not in (0, None), output
        assert f"harness resume {sweep.target}" in output
    with cluster(tmp_path) as second:
        sweep.finish(on(sweep, second).resume())
    assert sweep.tables() == undisturbed


def test_run_whose_head_is_replaced_at_the_same_address_ends(
    sweep: Sweep, one_node: Cluster, undisturbed: Tables
) -> None:
    """A new Ray instance, unrelated to the run, answers at the same address."""
    driver = on(sweep, one_node).start()
    wait_until(lambda: sweep.files("trials/*/checkpoint-*"), driver)
    one_node.kill_node(0)
    one_node.add()
    status, output = sweep.end(driver)
    assert status not in (0, None), output
    assert f"harness resume {sweep.target}" in output
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed


def test_driver_killed_and_resumed_on_another_cluster_gives_the_same_tables(
    tmp_path: Path, undisturbed: Tables
) -> None:
    sweep = Sweep(tmp_path / "sweep")
    with cluster(tmp_path) as first:
        driver = on(sweep, first).start()
        workers = sweep.wait_for_workers(driver)
        kill(driver.pid)
        sweep.end(driver)
        wait_until(lambda: not any(psutil.pid_exists(pid) for pid in workers))
    with cluster(tmp_path) as second:
        sweep.finish(on(sweep, second).resume())
    assert sweep.tables() == undisturbed


def test_run_with_a_wrong_token_is_rejected(sweep: Sweep, one_node: Cluster, tmp_path: Path) -> None:
    on(sweep, one_node)
    other = tmp_path / "other-token"
    other.write_text("f" * 32)
    other.chmod(0o600)
    sweep.environment["RAY_AUTH_TOKEN_PATH"] = str(other)
    status, output = sweep.end(sweep.start())
    assert status == 2, output
    assert f"--address {one_node.address}: the cluster does not accept the token in {other}" in output
    assert not sweep.files("trials/*")


def test_run_with_resources_that_no_node_has_is_rejected(sweep: Sweep, one_node: Cluster) -> None:
    on(sweep, one_node)
    wait_until(lambda: "Active:" in sweep.end(sweep.launch(RAY, "status"))[1])  # the node is registered
    request = "resources.algorithms={bc: {cpus: 64, gpus: 1}}"
    status, output = sweep.end(
        sweep.start("run", str(sweep.file), "--output", sweep.target, "--set", request)
    )
    assert status == 2, output
    assert (
        "a trial of bc requests 64 CPUs, 1 GPU, but no machine has that much (largest: 1 CPU, 0 GPUs)"
        in output
    )


def test_run_with_another_version_on_a_node_names_it(sweep: Sweep, one_node: Cluster, tmp_path: Path) -> None:
    metadata = tmp_path / "old" / "torch-1.0.0.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: torch\nVersion: 1.0.0\n")
    path = one_node.environment["PYTHONPATH"]
    one_node.environment["PYTHONPATH"] = f"{metadata.parents[1]}:{path}"
    one_node.add()
    one_node.environment["PYTHONPATH"] = path
    status, output = sweep.end(on(sweep, one_node).start())
    assert status == 2, output
    assert "has torch 1.0.0, but the driver has 2" in output
    assert not sweep.files("trials/*")


def test_runtime_environment_is_set_up_on_workers(
    sweep: Sweep, one_node: Cluster, undisturbed: Tables
) -> None:
    on(sweep, one_node)
    (sweep.faults / "bc--pendulum-expert-v0--0").write_text("raise 900")
    described = sweep.folder / "environment.yaml"
    described.write_text(yaml.safe_dump({"env_vars": {"HARNESS_TEST_FAULTS": str(sweep.faults)}}))
    begin = ["run", str(sweep.file), "--output", sweep.target, "--runtime-env", str(described)]
    status, output = sweep.end(sweep.start(*begin))
    assert status == 1
    assert "failed: bc on pendulum-expert-v0, seed 0: ValueError: told to fail" in output
    sweep.finish(sweep.resume())
    assert sweep.tables() == undisturbed


def test_job_stopped_and_submitted_again_gives_the_same_tables(tmp_path: Path, undisturbed: Tables) -> None:
    pytest.importorskip("opencensus", reason="ray job submit needs ray[default]")
    sweep = Sweep(tmp_path / "sweep")
    with cluster(tmp_path, nodes=0) as started:
        started.add(dashboard=True)
        assert started.dashboard is not None
        sweep.environment |= started.environment
        job = [RAY, "job", "submit", "--address", started.dashboard, "--working-dir", str(sweep.folder)]
        command = [sys.executable, "-m", "harness"]
        begin = ["run", "experiment.yaml", "--output", sweep.target, *sweep.pack, "--address", "auto"]
        wait_until(lambda: answers(started.dashboard))
        first = sweep.launch(*job, "--submission-id", "first", "--", *command, *begin)
        wait_until(lambda: sweep.files("trials/*/checkpoint-*"), first)
        sweep.end(sweep.launch(RAY, "job", "stop", "--address", started.dashboard, "first"))
        _, output = sweep.end(first)
        assert f"harness resume {sweep.target}" in output
        assert sweep.status()["driver"] is None
        output = sweep.finish(
            sweep.launch(*job, "--", *command, "resume", sweep.target, *sweep.pack, "--address", "auto")
        )
        assert f"results: {sweep.target}" in output
    assert sweep.tables() == undisturbed


def answers(url: str | None) -> bool:
    host, _, port = (url or "").removeprefix("http://").partition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False
