"""Tests of which process runs which episodes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from harness.tuning.remote_evaluation import RemoteEvaluation
from harness.tuning.runtime_env import WorkerPaths


def test_submit_balances_long_episodes_among_processes() -> None:
    given: list[list[float]] = []

    def new_actor(paths: WorkerPaths) -> Any:
        own: list[float] = []
        given.append(own)
        return SimpleNamespace(
            run=SimpleNamespace(remote=lambda environment, policy, seeds: own.append(policy))
        )

    service = RemoteEvaluation(5, WorkerPaths(), new_actor)
    for _ in range(20):
        for seconds in (0.1, 0.5, 0.3, 0.5, 1.0) * 5:
            service.submit("Hopper-v4", seconds, [0], seconds)  # type: ignore[arg-type]
    work = [sum(own) for own in given]
    assert max(work) - min(work) <= 1.0
