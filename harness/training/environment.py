"""Makes the environments that policies are evaluated on, and checks that datasets fit them."""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from harness.datasets.dataset import OfflineDataset
from harness.environments.factory import Environment, make, require_time_limit
from harness.environments.protocol import check_protocol
from harness.environments.spec import EnvironmentSpec, as_spec
from harness.errors import HarnessError
from harness.policies import ActionRange
from harness.trial import Trial


class Spaces(NamedTuple):
    """The observations and actions of an environment."""

    observation_size: int
    action_range: ActionRange


def make_environment(environment: EnvironmentSpec | str) -> Environment:
    """Make an environment that policies can be evaluated on.

    Raises:
        HarnessError: if there is no such environment, its spaces are not one-dimensional boxes, its actions
            are not bounded, or it has no step limit.
    """
    spec = as_spec(environment)
    made = make(spec)
    _check_spaces(made, str(spec))
    require_time_limit(made, str(spec))
    return made


def action_range(environment: Environment) -> ActionRange:
    """Return the bounds of the environment's actions."""
    return ActionRange.of(_box(environment.action_space))


def environment_of(trial: Trial, dataset: OfflineDataset) -> EnvironmentSpec:
    """Return the environment that the trial is evaluated on.

    Raises:
        HarnessError: if neither the trial nor the dataset names one.
    """
    environment = trial.dataset.environment or dataset.environment
    if environment is None:
        reason = f" ({dataset.environment_problem})" if dataset.environment_problem else ""
        raise HarnessError(
            f"dataset {dataset.name}: no environment to evaluate on{reason}; name one with `environment:`"
        )
    own = as_spec(dataset.environment or environment)
    return as_spec(environment).selecting(trial.data.observation_keys or own.observation_keys)


def check_environment(spec: EnvironmentSpec, dataset: OfflineDataset | None = None) -> Spaces:
    """Create an environment and check it before training, together with the dataset if that is loaded.

    Raises:
        HarnessError: if it cannot be created or evaluated on, violates gymnasium's protocol, or its
            observations or actions do not match those of the dataset.
    """
    with closing(make_environment(spec)) as environment:
        if dataset is not None:
            _require_fit(dataset, environment)
        check_protocol(environment, str(spec))
        return Spaces(_box(environment.observation_space).shape[0], action_range(environment))


def _require_fit(dataset: OfflineDataset, environment: Environment) -> None:
    for what, size, space in (
        ("observations", dataset.observation_size, environment.observation_space),
        ("actions", dataset.action_size, environment.action_space),
    ):
        if space.shape != (size,):
            raise HarnessError(
                f"dataset {dataset.name}: {what} have size {size}, but those of its environment have shape "
                f"{space.shape}; set `environment:` to the task that it was recorded on"
            )
    outside = action_range(environment).exceeded_by(dataset.actions)
    if outside is not None:
        raise HarnessError(f"dataset {dataset.name}: {outside}; data.clip_actions=true clips them")


def _check_spaces(environment: Environment, name: str) -> None:
    observations, actions = environment.observation_space, environment.action_space
    for what, space in (("observation", observations), ("action", actions)):
        if not isinstance(space, Box) or len(space.shape) != 1:
            raise HarnessError(
                f"environment {name}: its {what} space is {space}; expected a one-dimensional Box"
            )
    box = _box(actions)
    if not np.issubdtype(box.dtype, np.floating):
        raise HarnessError(
            f"environment {name}: its actions are integers ({box}); only continuous actions are supported"
        )
    unbounded = np.flatnonzero(~(np.isfinite(box.low) & np.isfinite(box.high)))
    if len(unbounded):
        worst = int(unbounded[0])
        raise HarnessError(
            f"environment {name}: its actions are not bounded (dimension {worst} is in "
            f"[{box.low[worst]:g}, {box.high[worst]:g}]); give its action_space finite bounds"
        )


def _box(space: gymnasium.Space[NDArray[np.float32]]) -> Box:
    assert isinstance(space, Box)
    return space
