from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.tuning import head_watch
from harness.tuning.head_watch import HeadWatch, raylet, started_here


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_watch, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(head_watch, "PATIENCE_SECONDS", 0.3)


class Listener:
    def __init__(self) -> None:
        self.heard = threading.Event()
        self.reason = ""

    def __call__(self, reason: str) -> None:
        self.reason = reason
        self.heard.set()


def test_a_head_that_stops_answering_is_noticed() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{server.getsockname()[1]}"
    lost = Listener()
    watch = HeadWatch(address, [], lost)
    watch.start()
    assert not lost.heard.wait(0.5)
    server.close()
    assert lost.heard.wait(10)
    assert address in lost.reason


def test_a_process_of_ray_that_ends_is_noticed_at_once(tmp_path: Path) -> None:
    program = shutil.copy(shutil.which("sleep") or "/bin/sleep", tmp_path / "raylet")
    process = subprocess.Popen([program, "60"])
    assert [found.pid for found in started_here()] == [process.pid]
    with socket.create_server(("127.0.0.1", 0)) as server:
        lost = Listener()
        watch = HeadWatch(f"127.0.0.1:{server.getsockname()[1]}", started_here(), lost)
        watch.start()
        assert not lost.heard.wait(0.5)
        process.kill()
        assert lost.heard.wait(10)
        assert "has ended" in lost.reason
    process.wait()


def test_the_raylet_of_this_machine_is_found_by_its_socket() -> None:
    arguments = ["-c", "import time; time.sleep(60)", "--raylet_socket_name=/x/raylet"]
    process = subprocess.Popen([sys.executable, *arguments])
    try:
        assert [found.pid for found in raylet("/x/raylet")] == [process.pid]
        assert raylet("/x/rayle") == []
    finally:
        process.kill()
        process.wait()


def test_after_the_end_nothing_is_said() -> None:
    lost = Listener()
    watch = HeadWatch("127.0.0.1:1", [], lost)
    watch.start()
    watch.stop()
    assert not lost.heard.wait(0.6)
