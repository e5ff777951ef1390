"""Which process runs whose episodes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.tuning.remote_evaluation import RemoteEvaluation
from harness.tuning.shipping import WorkerPaths


def test_whose_episodes_last_long_is_not_always_the_same_process(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[float]] = []

    def new_actor(service: RemoteEvaluation) -> Any:
        own: list[float] = []
        given.append(own)
        return SimpleNamespace(
            run=SimpleNamespace(remote=lambda environment, policy, seeds: own.append(policy))
        )

    monkeypatch.setattr(RemoteEvaluation, "_new_actor", new_actor)
    service = RemoteEvaluation(5, WorkerPaths())
    for _ in range(20):
        for seconds in (0.1, 0.5, 0.3, 0.5, 1.0) * 5:
            service.submit("Hopper-v4", seconds, [0], seconds)  # type: ignore[arg-type]
    work = [sum(own) for own in given]
    assert max(work) - min(work) <= 1.0
