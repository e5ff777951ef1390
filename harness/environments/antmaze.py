"""D4RL's AntMaze: an ant walks through a maze to its goal (arXiv 2004.07219; d4rl 1.1, locomotion/)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import gymnasium.envs.mujoco
import mujoco
import numpy as np
from numpy.typing import NDArray

from harness.environments import mazes
from harness.environments.contacts import MARGIN_SHARE
from harness.environments.mazes import Cell, Maze
from harness.environments.simulation import Action, Observation, Simulation, StepResult

MAZES = {"umaze": mazes.UMAZE_ANT, "medium": mazes.MEDIUM, "large": mazes.LARGE}

START: Cell = (1, 1)
CELL_SIZE = 4.0
"""Metres."""
WALL_HEIGHT = 2.0
GOAL_RADIUS = 0.5
START_NOISE = 0.1
TORQUE = np.float32(30.0)
FRAME_SKIP = 5


class AntMaze(Simulation):
    """The ant starts at the top left of the maze; the episode ends with reward 1 when it reaches the goal.

    Observations are the ant's positions and velocities, [29], without the goal; actions are eight torques
    scaled to [-1, 1]. The goal is drawn in its cell, up to 1.5 m in x and y from the cell's centre.

    Args:
        maze: a name in `MAZES`.
        goal_per_episode: whether each episode has a new goal, as in D4RL's -v2 tasks. Otherwise the goal is
            drawn when `reset` is given a seed, and kept until the next seed; -v0 draws it once per instance.
    """

    def __init__(self, maze: str, goal_per_episode: bool = True, render_mode: str | None = None) -> None:
        self.maze, self.goal_per_episode = MAZES[maze], goal_per_episode
        self.goal: Observation | None = None
        super().__init__(build_model(self.maze), FRAME_SKIP, 29, render_mode)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Place the ant near the options' `start`, a cell, with its joints near 0; draw the goal if due."""
        super().reset(seed=seed)
        if self.goal is None or self.goal_per_episode or seed is not None:
            self.goal = self._draw_goal()
        start = (options or {}).get("start") or START
        positions = self.model.qpos0 + self.np_random.uniform(-START_NOISE, START_NOISE, self.model.nq)
        positions[:2] += centre(start)
        # MuJoCo 2 (D4RL) normalizes quaternions when a state is set, MuJoCo 3 at the first step.
        positions[3:7] /= np.linalg.norm(positions[3:7])
        self.set_state(positions, self.np_random.standard_normal(self.model.nv) * START_NOISE)
        return self._observe(), {}

    def step(self, action: Action) -> StepResult:
        """Apply the torques for five simulation steps, 0.1 s in total."""
        torques = -TORQUE + (action + 1.0) * 0.5 * (TORQUE + TORQUE)
        self.simulate(np.clip(torques, -TORQUE, TORQUE))
        reached = bool(np.linalg.norm(self.data.qpos[:2] - self.goal) <= GOAL_RADIUS)
        return self._observe(), float(reached), reached, False, {}

    def _observe(self) -> Observation:
        return np.concatenate([self.data.qpos, self.data.qvel])

    def _draw_goal(self) -> Observation:
        noise = self.np_random.uniform(0, 0.25 * CELL_SIZE, 2) + self.np_random.uniform(
            0, 0.125 * CELL_SIZE, 2
        )
        return np.maximum(centre(self.maze.goal) + noise, 0.0)


def centre(cell: Cell) -> NDArray[np.float64]:
    """Return x and y of a cell's centre, in metres from the start; columns run along x, rows along y."""
    return np.array([cell[1] - START[1], cell[0] - START[0]]) * CELL_SIZE


@cache
def build_model(maze: Maze) -> mujoco.MjModel:
    """Build and compile gymnasium's ant with D4RL's motors, contacts and time step, and the maze's walls."""
    ant = Path(gymnasium.envs.mujoco.__file__).parent / "assets" / "ant.xml"
    spec = mujoco.MjSpec.from_file(str(ant))
    spec.option.timestep = 0.02
    for motor in spec.actuators:
        motor.ctrlrange = (-float(TORQUE), float(TORQUE))
        motor.gear[0] = 1.0
    for row, column in maze.walls:
        x, y = centre((row, column))
        spec.worldbody.add_geom(
            name=f"block_{row}_{column}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=(CELL_SIZE / 2, CELL_SIZE / 2, WALL_HEIGHT / 2),
            pos=(x, y, WALL_HEIGHT / 2),
            rgba=(0.7, 0.5, 0.3, 1),
            contype=1,
            conaffinity=1,
        )
    for geom in spec.geoms:
        geom.solref[:2] = (0.02, 1)
        geom.solimp[:3] = (0.8, 0.8, 0.01)
        geom.margin *= MARGIN_SHARE
    return spec.compile()
