"""D4RL's Maze2D: two motors push a ball through a maze (arXiv 2004.07219; d4rl 1.1, pointmaze)."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import mujoco
import numpy as np

from harness.environments import mazes
from harness.environments.contacts import MARGIN_SHARE
from harness.environments.mazes import Maze
from harness.environments.simulation import Action, Observation, Simulation, StepResult

MAZES = {
    "open": mazes.OPEN,
    "umaze": mazes.UMAZE,
    "medium": mazes.MEDIUM,
    "large": mazes.LARGE,
    "eval-umaze": mazes.UMAZE_EVAL,
    "eval-medium": mazes.MEDIUM_EVAL,
    "eval-large": mazes.LARGE_EVAL,
}

GOAL_RADIUS = 0.5
MAX_SPEED = 5.0
START_NOISE = 0.1

# D4RL's offsets: the ball is at (1.2, 1.2) when its joints are at 0, and walls are one unit from their cell.
BALL_ORIGIN = (1.2, 1.2, 0.0)
WALL_OFFSET = 1.0


class Maze2D(Simulation):
    """A ball starts in a random cell and is rewarded near the goal, which is fixed.

    Observations are position (row, column) and velocity, [4]; actions are two forces, clipped to [-1, 1].
    Episodes end only at the time limit.

    Args:
        maze: a name in `MAZES`.
        reward: `sparse` gives 1 within 0.5 of the goal, `dense` the exponential of the negative distance.
    """

    def __init__(
        self, maze: str, reward: Literal["sparse", "dense"] = "sparse", render_mode: str | None = None
    ) -> None:
        self.maze, self.reward = MAZES[maze], reward
        self.goal = np.array(self.maze.goal, np.float64)
        super().__init__(build_model(self.maze), 1, 4, render_mode)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Place the ball near the centre of a random free cell, with a small random velocity."""
        super().reset(seed=seed)
        cell = self.maze.free[self.np_random.integers(len(self.maze.free))]
        position = cell + self.np_random.uniform(-START_NOISE, START_NOISE, 2)
        self.set_state(position, self.np_random.standard_normal(2) * START_NOISE)
        return self._observe(), {}

    def step(self, action: Action) -> StepResult:
        """Apply the two forces for one simulation step of 0.01 s."""
        np.clip(self.data.qvel, -MAX_SPEED, MAX_SPEED, out=self.data.qvel)
        self.simulate(np.clip(action, -1.0, 1.0))
        observation = self._observe()
        distance = float(np.linalg.norm(observation[:2] - self.goal))
        reward = float(distance <= GOAL_RADIUS) if self.reward == "sparse" else float(np.exp(-distance))
        return observation, reward, False, False, {}

    def _observe(self) -> Observation:
        return np.concatenate([self.data.qpos, self.data.qvel])


@cache
def build_model(maze: Maze) -> mujoco.MjModel:
    """Build and compile the ball, the floor, and one box for each wall of the maze."""
    spec = mujoco.MjSpec()
    spec.option.timestep = 0.01
    spec.option.gravity = (0, 0, 0)
    spec.option.iterations = 20
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_EULER
    margin = 0.002 * MARGIN_SHARE
    contact = {"friction": (0.5, 0.1, 0.1), "margin": margin, "condim": 1, "conaffinity": 1}
    spec.worldbody.add_geom(
        name="ground",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=(40, 40, 0.25),
        pos=(0, 0, -0.1),
        rgba=(0.2, 0.3, 0.4, 1),
        contype=1,
        **{**contact, "conaffinity": 0},
    )
    ball = spec.worldbody.add_body(name="particle", pos=BALL_ORIGIN)
    ball.add_geom(
        name="particle_geom",
        type=mujoco.mjtGeom.mjGEOM_SPHERE,
        size=(0.1, 0, 0),
        rgba=(0.3, 0.6, 0.3, 1),
        contype=1,
        **contact,
    )
    for name, axis in (("ball_x", (1, 0, 0)), ("ball_y", (0, 1, 0))):
        ball.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis, damping=1)
        motor = spec.add_actuator(
            name=name,
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            target=name,
            ctrllimited=True,
            ctrlrange=(-1, 1),
            gear=(100, 0, 0, 0, 0, 0),
        )
        motor.set_to_motor()
    row, column = maze.goal
    spec.worldbody.add_site(
        name="target_site",
        pos=(row + WALL_OFFSET, column + WALL_OFFSET, 0),
        size=(0.2, 0.2, 0.2),
        rgba=(0.6, 0.3, 0.3, 1),
    )
    for row, column in maze.walls:
        spec.worldbody.add_geom(
            name=f"wall_{row}_{column}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=(0.5, 0.5, 0.2),
            pos=(row + WALL_OFFSET, column + WALL_OFFSET, 0),
            rgba=(0.7, 0.5, 0.3, 1),
            contype=2,
            **contact,
        )
    model = spec.compile()
    # MuJoCo 2 averages the inverse mass over three axes, MuJoCo 3 over the two along which the ball moves. It
    # determines the stiffness of contacts.
    model.body("particle").invweight0[0] = 2 / (3 * model.body("particle").mass.item())
    return model
