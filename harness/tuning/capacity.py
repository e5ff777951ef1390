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
    """
    Raises:
        HarnessError: when no machine of the cluster, and none that it may grow by, can hold a trial.
    """
    _require_room(requests, _machines(), _can_grow)


def require_room_here(resources: ResourceSettings, columns: Iterable[str]) -> None:
    """Before anything is downloaded or started, on this machine alone.

    Raises:
        HarnessError: when it cannot hold a trial.
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
    """Of all machines together."""
    return sum(machine.get("GPU", 0) for machine in _machines())


def concurrent_packs(request: TrialResources) -> int:
    """Return how many such packs run at the same time."""
    wanted = total(request)
    return sum(
        floor(min(machine.get(resource, 0) / amount for resource, amount in wanted.items() if amount) + 1e-9)
        for machine in _machines()
    )


def with_evaluators(request: TrialResources) -> TrialResources:
    """The request with `auto` evaluators counted: the CPUs of a pack's share of its machine, less its own."""
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
    """The request in Ray's words: the worker's own, and one for each evaluator."""
    wanted: Machine = {"CPU": request.cpus or 0}
    if request.gpus:
        wanted["GPU"] = request.gpus
    if request.memory:
        wanted["memory"] = request.memory
    assert isinstance(request.evaluators, int)
    return [wanted] + [{"CPU": 1.0}] * request.evaluators


def total(request: TrialResources) -> Machine:
    """What the bundles come to; they are all on one machine."""
    own, *others = bundles(request)
    return own | {"CPU": own["CPU"] + len(others)}


def _machines() -> list[Machine]:
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


def _fits(wanted: Machine, machine: Machine) -> bool:
    return all(machine.get(resource, 0) >= amount for resource, amount in wanted.items())


def _can_grow() -> bool:
    """Whether an autoscaler may add machines of kinds that are not there yet.

    Ray reports on clusters without one too; there every machine is a kind of its own, named after its id.
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
