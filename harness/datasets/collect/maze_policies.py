"""Policies that collect data in D4RL's mazes: a waypoint controller for the ball and a trot for the ant."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from harness.environments.antmaze import centre
from harness.environments.mazes import Cell, Maze
from harness.environments.simulation import Observation


class Navigator(Protocol):
    """Moves a body through a maze to one cell after another."""

    def aim(self, observation: Observation, goal: Cell) -> None:
        """Plan a path from the current position to the cell."""

    def act(self, observation: Observation) -> NDArray[np.float64]:
        """Return the next action, without noise."""

    def arrived(self, observation: Observation) -> bool:
        """Return whether the body has reached the goal."""


class WaypointController(Navigator):
    """Pushes Maze2D's ball along a shortest path (d4rl 1.1, waypoint_controller.py).

    Waypoints are at random up to 0.2 off the centres of the cells, the last one at the centre of its cell.
    """

    reach = 0.1

    def __init__(self, maze: Maze, generator: np.random.Generator) -> None:
        self.maze, self.generator = maze, generator
        self.waypoints: list[NDArray[np.float64]] = []

    @override
    def aim(self, observation: Observation, goal: Cell) -> None:
        start = _nearest(observation[:2], {cell: np.array(cell, np.float64) for cell in self.maze.free})
        between = self.maze.path(start, goal)[:-1]
        self.waypoints = [np.array(cell) - self.generator.uniform(0, 0.2, 2) for cell in between]
        self.waypoints.append(np.array(goal, np.float64))

    @override
    def act(self, observation: Observation) -> NDArray[np.float64]:
        position, velocity = observation[:2], observation[2:]
        if len(self.waypoints) > 1 and np.linalg.norm(self.waypoints[0] - position) < self.reach:
            self.waypoints.pop(0)
        action: NDArray[np.float64] = 10.0 * (self.waypoints[0] - position) - velocity
        return np.clip(action, -1.0, 1.0)

    @override
    def arrived(self, observation: Observation) -> bool:
        distance = np.linalg.norm(self.waypoints[-1] - observation[:2])
        return len(self.waypoints) == 1 and bool(distance < self.reach)


class TrottingAnt(Navigator):
    """Walks AntMaze's ant along a shortest path with a scripted gait, instead of D4RL's trained SAC policy.

    Diagonal pairs of legs swing in turns; hips sweep against the direction of the next waypoint, and
    proportional-derivative control turns joint angles into torques. Waypoints are D4RL's: centres of cells
    plus up to a quarter of a cell (d4rl 1.1, maze_env.py).
    """

    reach = 0.5
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
        self.maze, self.generator = maze, generator
        self.centres = {cell: centre(cell) for cell in maze.free}
        self.waypoints: list[NDArray[np.float64]] = []
        self.steps = 0

    @override
    def aim(self, observation: Observation, goal: Cell) -> None:
        start = _nearest(observation[:2], self.centres)
        between = self.maze.path(start, goal)[:-1]
        self.waypoints = [self.centres[cell] + self.generator.uniform(0, 1.0, 2) for cell in between]
        self.waypoints.append(self.centres[goal])

    def aim_at(self, observation: Observation, place: NDArray[np.float64]) -> None:
        """Plan a path to a position in metres, through the cell that contains it."""
        self.aim(observation, _nearest(place, self.centres))
        self.waypoints[-1] = place

    @override
    def act(self, observation: Observation) -> NDArray[np.float64]:
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

    @override
    def arrived(self, observation: Observation) -> bool:
        return bool(np.linalg.norm(self.waypoints[-1] - observation[:2]) < self.reach)

    def _heading(self, observation: Observation) -> NDArray[np.float64]:
        """Return the unit vector to the next waypoint in the ant's frame."""
        w, x, y, z = observation[3:7]
        yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        offset = self.waypoints[0] - observation[:2]
        angle = np.arctan2(offset[1], offset[0]) - yaw
        return np.array([np.cos(angle), np.sin(angle)])


def _nearest(place: NDArray[np.float64], centres: dict[Cell, NDArray[np.float64]]) -> Cell:
    return min(centres, key=lambda cell: float(np.linalg.norm(centres[cell] - place)))
