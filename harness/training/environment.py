"""The gymnasium tasks that policies are evaluated on, and whether a dataset fits them."""

from __future__ import annotations

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from harness.datasets.dataset import OfflineDataset
from harness.environments.factory import Environment, make, require_time_limit
from harness.environments.spec import EnvironmentSpec, as_spec
from harness.errors import HarnessError
from harness.trial import Trial


def make_environment(environment: EnvironmentSpec | str) -> Environment:
    """Make an environment that policies can be evaluated on.

    Raises:
        HarnessError: when there is no such environment, its spaces are not flat boxes, or nothing ends its
            episodes.
    """
    spec = as_spec(environment)
    made = make(spec)
    _check(made, str(spec))
    return made


def action_limit(environment: Environment) -> float:
    """The largest action a, of an action space [-a, a]^A."""
    return float(_box(environment.action_space).high[0])


def environment_of(trial: Trial, dataset: OfflineDataset) -> EnvironmentSpec:
    """Return the environment that the trial is evaluated on.

    Raises:
        HarnessError: when neither the trial nor the dataset names one.
    """
    environment = trial.dataset.environment or dataset.environment
    if environment is None:
        reason = f" ({dataset.refusal})" if dataset.refusal else ""
        raise HarnessError(
            f"dataset {dataset.name}: no environment to evaluate on{reason}; name one with `environment:`"
        )
    return as_spec(environment)


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
    require_time_limit(environment, name)


def _box(space: gymnasium.Space[NDArray[np.float32]]) -> Box:
    assert isinstance(space, Box)
    return space
