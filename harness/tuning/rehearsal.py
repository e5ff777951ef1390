"""Trains algorithms that are not built in for a few gradient steps before a run starts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.algorithms import learner_class, resolve
from harness.errors import HarnessError, warn
from harness.trial import Trial
from harness.tuning.plan import TYPICAL_SIZES, Sizes

if TYPE_CHECKING:
    from harness.algorithms.learner import BatchLearner, State

SEEDS = (0, 1)
"""Two seeds, because tensors of the wrong shape can match others by broadcasting with one."""
GRADIENT_STEPS = 4
MAX_SECONDS = 10.0
"""The time limit for all variants together, so that a large search is not delayed."""


def rehearse(trials: Sequence[Trial], sizes: Mapping[str, Sizes]) -> None:
    """Train each variant whose algorithm is not built in for a few gradient steps on made-up data.

    Warns of networks that are not trained and of results that would not be reproducible. Exceptions of the
    user's own code with one seed are ignored here; the trial will fail with them. `sizes` are by dataset, as
    far as known.

    Raises:
        HarnessError: if a learner violates its contract: losses, metrics or actions of the wrong shape, a
            loss that does not depend on its network, an unknown network, state that would not be saved, or
            an update that fails with two seeds.
    """
    end = time.monotonic() + MAX_SECONDS
    for trial in {trial.algorithm: trial for trial in trials}.values():
        if resolve(trial.hyperparameters.algorithm).built_in or time.monotonic() > end:
            continue
        try:
            _rehearse(trial, sizes.get(trial.dataset.name, TYPICAL_SIZES))
        except HarnessError as error:
            if isinstance(error.__cause__, HarnessError | None):
                raise
        except Exception:
            continue


def _rehearse(trial: Trial, sizes: Sizes) -> None:
    from harness.algorithms.contract import require_policy
    from harness.algorithms.made_up_data import made_up_data

    settings = trial.hyperparameters
    algorithm = learner_class(settings)
    data = made_up_data(algorithm.fields, *sizes)
    pack, alone = algorithm(settings, data, SEEDS), algorithm(settings, data, SEEDS[:1])
    alone.train(GRADIENT_STEPS)
    require_policy(f"algorithm {trial.algorithm}", alone.policy(0), *sizes)
    try:
        pack.train(GRADIENT_STEPS)
    except HarnessError as error:
        raise HarnessError(
            f"algorithm {trial.algorithm}: update() fails with two seeds, though not with one: {error}; "
            "the first dimension of its tensors is the seed, [M, n, ...]"
        ) from None
    untrained = ", ".join(_untrained(alone))
    if untrained:
        warn(
            f"algorithm {trial.algorithm}: its first {GRADIENT_STEPS} gradient steps do not train "
            f"{untrained}; call self.minimize in update() for every network that should learn"
        )
    if settings.batch_size % 32 == 0 and not _equal(pack.state_dict(0), alone.state_dict(0)):
        warn(
            f"algorithm {trial.algorithm}: its results are not reproducible, because a seed trains "
            "differently next to another seed than alone; draw random numbers with self.normal or "
            "self.uniform (nn.Dropout does not), and let no loss depend on another seed"
        )


def _untrained(learner: BatchLearner[Any]) -> list[str]:
    """Return the networks that could be trained, but that no gradient step has changed."""
    from harness.algorithms import AutogradLearner  # imports torch

    if not isinstance(learner, AutogradLearner):
        return []
    state = learner.state_dict(0)
    return [
        name
        for name, network in learner.networks_of_seed(SEEDS[0]).items()
        if any(each.requires_grad for each in network.parameters()) and not state[f"{name}.updates"]
    ]


def _equal(one: State, other: State) -> bool:
    return all(np.array_equal(value, other[name], equal_nan=True) for name, value in one.items())
