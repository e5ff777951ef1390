"""A results directory with policies that never saw training, for the verbs that use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from harness.algorithms.modules import DeterministicActor
from harness.algorithms.policy import policy_of
from harness.policies.files import PolicyInfo, dumps, loads
from harness.storage.stores import open_store
from harness.training.evaluation import LocalEvaluation
from harness.training.policy_evaluation import PolicyEpisodes, recorded_environment
from harness.trial import Trial
from tests.storage.make import finish, prepared


def write_results(path: Path, **changes: Any) -> Path:
    """Write a finished run of two algorithms and two seeds, whose episodes have five steps."""
    run = prepared(open_store(path), **changes)
    for trial in run.requested_trials():
        record = run.record(trial)
        record.claim(1, 0)
        record.commit_policy("policy.npz", policy_bytes(trial))
        finish(run, trial)
    return path


def policy_bytes(trial: Trial) -> bytes:
    """Return the policy file of a trial, with the returns of two episodes."""
    torch.manual_seed(trial.seed)
    actor = DeterministicActor(3, 8, 1, max_action=2.0)
    policy = policy_of(actor, torch.tensor([0.0, 0.1, 0.0]), torch.tensor([1.0, 1.0, 8.0]))
    info = PolicyInfo(
        variant=trial.algorithm,
        algorithm=trial.hyperparameters.algorithm,
        dataset=trial.dataset.name,
        dataset_digest="0" * 64,
        seed=trial.seed,
        step=1000,
        chosen="final",
        environment="Pendulum-v1",
        environment_changes={"max_episode_steps": 5},
        evaluation_seed=100,
        episode_returns=(),
        reference=(-1200.0, -150.0),
        experiment="small",
        harness_version="0.1.0",
    )
    saved = loads(dumps(policy, info, 3, 1), "policy.npz")
    returns = PolicyEpisodes(saved, recorded_environment(saved), 2, None, LocalEvaluation()).result().returns
    return dumps(policy, info.model_copy(update={"episode_returns": returns}), 3, 1)


def hopper_policy() -> bytes:
    """Return the file of a policy for ten steps of Hopper-v4."""
    torch.manual_seed(0)
    policy = policy_of(DeterministicActor(11, 8, 3, max_action=1.0), torch.zeros(11), torch.ones(11))
    info = PolicyInfo(
        variant="bc",
        algorithm="bc",
        dataset="hopper-medium-v2",
        dataset_digest="0" * 64,
        seed=0,
        step=1,
        chosen="final",
        environment="Hopper-v4",
        environment_changes={"max_episode_steps": 10},
        evaluation_seed=100,
    )
    return dumps(policy, info, 11, 3)
