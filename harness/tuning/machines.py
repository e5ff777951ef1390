"""Checks that every machine of a run can run trials, with the packages that give the same results."""

from __future__ import annotations

import socket

from harness.errors import HarnessError, last_line
from harness.storage.provenance import versions
from harness.storage.run_directory import has_begun
from harness.storage.stores import open_store

MUST_MATCH = ("harness", "torch", "numpy", "gymnasium")
"""Packages whose versions must agree on all machines of a run; builds (`+cpu`, `+cu126`) may differ."""
ANSWER_SECONDS = 120.0
"""The longest wait for a machine, which may have to set up its runtime environment first."""


class VersionMismatchError(HarnessError):
    """Raised if the versions of packages on a machine would change results."""


def check_versions(driver: dict[str, str]) -> None:
    """Raise a VersionMismatchError unless this machine has the driver's versions in `MUST_MATCH`."""
    here = versions()
    for name in MUST_MATCH:
        if _release(driver.get(name)) != _release(here.get(name)):
            raise VersionMismatchError(
                f"machine {socket.gethostname()} has {name} {here.get(name, 'missing')}, but the driver has "
                f"{driver.get(name, 'missing')}; install the same version on both"
            )


def _release(version: str | None) -> str | None:
    return version.partition("+")[0] if version is not None else None


def require_equal_machines(store: str) -> None:
    """Raise a HarnessError that names the first machine with other packages or no access to the results."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    ask = ray.remote(num_cpus=0, max_retries=0)(_complaint)
    answers = [
        ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(
            store, versions()
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
                complaint = f"machine {host} cannot run trials ({last_line(str(error))})"
        if complaint:
            raise HarnessError(complaint)


def _complaint(store: str, driver: dict[str, str]) -> str | None:
    """Return what is wrong with the machine on which this runs; None if nothing is."""
    try:
        check_versions(driver)
        if has_begun(open_store(store)):
            return None
    except HarnessError as error:
        return str(error)
    return (
        f"machine {socket.gethostname()} cannot find {store}; set --output to a directory that all machines "
        "share, or to a URL such as s3://bucket/name"
    )
