"""Checks that every machine of a cluster can run trials and gives the same results."""

from __future__ import annotations

import socket

from harness.errors import HarnessError

ANSWER_SECONDS = 120.0
"""The longest wait for a machine, which may have to set up its runtime environment first."""


def require_equal_machines(store: str, versions: dict[str, str]) -> None:
    """Ask every machine of the cluster whether it has the same packages and sees the results.

    Args:
        store: the results directory or its URL.
        versions: the driver's versions of packages.

    Raises:
        HarnessError: if a machine differs; the message names the first one.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    ask = ray.remote(num_cpus=0, max_retries=0)(_check_node)
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
                    f"machine {host} does not have this package; install it there, or use --runtime-env"
                )
            else:
                reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
                complaint = f"machine {host} cannot run trials ({reason})"
        if complaint:
            raise HarnessError(complaint)


def _check_node(store: str, versions: dict[str, str]) -> str | None:
    """Return what is wrong with the machine on which this runs; None if nothing is."""
    from harness.storage.run_directory import EXPERIMENT
    from harness.storage.stores import open_store
    from harness.tuning.assignment import check_versions

    try:
        check_versions(versions)
        if open_store(store).read(EXPERIMENT) is not None:
            return None
    except HarnessError as error:
        return str(error)
    return (
        f"machine {socket.gethostname()} cannot find {store}; set --output to a directory that all machines "
        "share, or to a URL such as s3://bucket/name"
    )
