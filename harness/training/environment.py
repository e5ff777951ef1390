"""Makes the environments that policies are evaluated on, and checks that datasets fit them."""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple

import numpy as np
from gymnasium.spaces import Box

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
        HarnessError: if there is none, its spaces are not one-dimensional boxes, its actions are not
            bounded, or it has no step limit.
    """
    spec = as_spec(environment)
    made = make(spec)
    _spaces(made, spec)
    require_time_limit(made, str(spec))
    return made


def environment_of(trial: Trial, dataset: OfflineDataset) -> EnvironmentSpec:
    """Return the environment that the trial is evaluated on; raise a HarnessError if nothing names one."""
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
        HarnessError: if it cannot be created or evaluated on, violates gymnasium's protocol, or does not fit
            the dataset.
    """
    with closing(make_environment(spec)) as environment:
        spaces = _spaces(environment, spec)
        if dataset is not None:
            name, sizes = f"dataset {dataset.name}", (dataset.observation_size, dataset.action_size)
            advice = "set `environment:` to the task that it was recorded on"
            require_sizes(name, sizes, environment, spec, advice)
            if outside := spaces.action_range.exceeded_by(dataset.actions):
                raise HarnessError(f"{name}: {outside}; data.clip_actions=true clips them")
        check_protocol(environment, str(spec))
        return spaces


def require_sizes(
    name: str, sizes: tuple[int, int], environment: Environment, spec: EnvironmentSpec, advice: str
) -> None:
    """Raise a HarnessError if observations and actions of these sizes do not fit an environment."""
    spaces = environment.observation_space, environment.action_space
    for what, size, space in zip(("observations", "actions"), sizes, spaces, strict=True):
        if space.shape != (size,):
            raise HarnessError(
                f"{name}: {what} have size {size}, but those of environment {spec} have shape {space.shape}; "
                f"{advice}"
            )


def _spaces(environment: Environment, spec: EnvironmentSpec) -> Spaces:
    """Return the size of observations and the bounds of actions; raise a HarnessError for other spaces."""
    observations, actions = environment.observation_space, environment.action_space
    for what, space in (("observation", observations), ("action", actions)):
        if not isinstance(space, Box) or len(space.shape) != 1:
            raise HarnessError(
                f"environment {spec}: its {what} space is {space}; expected a one-dimensional Box"
            )
    assert isinstance(observations, Box)
    assert isinstance(actions, Box)
    if not np.issubdtype(actions.dtype, np.floating):
        raise HarnessError(
            f"environment {spec}: its actions are integers ({actions}); only continuous actions are supported"
        )
    unbounded = np.flatnonzero(~(np.isfinite(actions.low) & np.isfinite(actions.high)))
    if len(unbounded):
        worst = int(unbounded[0])
        raise HarnessError(
            f"environment {spec}: its actions are not bounded (dimension {worst} is in "
            f"[{actions.low[worst]:g}, {actions.high[worst]:g}]); give its action_space finite bounds"
        )
    return Spaces(observations.shape[0], ActionRange.of(actions))
