"""Starts whole runs of the command in separate processes, watches, disturbs and compares them."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import yaml

from harness.storage.stores import open_store

ROOT = Path(__file__).parents[2]
RAY = str(Path(sys.executable).with_name("ray"))
PATIENCE = 240.0
STARTED: list[subprocess.Popen[str]] = []

EXPERIMENT = {
    "name": "faults",
    "datasets": ["pendulum-random-v0", "pendulum-expert-v0"],
    "algorithms": ["td3_bc", "bc"],
    "seeds": 1,
    "training": {"gradient_steps": 3000},
    "evaluation": {"interval": 300, "episodes": 3},
    "resources": {"checkpoint_seconds": 0.5},
}


class Sweep:
    """One results directory, and the commands that run on it.

    Args:
        folder: the folder for the experiment file and, by default, the results.
        target: the results directory or its URL.
        environment: variables for the command, and thus for its workers.
        real: whether to use the real trainer instead of the fake one.
        changes: changes to the experiment.
    """

    def __init__(
        self,
        folder: Path,
        target: str | None = None,
        environment: dict[str, str] | None = None,
        real: bool = False,
        **changes: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.target = target or str(folder / "results")
        self.file = folder / "experiment.yaml"
        self.file.write_text(yaml.safe_dump(EXPERIMENT | changes))
        self.faults = folder / "faults"
        self.faults.mkdir(exist_ok=True)
        self.pack = [] if real else ["--pack", "tests.faults.fake:FakePack"]
        self.environment = os.environ | {"HARNESS_TEST_FAULTS": str(self.faults), "PYTHONPATH": str(ROOT)}
        self.environment |= environment or {}
        self.address: str | None = None

    def start(self, *verb: str) -> subprocess.Popen[str]:
        """Start `harness run` of the experiment, or another command."""
        arguments = list(verb) or ["run", str(self.file), "--output", self.target]
        if arguments[0] in ("run", "resume"):
            arguments += [*self.pack, *(["--address", self.address] if self.address else [])]
        return self.launch(sys.executable, "-m", "harness", *arguments)

    def launch(self, *command: str, cwd: Path = ROOT) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        STARTED.append(process)
        return process

    def resume(self) -> subprocess.Popen[str]:
        return self.start("resume", self.target)

    def finish(self, process: subprocess.Popen[str]) -> str:
        """Wait for the process, check that it succeeded, and return its output."""
        status, output = self.end(process)
        assert status == 0, output
        return output

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            end_with_children(process)
            output, _ = process.communicate()
            raise AssertionError(f"still running after {PATIENCE} s:\n{output}") from None
        return process.returncode, output

    def status(self) -> dict[str, Any]:
        status, output = self.end(self.start("status", self.target, "--json"))
        assert status == 0, output
        shown: dict[str, Any] = json.loads(output)
        return shown

    def owners(self) -> dict[str, dict[str, Any]]:
        """Return the content of owner.json of each trial that was started."""
        store = open_store(self.target)
        names = [name for name in store.names("trials") if name.endswith("/owner.json")]
        return {name.split("/")[1]: json.loads(store.read(name) or b"{}")["content"] for name in names}

    def workers(self) -> list[int]:
        """Return the process ids of the workers that are training a trial."""
        store = open_store(self.target)
        done = {name.split("/")[1] for name in store.names("trials") if name.endswith("/result.json")}
        pids = {owner["pid"] for key, owner in self.owners().items() if key not in done}
        return [pid for pid in sorted(pids) if psutil.pid_exists(pid)]

    def wait_for_workers(self, process: subprocess.Popen[str] | None = None) -> list[int]:
        return wait_until(self.workers, process)

    def files(self, pattern: str) -> list[Path]:
        return sorted(Path(self.target).glob(pattern))

    def tables(self) -> tuple[bytes, str]:
        """Return scores.csv, and evaluations.parquet without its time columns."""
        store = open_store(self.target)
        frame = pd.read_parquet(io.BytesIO(store.read("evaluations.parquet") or b""))
        frame = frame.drop(columns=["train_seconds", "evaluation_seconds"])
        assert not frame.duplicated(["algorithm", "dataset", "seed", "step"]).any()
        return store.read("scores.csv") or b"", frame.to_json(orient="records", double_precision=15)


def wait_until(condition: Callable[[], Any], process: subprocess.Popen[str] | None = None) -> Any:
    """Wait until the condition returns a true value, and return it; fail after a time limit."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            found = condition()
            if found:
                return found
        if process is not None and process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode}:\n{process.communicate()[0]}")
        time.sleep(0.01)
    raise AssertionError("the condition was never true")


