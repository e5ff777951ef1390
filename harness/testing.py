"""Checks of algorithms, for the tests of packages that provide their own."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np
import torch

from harness.algorithms import Hyperparameters
from harness.algorithms.contract import require_policy
from harness.algorithms.learner import BatchLearner, State
from harness.algorithms.made_up_data import made_up_data
from harness.algorithms.registry import require_learner
from harness.datasets.settings import DatasetSettings
from harness.environments.spec import EnvironmentSpec
from harness.machine import one_thread
from harness.training import Evaluator, Trainer
from harness.training.settings import EvaluationSettings, TrainingSettings
from harness.trial import Trial

STATES, ACTIONS, MAX_ACTION, TRANSITIONS = 5, 2, 1.5, 400
EXPERT_DATA, ENVIRONMENT, EPISODES = "pendulum-expert-v0", EnvironmentSpec("Pendulum-v1"), 10


def check_algorithm(
    algorithm: type[BatchLearner[Any]],
    settings: Mapping[str, object] | None = None,
    *,
    gradient_steps: int = 1000,
    improves: bool = True,
) -> None:
    """Check that a learner keeps the harness's promises to users.

    A seed gives the same result alone and in a pack; training resumes bit for bit from a checkpoint; metrics
    are numbers; the policy's actions are finite and have the right shape; gradient steps can be captured in a
    CUDA graph where there is a GPU; and after `gradient_steps` on Pendulum's expert data the policy is better
    than it was before.

    Args:
        algorithm: the class, such as `my_lab.iql.IQL`.
        settings: hyper-parameters that differ from their defaults.
        gradient_steps: how long to train on Pendulum's expert data.
        improves: whether to train on Pendulum's expert data at all.

    Raises:
        AssertionError: if a promise is broken; the message names it.
        HarnessError: if the class is not a learner, or its networks, losses, metrics or actions have the
            wrong shape.
    """
    name = f"{algorithm.__module__}:{algorithm.__qualname__}"
    require_learner(algorithm, name)
    chosen = algorithm.hyperparameters_class.model_validate({"algorithm": name, **(settings or {})})
    small = chosen.model_copy(update={"batch_size": 32, "hidden_sizes": (24, 16)})
    data = made_up_data(algorithm.fields, STATES, ACTIONS, max_action=MAX_ACTION, transitions=TRANSITIONS)
    new = partial(algorithm, small, data)
    with one_thread():
        _check_pack(new)
        _check_resume(new)
        if torch.cuda.is_available():
            _check_graph(new)
        if improves:
            _check_improvement(chosen, gradient_steps)


def _check_pack(new: Callable[..., BatchLearner[Any]]) -> None:
    """Check what a pack of three seeds returns, and that each seed is the same as alone."""
    seeds = (4, 0, 9)
    pack = new(seeds)
    pack.train(20)
    metrics = pack.metrics()
    assert all(math.isfinite(number) for own in metrics for number in own.values()), (
        f"metrics are not finite: {metrics[0]}"
    )
    for index, seed in enumerate(seeds):
        alone = new((seed,))
        alone.train(20)
        policy = alone.policy(0)
        require_policy(type(pack).__name__, policy, STATES, ACTIONS)
        assert np.isfinite(policy(np.zeros((7, STATES)))).all(), "the policy's actions are not finite"
        _assert_equal(
            alone.state_dict(0),
            pack.state_dict(index),
            f"seed {seed} differs between training alone and in a pack: its loss depends on another seed, "
            "or it draws random numbers by other means than self.normal and self.uniform",
        )


def _check_resume(new: Callable[..., BatchLearner[Any]]) -> None:
    whole, first, second = (new((3,)) for _ in range(3))
    whole.train(30)
    first.train(11)
    file = io.BytesIO()
    torch.save(first.state_dict(0), file)
    file.seek(0)
    second.load_state_dict(0, torch.load(file, weights_only=True))
    second.train(19)
    _assert_equal(
        whole.state_dict(0),
        second.state_dict(0),
        "training that resumes from a checkpoint ends differently: the learner has state that is not in "
        "networks() and not registered with self.register_tensor, such as a counter (use self.every)",
    )


def _check_graph(new: Callable[..., BatchLearner[Any]]) -> None:
    graphed, eager = (new((0, 1), device="cuda") for _ in range(2))
    vars(eager)["_eager"] = True
    for learner in (graphed, eager):
        learner.train(60)
    one, other = eager.state_dict(0), graphed.state_dict(0)
    for name, value in one.items():
        close = torch.allclose(torch.as_tensor(value), torch.as_tensor(other[name]), atol=1e-4)
        assert close, f"{name} differs between steps in a CUDA graph and eager steps"


def _check_improvement(settings: Hyperparameters, gradient_steps: int) -> None:
    trial = Trial(
        algorithm="checked",
        dataset=DatasetSettings(name=EXPERT_DATA),
        seed=0,
        hyperparameters=settings,
        training=TrainingSettings(gradient_steps=gradient_steps),
        evaluation=EvaluationSettings(interval=gradient_steps, episodes=EPISODES),
    )
    with closing(Trainer(trial)) as trainer, closing(Evaluator(ENVIRONMENT, EPISODES)) as evaluator:
        before = np.mean(evaluator.evaluate(trainer.policy(), range(EPISODES)).returns)
        trainer.advance()
        after = np.mean(evaluator.evaluate(trainer.policy(), range(EPISODES)).returns)
    assert after > before, (
        f"after {gradient_steps} gradient steps on {EXPERT_DATA} the mean return is {after:.0f}, not better "
        f"than {before:.0f} before training"
    )


def _assert_equal(one: State, other: State, reason: str) -> None:
    assert one.keys() == other.keys(), reason
    for name, value in one.items():
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(other[name])), f"{name}: {reason}"
