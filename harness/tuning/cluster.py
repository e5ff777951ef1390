"""Ray on this machine alone, or a cluster that is there already."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from harness.errors import HarnessError
from harness.machine import cores
from harness.tuning.head_watch import HeadWatch, raylet, started_here

CONNECT_SECONDS = 7.0
START_TRIES = 3
ANSWER_SECONDS = 120.0
"""A machine may have to set up its runtime environment before it answers."""

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_MAX_PENDING_TRIALS_PG": "64",  # the rest waits outside of Tune, where it costs nothing
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
ONE_MACHINE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # binds every port to 127.0.0.1
    "RAY_worker_niceness": "0",
    "RAY_prestart_worker_first_driver": "0",  # Tune's workers have an environment of their own
}
OBJECT_STORE_BYTES = 512 * 2**20
"""For policies on their way to evaluators, 20 MiB for a pack of 64; workers load datasets from files."""


@contextmanager
def connected(
    address: str | None,
    lost: Callable[[str], None],
    runtime_env: dict[str, Any] | None = None,
    debug: bool = False,
) -> Iterator[None]:
    """Ray, started on this machine's cores and GPUs or, with an address, joined; left at the end.

    Args:
        lost: called with a reason, in another thread, when Ray is gone meanwhile.

    Raises:
        HarnessError: where no Ray answers at the address, or one of another version.
    """
    for name, value in (QUIET if address else QUIET | ONE_MACHINE).items():
        os.environ.setdefault(name, value)
    import ray

    # Tune's modules load while Ray's processes start.
    loading = threading.Thread(target=import_module, args=("ray.tune",), daemon=True)
    loading.start()
    quiet: dict[str, Any] = {"log_to_driver": debug, "logging_level": "INFO" if debug else "ERROR"}
    try:
        if address is None:
            _start_here(runtime_env, quiet)
        else:
            _join(address, runtime_env, quiet)
        loading.join()
        processes = raylet(_own_node()["RayletSocketName"]) if address else started_here()
        watch = HeadWatch(ray.get_runtime_context().gcs_address, processes, lost)
        watch.start()
        try:
            yield
        finally:
            watch.stop()
    finally:
        ray.shutdown()


def _start_here(runtime_env: dict[str, Any] | None, quiet: dict[str, Any]) -> None:
    import ray

    for attempt in range(START_TRIES):
        try:
            ray.init(
                address="local",
                num_cpus=cores(),
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address="127.0.0.1",
                runtime_env=runtime_env,
                **quiet,
            )
            return
        except Exception as error:  # Ray gives a busy machine half a minute, then raises a plain Exception
            ray.shutdown()
            if attempt == START_TRIES - 1 or "timed out" not in str(error):
                raise HarnessError(f"Ray does not start on this machine: {_last_line(str(error))}") from error


def _join(address: str, runtime_env: dict[str, Any] | None, quiet: dict[str, Any]) -> None:
    import ray

    if address.startswith("ray://"):
        raise HarnessError(
            f"--address {address}: Ray's client protocol cannot drive a run; give HOST:PORT from a machine "
            "of the cluster, or hand the command to ray job submit"
        )
    where = _answering_address(address)
    try:
        ray.init(address=where, runtime_env=runtime_env, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise HarnessError(f"--address {address}: {_first_line(error)}") from None


def _answering_address(address: str) -> str:
    """The address in full, once something there has answered as Ray's head does."""
    from ray._private import services

    where = address
    if address == "auto":
        try:
            found = services.canonicalize_bootstrap_address("auto")
        except ConnectionError:
            found = None
        if not found:
            raise HarnessError(
                "--address auto: no Ray cluster runs on this machine; start one with ray start --head, "
                "or leave --address out to use this machine alone"
            )
        where = found
    host, colon, port = where.rpartition(":")
    if not colon or not port.isdigit() or not host:
        raise HarnessError(f"--address {address}: write HOST:PORT (Ray's head listens on port 6379) or auto")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS / 2).close()
    except OSError as error:
        raise HarnessError(
            f"--address {address}: no Ray answers at {where} ({error.strerror or error})"
        ) from None
    complaint = _complaint_of_head(where)
    if complaint is not None:
        raise HarnessError(f"--address {address}: no Ray answers at {where} ({complaint})")
    return where


_ASK_HEAD = """
import sys
from ray._raylet import GcsClient
try:
    from ray._private.authentication import authentication_token_setup
    authentication_token_setup.maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
except (ImportError, AttributeError, TypeError):
    pass  # another version of Ray
GcsClient(address=sys.argv[1]).internal_kv_keys(b"harness", namespace=b"harness", timeout=5)
"""


def _complaint_of_head(address: str) -> str | None:
    """Asked in a process of its own, which can be ended: Ray waits a minute, and says so on the way."""
    command = [sys.executable, "-c", _ASK_HEAD, address]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=CONNECT_SECONDS)
    except subprocess.TimeoutExpired:
        return f"nothing within {CONNECT_SECONDS:g} s"
    except subprocess.CalledProcessError as error:
        reason = _last_line(error.stderr)
        if "AuthenticationError" in reason:
            return "the token is missing here or differs; see experiments/cluster/README.md"
        return reason
    return None


def require_equal_machines(store: str, versions: dict[str, str]) -> None:
    """Ask every machine of the cluster whether it has the same packages and sees the results.

    Raises:
        HarnessError: naming the first machine that does not.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    ask = ray.remote(num_cpus=0, max_retries=0)(_look_around)
    answers = [
        ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(
            store, versions
        )
        for node in nodes
    ]
    for host, answer in zip((node["NodeManagerAddress"] for node in nodes), answers, strict=True):
        try:
            complaint = ray.get(answer, timeout=ANSWER_SECONDS)
        except Exception as error:
            if "No module named 'harness'" in str(error):
                complaint = (
                    f"machine {host} does not have this package: install it there, or see --runtime-env"
                )
            else:
                complaint = f"machine {host} cannot run trials ({_last_line(str(error))})"
        if complaint:
            raise HarnessError(complaint)


def _look_around(store: str, versions: dict[str, str]) -> str | None:
    from harness.storage.run_directory import EXPERIMENT
    from harness.storage.stores import open_store
    from harness.tuning.assignment import check_versions

    try:
        check_versions(versions)
        seen = open_store(store).read(EXPERIMENT) is not None
    except HarnessError as error:
        return str(error)
    return (
        None
        if seen
        else (
            f"machine {socket.gethostname()} does not see {store}: choose with --output a directory that all "
            "machines share, or a URL such as s3://bucket/name"
        )
    )


def _own_node() -> dict[str, Any]:
    import ray

    here = ray.get_runtime_context().get_node_id()
    return next(node for node in ray.nodes() if node["NodeID"] == here)  # type: ignore[no-untyped-call]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
