"""Collects data in Maze2D and AntMaze with controllers that know the maze, as D4RL does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.collect.maze_policies import TrottingAnt, WaypointController
from harness.datasets.collect.recipe import Facts, Recipe, versions
from harness.datasets.collect.roll_outs import Recorder, Step
from harness.datasets.progress import Advance
from harness.environments.antmaze import AntMaze
from harness.environments.factory import Environment
from harness.environments.maze2d import Maze2D

MAZE2D_NOISE, ANT_NOISE = 0.5, 0.2
"""Standard deviations of the noise on actions, as in D4RL's scripts."""

DESCRIPTIONS = {
    "waypoint": f"waypoint controller to random goals in one stream, action noise {MAZE2D_NOISE}",
    "play": f"scripted trot from the task's start to its goals, action noise {ANT_NOISE}",
    "diverse": f"scripted trot from random starts to random goals, action noise {ANT_NOISE}",
}


def is_maze(environment: Environment) -> bool:
    """Return whether this module has controllers for the environment, a maze."""
    return isinstance(environment.unwrapped, Maze2D | AntMaze)


class MazeCollector:
    """Collects data with a controller of the maze.

    Maze2D has the kind `waypoint`: a ball on its way to one random goal after another, rewarded for the
    task's own goal. AntMaze has `play` and `diverse`; D4RL's ant is a trained SAC policy, this one a scripted
    trot. Reference scores are D4RL's, which are those of the task, so none are measured.

    Raises:
        HarnessError: for an option of training or measuring.
    """

    def __init__(self, recipe: Recipe, environment: Environment, progress: Advance) -> None:
        recipe.require_no_training("a maze's data is collected by a controller")
        self.recipe, self.environment, self.progress = recipe, environment, progress
        self.is_ball = isinstance(environment.unwrapped, Maze2D)
        self.kinds: tuple[str, ...] = ("waypoint",) if self.is_ball else ("play", "diverse")

    def prepare(self, kinds: tuple[str, ...]) -> Facts:
        """Return the versions of the packages that are used."""
        return versions("gymnasium", "mujoco", "numpy")

    def collect(self, kind: str) -> tuple[list[Step], str]:
        """Return the steps of one kind, and a description of the controller."""
        return self._push_ball(kind) if self.is_ball else self._walk_ant(kind), DESCRIPTIONS[kind]

    def _push_ball(self, kind: str) -> list[Step]:
        """Collect one stream: a timeout marks where the ball gets another goal, and nothing is reset."""
        count, seed = self.recipe.transitions, self.recipe.seed_of(kind)
        limit = self.environment.spec.max_episode_steps if self.environment.spec else None
        # Without the wrapper that truncates episodes.
        task: Any = self.environment.unwrapped
        generator = np.random.default_rng(seed)
        controller = WaypointController(task.maze, generator)
        recorder = Recorder(task)
        observation, _ = recorder.reset(seed=seed)
        timeouts: list[bool] = []
        while len(timeouts) < count:
            controller.aim(observation, _random_cell(task.maze.free, generator))
            for step in range(1, (limit or count) + 1):
                action = _with_noise(controller.act(observation), MAZE2D_NOISE, generator)
                observation, *_ = recorder.step(action)
                timeouts.append(controller.arrived(observation) or step == limit)
                if timeouts[-1] or len(timeouts) == count:
                    break
            self.progress(f"collecting {kind}", len(timeouts), count)
        timeouts[-1] = True
        return [
            step._replace(timeout=timeout) for step, timeout in zip(recorder.steps, timeouts, strict=True)
        ]

    def _walk_ant(self, kind: str) -> list[Step]:
        """Collect whole episodes of the task, which end at the goal or the step limit."""
        count, seed = self.recipe.transitions, self.recipe.seed_of(kind)
        task: Any = self.environment.unwrapped
        generator = np.random.default_rng(seed)
        recorder = Recorder(self.environment)
        while len(recorder.steps) < count:
            start = _random_cell(task.maze.free, generator) if kind == "diverse" else None
            first_seed = None if recorder.steps else seed
            observation, _ = recorder.reset(seed=first_seed, options={"start": start})
            ant = TrottingAnt(task.maze, generator)
            if kind == "play":
                ant.aim_at(observation, task.goal)
            else:
                ant.aim(observation, _random_cell(task.maze.free, generator))
            ended = False
            while not ended:
                action = _with_noise(ant.act(observation), ANT_NOISE, generator)
                observation, _, terminated, truncated, _ = recorder.step(action)
                ended = terminated or truncated
                if kind == "diverse" and ant.arrived(observation):
                    ant.aim(observation, _random_cell(task.maze.free, generator))
            self.progress(f"collecting {kind}", min(len(recorder.steps), count), count)
        return recorder.whole_episodes()


def _random_cell(cells: tuple[tuple[int, int], ...], generator: np.random.Generator) -> tuple[int, int]:
    return cells[generator.integers(len(cells))]


def _with_noise(
    action: NDArray[np.float64], deviation: float, generator: np.random.Generator
) -> NDArray[np.float32]:
    noisy = action + deviation * generator.standard_normal(action.shape)
    return np.clip(noisy, -1.0, 1.0).astype(np.float32)
