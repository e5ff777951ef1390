"""Turns dictionary observations into vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict
from numpy.typing import NDArray

from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError


class ConcatenatedObservation(gymnasium.ObservationWrapper[NDArray[np.floating], NDArray[np.float32], Any]):
    """Concatenates numeric entries of dictionary observations, such as position and goal, into a vector."""

    def __init__(self, environment: gymnasium.Env[Any, NDArray[np.float32]], spec: EnvironmentSpec) -> None:
        super().__init__(environment)
        self._keys = spec.observation_keys
        space = environment.observation_space
        if not isinstance(space, Dict):
            raise HarnessError(
                f"environment {spec.id}: observation_keys require dictionary observations, but it has {space}"
            )
        boxes = []
        for key in self._keys:
            box = space.spaces.get(key)
            if not isinstance(box, Box):
                found = ", ".join(space.spaces)
                raise HarnessError(
                    f"environment {spec.id}: observation_keys: its observations have no numeric entry "
                    f"{key!r}; they have {found}"
                )
            boxes.append(box)
        self.observation_space = Box(
            np.concatenate([box.low.ravel() for box in boxes]),
            np.concatenate([box.high.ravel() for box in boxes]),
            dtype=np.result_type(*(box.dtype for box in boxes), np.float32).type,
        )

    def observation(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.floating]:
        """Return the entries as one vector [S]."""
        vector = np.concatenate([np.ravel(observation[key]) for key in self._keys])
        return vector.astype(self.observation_space.dtype, copy=False)
