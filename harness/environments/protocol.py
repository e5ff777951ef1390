"""Checks that an environment follows gymnasium's protocol, with a reset and a few steps."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from harness.errors import HarnessError, HarnessWarning, typed_line

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
    with redirect_stdout(io.StringIO()):
        first, second = (_CheckedEnvironment(environment, name).reset() for _ in range(2))
        if not np.array_equal(first, second):
            warnings.warn(
                f"environment {name}: two resets with the same seed differ, so evaluations cannot be "
                "repeated exactly; draw its randomness from self.np_random after super().reset(seed=seed)",
                HarnessWarning,
                stacklevel=2,
            )
        _CheckedEnvironment(environment, name).run(STEPS)


class _CheckedEnvironment:
    """Wraps an environment and checks everything that it returns."""

    def __init__(self, environment: gymnasium.Env[Any, Any], name: str) -> None:
        self._environment = environment
        self._name = name

    def reset(self) -> NDArray[Any]:
        try:
            result = self._environment.reset(seed=0)
        except Exception as error:
            raise self._explain("reset(seed=0)", error, RESET) from error
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict)):
            raise self._error(f"reset() returns {_describe(result)}; {RESET}")
        return self._observation(result[0], "reset")

    def run(self, steps: int) -> None:
        """Take steps with random actions until the episode ends."""
        self.reset()
        box = self._environment.action_space
        assert isinstance(box, Box)
        generator = np.random.default_rng(0)
        for _ in range(steps):
            if self._step(generator.uniform(box.low, box.high).astype(np.float32)):
                return

    def _step(self, action: NDArray[np.float32]) -> bool:
        try:
            result: Any = self._environment.step(action)
        except Exception as error:
            raise self._explain("step()", error, STEP) from error
        if not (isinstance(result, tuple) and len(result) == 5 and isinstance(result[4], dict)):
            raise self._error(f"step() returns {_describe(result)}; {STEP}")
        observation, reward, terminated, truncated, _ = result
        self._observation(observation, "step")
        self._finite(reward, (), "step() returns a reward that is", "return a single finite number")
        for what, end in (("terminated", terminated), ("truncated", truncated)):
            if not isinstance(end, bool | np.bool_):
                raise self._error(f"step() returns {what} as {_describe(end)}; return it as bool({what})")
        return bool(terminated or truncated)

    def _observation(self, observation: Any, method: str) -> NDArray[Any]:
        shape = self._environment.observation_space.shape or ()
        fix = f"return finite numbers of shape {shape}, that of observation_space"
        return self._finite(observation, shape, f"{method}() returns an observation that is", fix).copy()

    def _finite(self, value: Any, shape: tuple[int, ...], returned: str, fix: str) -> NDArray[Any]:
        """Return a value as an array after checking that it contains finite numbers and has the shape."""
        values = np.asarray(value)
        numeric = values.dtype.kind in "fiub" and values.shape == shape
        if not numeric or not np.isfinite(values).all():
            raise self._error(f"{returned} {'NaN or infinite' if numeric else _describe(value)}; {fix}")
        return values

    def _explain(self, method: str, error: Exception, rule: str) -> HarnessError:
        """Explain an exception; a wrong signature or number of return values shows in its type or text."""
        signature = isinstance(error, TypeError) and "argument" in str(error)
        unpacking = "to unpack" in str(error)
        fix = rule if signature or unpacking else "fix the environment, or what it needs on this machine"
        return self._error(f"{method} raises {typed_line(error)}; {fix}")

    def _error(self, complaint: str) -> HarnessError:
        return HarnessError(f"environment {self._name}: {complaint}")


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)} ({', '.join(type(item).__name__ for item in value)})"
    return f"a value of type {type(value).__name__}"
