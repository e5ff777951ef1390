"""Checks that an environment follows gymnasium's protocol, with a reset and a few steps."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from harness.errors import HarnessError, typed_line, warn

STEPS = 10
RESET = "reset(self, *, seed=None, options=None) must return (observation, info)"
STEP = "step(action) must return (observation, reward, terminated, truncated, info)"


def check_protocol(environment: gymnasium.Env[Any, Any], name: str) -> None:
    """Reset the environment with a seed, take a few random steps and check what it returns.

    Output of the environment is discarded. If `reset` does not depend on its seed, a warning says that
    evaluations are not reproducible.

    Args:
        environment: an environment with Box observations and actions.
        name: its name in messages.

    Raises:
        HarnessError: if it violates the protocol; the message says how to fix it.
    """
    checked = _CheckedEnvironment(environment, name)
    box, generator = environment.action_space, np.random.default_rng(0)
    assert isinstance(box, Box)
    with redirect_stdout(io.StringIO()):
        if not np.array_equal(checked.reset(), checked.reset()):
            warn(
                f"environment {name}: two resets with the same seed differ, so evaluations cannot be "
                "repeated exactly; draw its randomness from self.np_random after super().reset(seed=seed)"
            )
        for _ in range(STEPS):
            if checked.step(generator.uniform(box.low, box.high).astype(np.float32)):
                return


class _CheckedEnvironment:
    """Wraps an environment and checks everything that it returns."""

    def __init__(self, environment: gymnasium.Env[Any, Any], name: str) -> None:
        self._environment = environment
        self._name = name

    def reset(self) -> NDArray[Any]:
        observation, _ = self._call("reset(seed=0)", lambda: self._environment.reset(seed=0), 2, RESET)
        return self._observation(observation, "reset(seed=0)")

    def step(self, action: NDArray[np.float32]) -> bool:
        """Take a step; return whether the episode ends."""
        observation, reward, terminated, truncated, _ = self._call(
            "step()", lambda: self._environment.step(action), 5, STEP
        )
        self._observation(observation, "step()")
        self._finite(reward, (), "step() returns a reward that is", "return a single finite number")
        for what, end in (("terminated", terminated), ("truncated", truncated)):
            if not isinstance(end, bool | np.bool_):
                raise self._error(f"step() returns {what} as {_describe(end)}; return it as bool({what})")
        return bool(terminated or truncated)

    def _call(self, method: str, call: Callable[[], Any], count: int, rule: str) -> tuple[Any, ...]:
        """Return the results of a method, of which the last one must be a dictionary.

        A wrong signature or number of values inside the environment shows in the text of its exception.
        """
        try:
            result = call()
        except Exception as error:
            signature = isinstance(error, TypeError) and "argument" in str(error)
            wrong = signature or "to unpack" in str(error)
            fix = rule if wrong else "fix the environment, or what it needs on this machine"
            raise self._error(f"{method} raises {typed_line(error)}; {fix}") from error
        if not (isinstance(result, tuple) and len(result) == count and isinstance(result[-1], dict)):
            raise self._error(f"{method} returns {_describe(result)}; {rule}")
        return result

    def _observation(self, observation: Any, method: str) -> NDArray[Any]:
        shape = self._environment.observation_space.shape or ()
        fix = f"return finite numbers of shape {shape}, that of observation_space"
        return self._finite(observation, shape, f"{method} returns an observation that is", fix).copy()

    def _finite(self, value: Any, shape: tuple[int, ...], returned: str, fix: str) -> NDArray[Any]:
        """Return a value as an array after checking that it contains finite numbers and has the shape."""
        values = np.asarray(value)
        numeric = values.dtype.kind in "fiub" and values.shape == shape
        if not numeric or not np.isfinite(values).all():
            raise self._error(f"{returned} {'NaN or infinite' if numeric else _describe(value)}; {fix}")
        return values

    def _error(self, complaint: str) -> HarnessError:
        return HarnessError(f"environment {self._name}: {complaint}")


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)} ({', '.join(type(item).__name__ for item in value)})"
    return f"a value of type {type(value).__name__}"
