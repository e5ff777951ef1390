"""Making the gymnasium tasks that policies are evaluated on."""

from __future__ import annotations

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from harness.environments.making import Environment, make
from harness.errors import HarnessError


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
    if environment.spec is None or environment.spec.max_episode_steps is None:
        raise HarnessError(
            f"environment {name}: has no max_episode_steps, so an episode may never end; register one"
        )


def _box(space: gymnasium.Space[NDArray[np.float32]]) -> Box:
    assert isinstance(space, Box)
    return space
