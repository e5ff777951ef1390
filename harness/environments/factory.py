"""Creates gymnasium environments, or explains in one line why one cannot be created."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, TypeAlias

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Box, Dict
from gymnasium.wrappers import TransformObservation
from numpy.typing import NDArray

from harness import user_modules
from harness.environments.spec import EnvironmentSpec, as_spec
from harness.errors import HarnessError, one_line, typed_line

Environment: TypeAlias = gymnasium.Env[NDArray[np.floating], NDArray[np.float32]]


def make(environment: EnvironmentSpec | str) -> Environment:
    """Create an environment from its spec or id.

    The code that runs is always that of the registered environment, never of an entry point in the spec.

    Raises:
        HarnessError: if there is no such environment, its id lacks a version, a package is not installed, or
            the environment raises an exception.
    """
    spec = as_spec(environment)
    wanted = registered(spec.id)
    if not spec.is_registered_task:
        wanted = replace(
            wanted,
            kwargs=wanted.kwargs | dict(spec.kwargs),
            max_episode_steps=spec.max_episode_steps or wanted.max_episode_steps,
            additional_wrappers=wanted.additional_wrappers + spec.wrappers,
        )
    with warnings.catch_warnings():
        # gymnasium warns that -v4 tasks are out of date, but D4RL's scores are for them.
        warnings.simplefilter("ignore")
        try:
            made: Environment = gymnasium.make(wanted, disable_env_checker=True)
        except (gymnasium.error.Error, ImportError, HarnessError) as error:
            raise _cannot_make(spec.id, one_line(error)) from None
        except Exception as error:  # whatever the environment's own code raises
            raise HarnessError(f"environment {spec}: cannot be created ({typed_line(error)})") from error
    return _with_vectors(made, spec) if spec.observation_keys else made


def _with_vectors(environment: Environment, spec: EnvironmentSpec) -> Environment:
    """Concatenate entries of dictionary observations, such as position and goal, into vectors."""
    space = environment.observation_space
    if not isinstance(space, Dict):
        raise HarnessError(
            f"environment {spec.id}: observation_keys require dictionary observations, but it has {space}"
        )
    boxes: list[Box] = []
    for key in spec.observation_keys:
        box = space.spaces.get(key)
        if not isinstance(box, Box):
            raise HarnessError(
                f"environment {spec.id}: observation_keys: its observations have no numeric entry {key!r}; "
                f"they have {', '.join(space.spaces)}"
            )
        boxes.append(box)
    vectors = Box(
        np.concatenate([box.low.ravel() for box in boxes]),
        np.concatenate([box.high.ravel() for box in boxes]),
        dtype=np.result_type(*(box.dtype for box in boxes), np.float32).type,
    )

    def as_vector(observation: Any) -> NDArray[np.floating]:
        vector = np.concatenate([np.ravel(observation[key]) for key in spec.observation_keys])
        return vector.astype(vectors.dtype, copy=False)

    return TransformObservation(environment, as_vector, vectors)


def registered(environment: str) -> EnvSpec:
    """Return gymnasium's spec of exactly this id, after importing the module that it may name.

    Raises:
        HarnessError: if the module cannot be imported, or gymnasium has no environment with exactly this id.
    """
    module, _, name = environment.rpartition(":")
    if module:
        try:
            user_modules.load(module)
        except HarnessError as error:
            raise HarnessError(f"environment {environment}: {error}") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return gymnasium.spec(name)
        except gymnasium.error.Error as error:
            versions = sorted(known for known in gymnasium.registry if known.rpartition("-v")[0] == name)
            if versions:
                raise HarnessError(
                    f"environment {environment}: the id lacks a version; write {versions[-1]}"
                ) from None
            hint = "; write an environment of another package as MODULE:ID"
            if module:
                hint = user_modules.hidden_file(module)
            raise _cannot_make(environment, one_line(error), hint) from None


def step_limit(environment: EnvironmentSpec | str) -> int | None:
    """Return the number of steps after which the environment truncates an episode; None if it never does.

    Raises:
        HarnessError: if gymnasium has no such environment.
    """
    spec = as_spec(environment)
    return spec.max_episode_steps or registered(spec.id).max_episode_steps


def require_time_limit(environment: Environment, name: str) -> None:
    """Require that the environment has a step limit, so that every episode ends."""
    if environment.spec is None or environment.spec.max_episode_steps is None:
        raise HarnessError(
            f"environment {name}: has no max_episode_steps, so an episode may never end; "
            "register it with max_episode_steps=N"
        )


def _cannot_make(environment: str, reason: str, hint: str = "") -> HarnessError:
    return HarnessError(f"environment {environment}: gymnasium cannot make it ({reason}){hint}")
