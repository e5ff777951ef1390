"""The resources of the machines, and how many packs of trials fit on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor

import psutil

from harness.errors import HarnessError
from harness.machine import cores
from harness.tuning.settings import ResourceSettings, TrialResources

Machine = dict[str, float]
"""The resources of a machine, by Ray's names."""


@dataclass(frozen=True)
class Capacity:
    """The resources of the machines of a run.

    Attributes:
        machines: the resources of each machine.
        can_grow: returns whether machines of other kinds may be added.
    """

    machines: Sequence[Machine]
    can_grow: Callable[[], bool] = lambda: False

    @classmethod
    def of_this_machine(cls, with_gpus: bool) -> Capacity:
        """Return the resources of this machine before Ray is started; torch is imported to count its GPUs."""
        machine = {"CPU": float(cores()), "memory": float(psutil.virtual_memory().total)}
        if with_gpus:
            import torch

            machine["GPU"] = float(torch.cuda.device_count())
        return cls([machine])

    @classmethod
    def of_cluster(cls) -> Capacity:
        """Return the resources of the Ray cluster that this process is connected to."""
        import ray

        from harness.tuning.ray_internals import cluster_can_grow

        nodes = ray.nodes()  # type: ignore[no-untyped-call]
        return cls([node["Resources"] for node in nodes if node["Alive"]], cluster_can_grow)

    @property
    def gpus(self) -> float:
        """The total number of GPUs."""
        return sum(machine.get("GPU", 0) for machine in self.machines)

    def requests(self, resources: ResourceSettings, variants: Iterable[str]) -> dict[str, TrialResources]:
        """Return the resources of a trial of each variant, with `auto` evaluators as a number.

        Raises:
            HarnessError: if no machine has the resources of a variant.
        """
        found = {variant: self._with_evaluators(resources.of(variant)) for variant in variants}
        self.require_room(found)
        return found

    def require_room(self, requests: Mapping[str, TrialResources]) -> None:
        """Raise a HarnessError that names the first variant whose trials fit on no machine."""
        for name, request in requests.items():
            wanted = total(request)
            fits = any(
                all(machine.get(resource, 0) >= amount for resource, amount in wanted.items())
                for machine in self.machines
            )
            if fits or self.can_grow():
                continue
            largest = {
                resource: max(machine.get(resource, 0) for machine in self.machines) for resource in wanted
            }
            raise HarnessError(
                f"resources: a trial of {name} requests {listed(wanted)}, but no machine has that much "
                f"(largest: {listed(largest)}); request less"
            )

    def concurrent_packs(self, request: TrialResources) -> int:
        """Return how many packs with this request run at the same time."""
        wanted = {resource: amount for resource, amount in total(request).items() if amount}
        return sum(
            floor(min(machine.get(resource, 0) / amount for resource, amount in wanted.items()) + 1e-9)
            for machine in self.machines
        )

    def _with_evaluators(self, request: TrialResources) -> TrialResources:
        """Return the request with `auto` evaluators as a number: its share of the CPUs, minus its own."""
        if request.evaluators != "auto":
            return request
        shares = [
            machine.get("CPU", 0) * request.gpus / machine["GPU"]
            for machine in self.machines
            if request.gpus and machine.get("GPU", 0) >= request.gpus
        ]
        count = max(0, floor(min(shares) - (request.cpus or 0))) if shares else 0
        return request.model_copy(update={"evaluators": count})


def bundles(request: TrialResources) -> list[Machine]:
    """Return the request as Ray bundles: one for the worker, and one for each evaluator."""
    wanted: Machine = {"CPU": request.cpus or 0}
    if request.gpus:
        wanted["GPU"] = request.gpus
    if request.memory:
        wanted["memory"] = request.memory
    assert isinstance(request.evaluators, int)
    return [wanted] + [{"CPU": 1.0}] * request.evaluators


def total(request: TrialResources) -> Machine:
    """Return the sum of the bundles, which must fit on one machine."""
    own, *others = bundles(request)
    return own | {"CPU": own["CPU"] + len(others)}


def listed(resources: Machine) -> str:
    """Format resources as text, such as `2 CPUs, 1 GPU`."""
    return ", ".join(_amount(resource, amount) for resource, amount in resources.items())


def _amount(resource: str, amount: float) -> str:
    if resource == "memory":
        return f"{amount / 2**30:,.1f} GiB of memory"
    return f"{amount:g} {resource}" + ("" if amount == 1 else "s")
