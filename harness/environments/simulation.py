"""The base class of the tasks that this package defines: a MuJoCo model as a gymnasium environment."""

from __future__ import annotations

from typing import Any, TypeAlias

import gymnasium
import mujoco
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

Observation: TypeAlias = NDArray[np.float64]
Action: TypeAlias = NDArray[np.float32]
StepResult: TypeAlias = tuple[Observation, float, bool, bool, dict[str, Any]]

PICTURE_SIZE = 480
"""The width and height of pictures in pixels, as in gymnasium's own MuJoCo tasks."""


class Simulation(gymnasium.Env[Observation, Action]):
    """A MuJoCo model that takes `frame_skip` simulation steps for each action in [-1, 1]^nu.

    Subclasses define `reset` and `step`. Instances of a task share a compiled model, which is never modified.
    """

    metadata = {"render_modes": ["human", "rgb_array", "depth_array"]}  # noqa: RUF012 (gymnasium's own form)

    def __init__(
        self, model: mujoco.MjModel, frame_skip: int, observation_size: int, render_mode: str | None
    ) -> None:
        self.model, self.data = model, mujoco.MjData(model)
        self.frame_skip = frame_skip
        self.observation_space = Box(-np.inf, np.inf, (observation_size,), np.float64)
        self.action_space = Box(-1.0, 1.0, (model.nu,), np.float32)
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "render_fps": round(1.0 / (model.opt.timestep * frame_skip))}
        self._renderer: Any = None

    def set_state(self, positions: Observation, velocities: Observation) -> None:
        """Reset the simulation to these positions [nq] and velocities [nv]."""
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:] = positions
        self.data.qvel[:] = velocities
        mujoco.mj_forward(self.model, self.data)

    def simulate(self, controls: NDArray[np.floating]) -> None:
        """Take `frame_skip` steps with these actuator controls [nu]."""
        self.data.ctrl[:] = controls
        mujoco.mj_step(self.model, self.data, nstep=self.frame_skip)
        if self.render_mode == "human":
            self.render()

    def render(self) -> Any:
        """Render the current state as `render_mode` defines."""
        if self._renderer is None:
            from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer

            self._renderer = MujocoRenderer(self.model, self.data, width=PICTURE_SIZE, height=PICTURE_SIZE)
        return self._renderer.render(self.render_mode)

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._renderer is not None:
            self._renderer.close()
