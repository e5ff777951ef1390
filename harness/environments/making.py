"""Making a gymnasium task, or saying in one line why not."""

from __future__ import annotations

import warnings
from typing import TypeAlias

import gymnasium
import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError

Environment: TypeAlias = gymnasium.Env[NDArray[np.floating], NDArray[np.float32]]


def make(name: str) -> Environment:
    """The task of that gymnasium id.

    Raises:
        HarnessError: when there is no such task, its version is left out, what it needs is not installed, or
            making it fails.
    """
    with warnings.catch_warnings():
        # gymnasium calls every -v4 task out of date; D4RL is measured on them.
        warnings.simplefilter("ignore")
        try:
            environment: Environment = gymnasium.make(name, disable_env_checker=True)
        except (gymnasium.error.Error, ImportError) as error:
            reason = " ".join(str(error).split())
            raise HarnessError(f"environment {name}: gymnasium cannot make it ({reason})") from None
        except Exception as error:  # of the task's own
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise HarnessError(f"environment {name}: making it fails ({reason})") from error
    if environment.spec is not None and environment.spec.id != name.rpartition(":")[2]:
        raise HarnessError(f"environment {name}: write {environment.spec.id}; versions of a task differ")
    return environment


def require_end(environment: Environment, name: str) -> None:
    """
    Raises:
        HarnessError: when nothing ends an episode of the task.
    """
    if environment.spec is None or environment.spec.max_episode_steps is None:
        raise HarnessError(
            f"environment {name}: has no max_episode_steps, so an episode may never end; register one"
        )
