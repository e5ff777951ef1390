"""Connects to Ray: on this machine only, or an existing cluster."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import harness
from harness.errors import HarnessError, first_line, last_line
from harness.machine import cores
from harness.tuning.capacity import Capacity, listed
from harness.tuning.cluster_access import authentication, find_token, ray_watched, require_answer
from harness.tuning.ray_internals import local_options
from harness.tuning.ray_session import RaySession

START_TRIES = 3

COMMON_VARIABLES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_MAX_PENDING_TRIALS_PG": "64",  # the others wait outside Tune, where they cost nothing
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
LOCAL_VARIABLES = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # binds every port to 127.0.0.1
    "RAY_worker_niceness": "0",
    "RAY_prestart_worker_first_driver": "0",  # Tune's workers have a different environment
}
CLUSTER_VARIABLES = {
    "RAY_NUM_REDIS_GET_RETRIES": "1",  # of 20 to connect; each waits 40 s for a head that has just died
}
SINGLE_RUN_RESOURCE = "harness_of_one_run"
"""The resource that marks a Ray instance that a run has started on its own machine, and that ends with it."""
OBJECT_STORE_BYTES = 512 * 2**20
"""Enough for policies that are sent to evaluators (20 MiB for a pack of 64); datasets are read from files."""


def configure_ray(address: str | None) -> None:
    """Set Ray's environment variables, which it reads when it is first imported.

    Raises:
        HarnessError: if the token file does not exist.
    """
    variables = LOCAL_VARIABLES if address is None else CLUSTER_VARIABLES | authentication(find_token())
    for name, value in (COMMON_VARIABLES | variables).items():
        os.environ.setdefault(name, value)


@contextmanager
def connected(
    address: str | None,
    session: RaySession,
    runtime_env: dict[str, Any] | None = None,
    debug: bool = False,
) -> Iterator[None]:
    """Start Ray on this machine's cores and GPUs or, with an address, join a cluster; leave it at the end.

    If Ray stops in the meantime, the process ends with the reason. Ray prints its own messages only with
    `debug`.

    Raises:
        HarnessError: if Ray does not answer at the address, rejects the token or has another version.
    """
    configure_ray(address)
    if address is not None:
        require_answer(address)
    import ray

    # Tune's modules load while Ray's processes start.
    loading = threading.Thread(target=import_module, args=("ray.tune",), daemon=True)
    loading.start()
    quiet: dict[str, Any] = {"log_to_driver": debug, "logging_level": "INFO" if debug else "ERROR"}
    try:
        with _neutral_folder(session.folder):
            if address is None:
                _start_here(runtime_env, session.folder, quiet)
            else:
                _join(address, runtime_env, quiet)
        loading.join()
        with ray_watched(ray.get_runtime_context().gcs_address, _own_node_address(), session.end_process):
            yield
    finally:
        ray.shutdown()
        # Ray's core has reset the signal to the default of the system, which ends the process without a word.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


@contextmanager
def _neutral_folder(scratch: Path) -> Iterator[None]:
    """Start Ray in a folder that contains only this package.

    Ray puts the driver's current folder first on the path of its workers, where the user's files would shadow
    installed packages of the same name.
    """
    folder = scratch / "path"
    folder.mkdir()
    (folder / "harness").symlink_to(Path(harness.__file__).parent)
    with chdir(folder):
        yield


def _start_here(runtime_env: dict[str, Any] | None, folder: Path, quiet: dict[str, Any]) -> None:
    import ray

    for attempt in range(START_TRIES):
        try:
            ray.init(
                address="local",
                num_cpus=cores(),
                resources={SINGLE_RUN_RESOURCE: 1},
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                runtime_env=runtime_env,
                **local_options(folder),
                **quiet,
            )
            return
        except Exception as error:  # Ray gives up on a busy machine
            ray.shutdown()
            if attempt == START_TRIES - 1 or "timed out" not in str(error):
                reason = last_line(str(error)).rstrip(".")
                raise HarnessError(
                    f"Ray failed to start on this machine: {reason}; if the machine is busy, try again later"
                ) from error


def _join(address: str, runtime_env: dict[str, Any] | None, quiet: dict[str, Any]) -> None:
    import ray

    try:
        ray.init(address=address, runtime_env=runtime_env, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise HarnessError(f"--address {address}: {first_line(error)}") from None
    require_shared(Capacity.of_cluster(), address)


def require_shared(capacity: Capacity, address: str) -> None:
    """Raise a HarnessError if this Ray belongs to another run, because `auto` finds any on this machine."""
    if any(SINGLE_RUN_RESOURCE in machine for machine in capacity.machines):
        raise HarnessError(
            f"--address {address}: this Ray belongs to another run on this machine and ends with that run; "
            "start a cluster with ray start --head and give its HOST:PORT, or omit --address"
        )


def describe_cluster() -> str:
    """Describe the cluster that this process is connected to, which `auto` does not name."""
    import ray

    capacity = Capacity.of_cluster()
    cpus = sum(machine.get("CPU", 0) for machine in capacity.machines)
    found = listed({"machine": len(capacity.machines), "CPU": cpus, "GPU": capacity.gpus})
    return f"joined the Ray cluster at {ray.get_runtime_context().gcs_address}: {found}"


def _own_node_address() -> str:
    """Return HOST:PORT of the Ray node that this process is connected to."""
    import ray

    here = ray.get_runtime_context().get_node_id()
    node = next(node for node in ray.nodes() if node["NodeID"] == here)  # type: ignore[no-untyped-call]
    return f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
