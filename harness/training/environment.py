"""The gymnasium tasks that policies are evaluated on, and whether a dataset fits them."""

from __future__ import annotations

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from harness.datasets.dataset import OfflineDataset
from harness.environments.making import Environment, make, require_end
from harness.errors import HarnessError
from harness.trial import Trial


def make_environment(name: str) -> Environment:
    """The task of that gymnasium id.

    Raises:
        HarnessError: when there is no such task, its spaces are not flat boxes, or nothing ends its episodes.
    """
    environment = make(name)
    _check(environment, name)
    return environment


def action_limit(environment: Environment) -> float:
    """The largest action a, of an action space [-a, a]^A."""
    return float(_box(environment.action_space).high[0])


def environment_name(trial: Trial, dataset: OfflineDataset) -> str:
    """The gymnasium id that the trial is evaluated on."""
    name = trial.dataset.environment or dataset.environment
    if name is None:
        reason = f" ({dataset.refusal})" if dataset.refusal else ""
        raise HarnessError(
            f"dataset {dataset.name}: no environment to evaluate on{reason}; name one with `environment:`"
        )
    return name


def require_fit(dataset: OfflineDataset, environment: Environment) -> None:
    """
    Raises:
        HarnessError: when the dataset's observations or actions are not the environment's.
    """
    limit = action_limit(environment)
    for what, size, space in (
        ("observations", dataset.observation_size, environment.observation_space),
        ("actions", dataset.action_size, environment.action_space),
    ):
        if space.shape != (size,):
            raise HarnessError(
                f"dataset {dataset.name}: {what} have size {size}, those of its environment have shape "
                f"{space.shape}; name its own task with `environment:`"
            )
    largest = float(np.abs(dataset.actions).max())
    if largest > limit * 1.001:
        raise HarnessError(
            f"dataset {dataset.name}: actions reach {largest:g}, those of its environment {limit:g}"
        )


def _check(environment: Environment, name: str) -> None:
    observations, actions = environment.observation_space, environment.action_space
    for what, space in (("observation", observations), ("action", actions)):
        if not isinstance(space, Box) or len(space.shape) != 1:
            raise HarnessError(f"environment {name}: its {what} space is {space}, not a box of one dimension")
    box = _box(actions)
    limit = box.high[0]
    if not (np.isfinite(limit) and np.all(box.high == limit) and np.all(box.low == -limit)):
        raise HarnessError(
            f"environment {name}: its actions are not bounded by [-a, a] alike in all dimensions"
        )
    require_end(environment, name)


def _box(space: gymnasium.Space[NDArray[np.float32]]) -> Box:
    assert isinstance(space, Box)
    return space
