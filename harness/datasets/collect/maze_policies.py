"""Policies that collect data in D4RL's mazes: a waypoint controller for the ball and a trot for the ant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.environments.antmaze import centre
from harness.environments.mazes import Cell, Maze
from harness.environments.simulation import Observation


class Navigator:
    """Plans shortest paths through a maze, with waypoints at random places near the centres of the cells."""

    spread: float
    """How far waypoints are from the centres at most, in both directions."""

    def __init__(self, maze: Maze, generator: np.random.Generator, centres: dict[Cell, Observation]) -> None:
        self.maze, self.generator, self.centres = maze, generator, centres
        self.waypoints: list[NDArray[np.float64]] = []

    def aim(self, observation: Observation, goal: Cell) -> None:
        """Plan a path from the current position to the centre of a cell."""
        between = self.maze.path(self.nearest(observation[:2]), goal)[:-1]
        self.waypoints = [
            self.centres[cell] + self.spread * self.generator.uniform(size=2) for cell in between
        ]
        self.waypoints.append(self.centres[goal])

    def nearest(self, place: NDArray[np.float64]) -> Cell:
        """Return the free cell whose centre is nearest to a position."""
        return min(self.centres, key=lambda cell: float(np.linalg.norm(self.centres[cell] - place)))


class WaypointController(Navigator):
    """Pushes Maze2D's ball along a shortest path (d4rl 1.1, waypoint_controller.py)."""

    reach, spread = 0.1, -0.2

    def __init__(self, maze: Maze, generator: np.random.Generator) -> None:
        super().__init__(maze, generator, {cell: np.array(cell, np.float64) for cell in maze.free})

    def act(self, observation: Observation) -> NDArray[np.float64]:
        """Return the next action, without noise."""
        position, velocity = observation[:2], observation[2:]
        if len(self.waypoints) > 1 and np.linalg.norm(self.waypoints[0] - position) < self.reach:
            self.waypoints.pop(0)
        action: NDArray[np.float64] = 10.0 * (self.waypoints[0] - position) - velocity
        return np.clip(action, -1.0, 1.0)

    def arrived(self, observation: Observation) -> bool:
        """Return whether the ball has reached the goal."""
        distance = np.linalg.norm(self.waypoints[-1] - observation[:2])
        return len(self.waypoints) == 1 and bool(distance < self.reach)


class TrottingAnt(Navigator):
    """Walks AntMaze's ant along a shortest path with a scripted gait, instead of D4RL's trained SAC policy.

    Diagonal pairs of legs swing in turns; hips sweep against the direction of the next waypoint, and
    proportional-derivative control turns joint angles into torques. Waypoints are D4RL's: centres of cells
    plus up to a quarter of a cell (d4rl 1.1, maze_env.py).
    """

    reach, spread = 0.5, 1.0
    period = 9  # environment steps
    stance = 0.5  # as a share of the period
    sweep = 0.6  # radians
    lifted, lowered = np.deg2rad(32.0), np.deg2rad(54.0)
    stiffness, damping = 120.0, 7.0
    torque = 30.0

    azimuths = np.deg2rad([45.0, 135.0, 225.0, 315.0])
    tangents = np.stack([-np.sin(azimuths), np.cos(azimuths)], axis=1)
    ankle_signs = np.array([1.0, -1.0, -1.0, 1.0])
    phases = np.array([0.0, 0.5, 0.0, 0.5])
    motors = (3, 0, 1, 2)
    """Legs in the order of the model's motors."""

    def __init__(self, maze: Maze, generator: np.random.Generator) -> None:
        super().__init__(maze, generator, {cell: centre(cell) for cell in maze.free})
        self.steps = 0

    def aim_at(self, observation: Observation, place: NDArray[np.float64]) -> None:
        """Plan a path to a position in metres, through the cell that contains it."""
        self.aim(observation, self.nearest(place))
        self.waypoints[-1] = place

    def act(self, observation: Observation) -> NDArray[np.float64]:
        """Return the next action, without noise."""
        if len(self.waypoints) > 1 and np.linalg.norm(self.waypoints[0] - observation[:2]) < 2 * self.reach:
            self.waypoints.pop(0)
        phase = (self.steps / self.period + self.phases) % 1.0
        self.steps += 1
        standing = phase < self.stance
        along = np.where(
            standing, 1 - 2 * phase / self.stance, 2 * (phase - self.stance) / (1 - self.stance) - 1
        )
        hips = self.sweep * (self.tangents @ self._heading(observation)) * along
        ankles = np.where(standing, self.lowered, self.lifted) * self.ankle_signs
        positions, velocities = observation[7:15].reshape(4, 2), observation[21:29].reshape(4, 2)
        torques = self.stiffness * (np.stack([hips, ankles], axis=1) - positions) - self.damping * velocities
        action: NDArray[np.float64] = torques[list(self.motors)].ravel() / self.torque
        return np.clip(action, -1.0, 1.0)

    def arrived(self, observation: Observation) -> bool:
        """Return whether the ant has reached the goal."""
        return bool(np.linalg.norm(self.waypoints[-1] - observation[:2]) < self.reach)

    def _heading(self, observation: Observation) -> NDArray[np.float64]:
        """Return the unit vector to the next waypoint in the ant's frame."""
        w, x, y, z = observation[3:7]
        yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        offset = self.waypoints[0] - observation[:2]
        angle = np.arctan2(offset[1], offset[0]) - yaw
        return np.array([np.cos(angle), np.sin(angle)])
