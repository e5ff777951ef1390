"""What the machines have, and how many packs of trials that is room for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from math import floor

import psutil

from harness.errors import HarnessError
from harness.machine import cores
from harness.tuning.settings import ResourceSettings, TrialResources

Machine = dict[str, float]
"""Amounts by Ray's names of resources."""


def require_room(requests: Sequence[tuple[str, TrialResources]]) -> None:
    """Check that each trial fits on a machine of the cluster, or on one that the cluster may add.

    Args:
        requests: by variant, what its trials ask for.

    Raises:
        HarnessError: naming what the first variant that does not fit asks for.
    """
    _require_room(requests, _machines(), _can_grow)


def require_room_here(resources: ResourceSettings, columns: Iterable[str]) -> None:
    """Check that this machine can hold a trial of each variant, before anything is downloaded or started.

    Raises:
        HarnessError: naming what the first variant that does not fit asks for.
    """
    machine = {"CPU": float(cores()), "memory": float(psutil.virtual_memory().total)}
    requests = [(column, resources.of(column)) for column in columns]
    if any(request.gpus for _, request in requests):
        import torch

        machine["GPU"] = float(torch.cuda.device_count())
    # `auto` takes what is left.
    certain = [
        (column, request.model_copy(update={"evaluators": 0}) if request.evaluators == "auto" else request)
        for column, request in requests
    ]
    _require_room(certain, [machine], lambda: False)


def _require_room(
    requests: Sequence[tuple[str, TrialResources]], machines: Sequence[Machine], can_grow: Callable[[], bool]
) -> None:
    for name, request in requests:
        wanted = total(request)
        if not any(_fits(wanted, machine) for machine in machines) and not can_grow():
            largest = {resource: max(machine.get(resource, 0) for machine in machines) for resource in wanted}
            raise HarnessError(
                f"resources: a trial of {name} asks for {_listed(wanted)}, but no machine has that "
                f"(the largest: {_listed(largest)})"
            )


def gpus() -> float:
    """Return the number of GPUs of all machines together."""
    return sum(machine.get("GPU", 0) for machine in _machines())


def concurrent_packs(request: TrialResources) -> int:
    """Return how many such packs run at the same time."""
    wanted = total(request)
    return sum(
        floor(min(machine.get(resource, 0) / amount for resource, amount in wanted.items() if amount) + 1e-9)
        for machine in _machines()
    )


def with_evaluators(request: TrialResources) -> TrialResources:
    """Return the request with `auto` evaluators as a number: its share of a machine's CPUs, less its own."""
    if request.evaluators != "auto":
        return request
    shares = [
        machine.get("CPU", 0) * request.gpus / machine["GPU"]
        for machine in _machines()
        if request.gpus and machine.get("GPU", 0) >= request.gpus
    ]
    count = max(0, floor(min(shares) - (request.cpus or 0))) if shares else 0
    return request.model_copy(update={"evaluators": count})


def bundles(request: TrialResources) -> list[Machine]:
    """Return the request as Ray's bundles: the worker's, and one for each evaluator."""
    wanted: Machine = {"CPU": request.cpus or 0}
    if request.gpus:
        wanted["GPU"] = request.gpus
    if request.memory:
        wanted["memory"] = request.memory
    assert isinstance(request.evaluators, int)
    return [wanted] + [{"CPU": 1.0}] * request.evaluators


def total(request: TrialResources) -> Machine:
    """Return the sum of the bundles, which are all on one machine."""
    own, *others = bundles(request)
    return own | {"CPU": own["CPU"] + len(others)}


def _machines() -> list[Machine]:
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


def _fits(wanted: Machine, machine: Machine) -> bool:
    return all(machine.get(resource, 0) >= amount for resource, amount in wanted.items())


def _can_grow() -> bool:
    """Return whether an autoscaler may add machines of further kinds.

    Ray reports on clusters without an autoscaler too; there every machine is a kind, named after its id.
    """
    import ray
    from ray.autoscaler.v2.utils import is_autoscaler_v2
    from ray.experimental.internal_kv import _internal_kv_get

    if is_autoscaler_v2() or _internal_kv_get("__autoscaling_error") is not None:
        return True
    status = json.loads(_internal_kv_get("__autoscaling_status") or b"{}")
    kinds = (status.get("autoscaler_report") or {}).get("active_nodes") or {}
    return not set(kinds) <= {f"node_{node['NodeID']}" for node in ray.nodes()}  # type: ignore[no-untyped-call]


def _listed(resources: Machine) -> str:
    return ", ".join(_amount(resource, amount) for resource, amount in resources.items())


def _amount(resource: str, amount: float) -> str:
    if resource == "memory":
        return f"{amount / 2**30:,.1f} GiB of memory"
    return f"{amount:g} {resource}" + ("" if amount == 1 else "s")
