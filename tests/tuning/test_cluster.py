"""Tests of joining a cluster on this machine, with and without its token."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.tuning.capacity import Capacity
from harness.tuning.cluster import SINGLE_RUN_RESOURCE, require_shared
from harness.tuning.cluster_access import require_answer
from tests.faults.sweep import ROOT, Cluster, cluster, free_port

CONNECT = """
import signal, sys
from harness.tuning.cluster import connected, describe_cluster
from harness.tuning.ray_session import ray_session
with ray_session("", has_logs=False) as session, connected(sys.argv[1], session):
    import ray
    sum_on_worker = ray.remote(num_cpus=0)(lambda: sum([1, 2]))
    print(describe_cluster())
    print("answer", ray.get(sum_on_worker.remote()))
signal.raise_signal(signal.SIGTERM)
"""


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home directory without a token."""
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def give_token(home: Path, token: str) -> None:
    file = home / ".ray" / "auth_token"
    file.parent.mkdir()
    file.write_text(token)
    file.chmod(0o600)


def token_of(started: Cluster) -> str:
    return Path(started.environment["RAY_AUTH_TOKEN_PATH"]).read_text()


def rejection(address: str) -> str:
    with pytest.raises(HarnessError) as rejected:
        require_answer(address)
    assert "\n" not in str(rejected.value)
    return str(rejected.value).removeprefix(f"--address {address}: ")


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "address"), [(None, "HOST:PORT"), ("token", "auto")])
def test_cluster_with_the_token_in_its_file_is_joined(
    head: Cluster, home: Path, monkeypatch: pytest.MonkeyPatch, mode: str | None, address: str
) -> None:
    give_token(home, token_of(head))
    if mode:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
    monkeypatch.setenv("RAY_TMPDIR", head.temporary)  # where `auto` finds a cluster of this machine
    where = "auto" if address == "auto" else head.address
    connected = subprocess.run(
        [sys.executable, "-c", CONNECT, where], check=False, capture_output=True, text=True, timeout=120
    )
    port = head.address.rpartition(":")[2]  # Ray may name another address of this machine
    joined = rf"joined the Ray cluster at [\d.]+:{port}: 1 machine, 1 CPU, 0 GPUs\nanswer 3\n"
    assert re.fullmatch(joined, connected.stdout), connected.stdout + connected.stderr
    assert connected.returncode == signal.SIGTERM, "the exception of Ray's handler, not the system's default"


@pytest.mark.slow
def test_cluster_without_a_local_token_explains_where_to_copy_it(head: Cluster, home: Path) -> None:
    assert rejection(head.address) == (
        "the cluster requires a token, but this machine has none; copy the head's ~/.ray/auth_token to "
        f"{home}/.ray/auth_token, or set RAY_AUTH_TOKEN_PATH"
    )


@pytest.mark.slow
def test_cluster_in_token_mode_without_a_local_token_explains_where_to_copy_it(
    head: Cluster, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    assert rejection(head.address).startswith(
        "RAY_AUTH_MODE is token, but this machine has none; copy the head's ~/.ray/auth_token to "
    )


@pytest.mark.slow
def test_cluster_with_a_wrong_token_names_its_file(head: Cluster, home: Path) -> None:
    give_token(home, "f" * 32)
    assert rejection(head.address) == (
        f"the cluster does not accept the token in {home}/.ray/auth_token; it must be the same as the head's"
    )


@pytest.mark.slow
def test_cluster_with_authentication_disabled_locally_explains_it(
    head: Cluster, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_token(home, token_of(head))
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert "but RAY_AUTH_MODE is disabled here; unset it" in rejection(head.address)


def test_configure_ray_with_a_missing_token_file_names_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "/no/such/token")
    with pytest.raises(HarnessError, match="RAY_AUTH_TOKEN_PATH is /no/such/token, which is not a file"):
        require_answer("127.0.0.1:6379")


@pytest.mark.slow
def test_require_answer_without_ray_at_the_address_raises(home: Path) -> None:
    assert rejection(f"127.0.0.1:{free_port()}") == "cannot connect to Ray (Connection refused)"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(HarnessError, match="no answer from Ray within 2 s"):
            require_answer(where, seconds=2)


@pytest.mark.parametrize("address", ["head", "ray://head:10001", ":6379"])
def test_require_answer_of_an_invalid_address_raises(home: Path, address: str) -> None:
    assert "HOST:PORT" in rejection(address)


def test_require_shared_with_the_ray_of_another_run_raises() -> None:
    require_shared(Capacity([{"CPU": 2.0}, {"CPU": 4.0}]), "auto")
    with pytest.raises(HarnessError, match="--address auto: this Ray belongs to another run"):
        require_shared(Capacity([{"CPU": 2.0, SINGLE_RUN_RESOURCE: 1.0}]), "auto")
