"""Tests of the resources of machines; Ray is faked for clusters."""

from __future__ import annotations

import json
from typing import Any

import pytest
import ray
import torch
from ray.autoscaler.v2 import utils
from ray.experimental import internal_kv

from harness.errors import HarnessError
from harness.tuning.capacity import Capacity, bundles
from harness.tuning.settings import ResourceSettings, TrialResources

WANTED = {"bc": TrialResources(cpus=64, gpus=0.5, evaluators=0)}


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Return the machine types that Ray reports, for a cluster of one machine."""
    active: dict[str, int] = {}
    report: dict[str, Any] = {"autoscaler_report": {"active_nodes": active}}
    node = {"NodeID": "0a", "Alive": True, "Resources": {"CPU": 2.0}}
    monkeypatch.setattr(ray, "nodes", lambda: [node])
    monkeypatch.setattr(utils, "is_autoscaler_v2", lambda: False)
    monkeypatch.setattr(
        internal_kv,
        "_internal_kv_get",
        lambda key: json.dumps(report).encode() if key == "__autoscaling_status" else None,
    )
    return active


def test_require_room_without_a_large_machine_names_what_is_missing(kinds: dict[str, int]) -> None:
    complaint = r"a trial of bc requests 64 CPUs, 0.5 GPUs, but no machine has that much \(largest: 2 CPUs, 0"
    cluster = Capacity.of_cluster()
    with pytest.raises(HarnessError, match=complaint):
        cluster.require_room(WANTED)
    kinds["node_0a"] = 1  # as Ray reports a cluster without an autoscaler
    with pytest.raises(HarnessError, match=complaint):
        cluster.require_room(WANTED)
    cluster.require_room({"bc": TrialResources(cpus=2, evaluators=0)})
    with pytest.raises(HarnessError, match=r"requests 1 CPU, 64.0 GiB of memory, but .* 0.0 GiB of memory\)"):
        cluster.require_room({"bc": TrialResources(cpus=1, memory=2**36, evaluators=0)})


def test_require_room_with_an_autoscaler_accepts_larger_requests(kinds: dict[str, int]) -> None:
    kinds["head"] = 1
    Capacity.of_cluster().require_room(WANTED)


def test_requests_too_large_for_this_machine_are_rejected_without_ray() -> None:
    Capacity.of_this_machine(with_gpus=False).requests(ResourceSettings(), ["bc"])
    with pytest.raises(HarnessError, match=r"a trial of bc requests 999 CPUs, but no machine has that"):
        Capacity.of_this_machine(with_gpus=False).requests(ResourceSettings(cpus=999), ["bc"])
    if not torch.cuda.is_available():
        complaint = r"requests 1 CPU, 1 GPU, but .* \(largest: \d+ CPUs?, 0 GPU"
        with pytest.raises(HarnessError, match=complaint):
            Capacity.of_this_machine(with_gpus=True).requests(ResourceSettings(gpus=1), ["bc"])


def test_requests_with_auto_evaluators_share_the_cores_of_a_gpu() -> None:
    capacity = Capacity([{"CPU": 16.0, "GPU": 2.0}, {"CPU": 64.0}, {"CPU": 12.0, "GPU": 1.0}])

    def request(**resources: Any) -> TrialResources:
        return capacity.requests(ResourceSettings(**resources), ["td3_bc"])["td3_bc"]

    assert capacity.gpus == 3
    assert bundles(request(gpus=1)) == [{"CPU": 1.0, "GPU": 1.0}] + 7 * [{"CPU": 1.0}]
    assert capacity.concurrent_packs(request(gpus=1)) == 3
    assert request(gpus=0.5).evaluators == 3
    assert request().evaluators == 0
    assert request(gpus=1, evaluators=2).evaluators == 2
