"""Tests of where the episodes of policies run."""

from __future__ import annotations

import pytest
import torch

from harness.policies.files import dumps, loads
from harness.tuning import evaluating
from tests.policies.test_files import INFO, policy


def saved(kind: str = "deterministic"):
    """Return a policy with a recorded environment whose episodes have five steps."""
    changes = {"environment_changes": {"max_episode_steps": 5}}
    torch.manual_seed(0)
    return loads(dumps(policy(kind, actions=1), INFO.model_copy(update=changes), 3, 1), "x.npz")


def work(*kinds: str):
    from harness.training.policy_evaluation import environment_for

    return [(each, environment_for(each)) for each in map(saved, kinds)]


def test_evaluate_of_little_work_stays_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluating, "_worker_processes", None)
    first, second = evaluating.evaluate(work("deterministic", "deterministic"), episodes=3)
    assert first.returns == second.returns
    assert len(first.returns) == 3


@pytest.mark.slow
def test_evaluate_in_processes_returns_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = work("deterministic", "torch", "gaussian")
    here = [each.returns for each in evaluating.evaluate(wanted, episodes=3)]
    monkeypatch.setattr(evaluating, "RAY_SECONDS", 0.0)
    monkeypatch.setattr(evaluating, "cores", lambda: 2)
    assert [each.returns for each in evaluating.evaluate(wanted, episodes=3)] == here


def test_evaluate_with_a_failing_policy_evaluates_the_others() -> None:
    from harness.environments.spec import EnvironmentSpec

    (policy, environment), *_ = work("deterministic")
    absent = EnvironmentSpec("Absent-v0")
    results = list(evaluating.evaluate([(policy, environment), (policy, absent), (policy, environment)], 2))
    assert "Absent-v0" in str(results[1])
    assert results[0].returns == results[2].returns
