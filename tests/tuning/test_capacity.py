"""What the driver asks about machines, answered by stand-ins for Ray."""

from __future__ import annotations

import json
from typing import Any

import pytest
import ray
import torch
from ray.autoscaler.v2 import utils
from ray.experimental import internal_kv

from harness.errors import HarnessError
from harness.tuning.capacity import (
    bundles,
    concurrent_packs,
    require_room,
    require_room_here,
    with_evaluators,
)
from harness.tuning.settings import ResourceSettings, TrialResources

WANTED = [("bc", TrialResources(cpus=64, gpus=0.5, evaluators=0))]


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The kinds of machines that Ray reports, on a cluster of one."""
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


def test_resources_that_no_machine_has_are_named(kinds: dict[str, int]) -> None:
    complaint = r"a trial of bc asks for 64 CPUs, 0.5 GPUs, but no machine has that \(the largest: 2 CPUs, 0"
    with pytest.raises(HarnessError, match=complaint):
        require_room(WANTED)
    kinds["node_0a"] = 1  # how Ray reports a cluster that was put together by hand
    with pytest.raises(HarnessError, match=complaint):
        require_room(WANTED)
    require_room([("bc", TrialResources(cpus=2, evaluators=0))])
    with pytest.raises(HarnessError, match=r"asks for 1 CPU, 64.0 GiB of memory, but .* 0.0 GiB of memory\)"):
        require_room([("bc", TrialResources(cpus=1, memory=2**36, evaluators=0))])


def test_a_machine_that_is_too_small_is_known_before_ray_starts() -> None:
    require_room_here(ResourceSettings(), ["bc"])
    with pytest.raises(HarnessError, match=r"a trial of bc asks for 999 CPUs, but no machine has that"):
        require_room_here(ResourceSettings(cpus=999), ["bc"])
    if not torch.cuda.is_available():
        with pytest.raises(
            HarnessError, match=r"asks for 1 CPU, 1 GPU, but .* \(the largest: \d+ CPUs?, 0 GPU"
        ):
            require_room_here(ResourceSettings(gpus=1), ["bc"])


def test_an_autoscaler_may_have_larger_machines(kinds: dict[str, int]) -> None:
    kinds["head"] = 1
    require_room(WANTED)


def test_evaluators_share_the_cores_beside_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = [{"CPU": 16.0, "GPU": 2.0}, {"CPU": 64.0}, {"CPU": 12.0, "GPU": 1.0}]
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": machine} for machine in machines])
    request = with_evaluators(ResourceSettings(gpus=1).of("td3_bc"))
    assert bundles(request) == [{"CPU": 1.0, "GPU": 1.0}] + 7 * [{"CPU": 1.0}]
    assert concurrent_packs(request) == 3
    assert with_evaluators(ResourceSettings(gpus=0.5).of("td3_bc")).evaluators == 3
    assert with_evaluators(ResourceSettings().of("td3_bc")).evaluators == 0
    assert with_evaluators(ResourceSettings(gpus=1, evaluators=2).of("td3_bc")).evaluators == 2