def end_with_children(process: subprocess.Popen[Any]) -> None:
    """Kill a process that a test started, and its children."""
    with suppress(psutil.Error):
        parent = psutil.Process(process.pid)
        for child in [*parent.children(recursive=True), parent]:
            with suppress(psutil.Error):
                child.kill()
    process.wait()


def end_started_processes() -> None:
    """Kill what is still running after a test that failed."""
    for process in STARTED:
        if process.poll() is None:
            end_with_children(process)
    STARTED.clear()


def descendants(process: subprocess.Popen[Any], name: str) -> list[psutil.Process]:
    found = psutil.Process(process.pid).children(recursive=True)
    return [child for child in found if name in child.name()]


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def press_ctrl_c(process: subprocess.Popen[str]) -> None:
    """Send SIGINT to the command and its children, as a terminal does."""
    os.killpg(process.pid, signal.SIGINT)


@contextmanager
def cluster(
    folder: Path, nodes: int = 1, cpus: int = 1, environment: dict[str, str] | None = None
) -> Iterator[Cluster]:
    started = Cluster(folder, cpus, environment or {})
    try:
        for _ in range(nodes):
            started.add()
        yield started
    finally:
        started.stop()


class Cluster:
    """A Ray cluster of several nodes on this machine, each with its own raylet.

    Args:
        folder: the folder for the token and logs.
        cpus: the CPUs of each node.
        environment: variables for the nodes, and thus for the workers that they start.
    """

    def __init__(self, folder: Path, cpus: int, environment: dict[str, str]) -> None:
        self.cpus = cpus
        self.commands: list[subprocess.Popen[bytes]] = []
        self.address = f"127.0.0.1:{free_port()}"
        self.dashboard: str | None = None
        """The URL of the dashboard, if the head was added with one."""
        self.folder = folder
        self.temporary = tempfile.mkdtemp(prefix="ray-")  # a socket's path must be short
        token = folder / "ray-token"
        token.write_text("0123456789abcdef0123456789abcdef")
        token.chmod(0o600)
        self.environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_TMPDIR": self.temporary,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",  # an earlier test may have set 0
            "RAY_health_check_initial_delay_ms": "0",
            "RAY_health_check_period_ms": "500",
            "RAY_health_check_failure_threshold": "3",
            "PYTHONPATH": str(ROOT),
            **environment,
        }

    def add(self, dashboard: bool = False) -> int:
        """Start the head, or another node if there is one, and return its number once it has joined."""
        number = len(self.commands)
        if any(command.poll() is None for command in self.commands):
            role = [f"--address={self.address}"]
        else:
            role = ["--head", f"--port={self.address.rpartition(':')[2]}", *self._dashboard(dashboard)]
        log = self.folder / f"node-{number}.log"
        options = ["--block", "--disable-usage-stats", "--node-ip-address=127.0.0.1"]
        sizes = [f"--num-cpus={self.cpus}", "--object-store-memory=80000000"]
        with log.open("wb") as output:
            self.commands.append(
                subprocess.Popen(
                    [RAY, "start", *options, *sizes, *role],
                    env=os.environ | self.environment,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            )
        wait_until(lambda: "Ray runtime started" in log.read_text())
        return number

    def _dashboard(self, wanted: bool) -> list[str]:
        if not wanted:
            return ["--include-dashboard=false"]
        port = free_port()
        self.dashboard = f"http://127.0.0.1:{port}"
        return [
            "--dashboard-host=127.0.0.1",
            f"--dashboard-port={port}",
            f"--dashboard-agent-listen-port={free_port()}",
        ]

    def raylet(self, number: int) -> psutil.Process:
        """Return the raylet process of a running node."""
        return descendants(self.commands[number], "raylet")[0]

    def kill_node(self, number: int) -> None:
        """Kill all processes of a node at once, as if its machine failed."""
        end_with_children(self.commands[number])

    def stop(self) -> None:
        for number, command in enumerate(self.commands):
            if command.poll() is None:
                self.kill_node(number)
        shutil.rmtree(self.temporary, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
