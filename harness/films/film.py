"""Plays policies and yields the frames of a film one by one, without keeping them in memory."""

from __future__ import annotations

import itertools
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError, typed_line
from harness.films.opengl import choose_backend, require_backend
from harness.films.panels import Frame, grid, panel
from harness.policies.files import SavedPolicy
from harness.training.environment import make_environment
from harness.training.policy_evaluation import require_policy_fits

MAX_FRAMES_PER_SECOND = 30
DEFAULT_FRAMES_PER_SECOND = 30
"""The frame rate for environments that do not define one."""
HOLD_SECONDS = 0.7
"""How long the last frame of an episode is shown, in seconds."""

for name, value in {
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
    "SDL_VIDEODRIVER": "dummy",  # no window is needed, and searching for a display prints errors
    "SDL_AUDIODRIVER": "dummy",
}.items():
    os.environ.setdefault(name, value)


@dataclass(frozen=True)
class Player:
    """A policy in its environment, and the caption of its panel."""

    policy: SavedPolicy
    environment: EnvironmentSpec
    label: str


@dataclass(frozen=True)
class Film:
    """Frames [height, width, 3] of equal size, and the frame rate."""

    frames: Iterator[Frame]
    frames_per_second: float


def film(
    players: Sequence[Player],
    seeds: Sequence[int],
    side_by_side: bool = False,
    height: int = 320,
    seconds: float = math.inf,
) -> Film:
    """Return a film of one episode per seed of each player, with the return so far in each caption.

    Players are shown one after another, or all at the same time from the same start states.

    Args:
        height: the height of the picture of an episode, in pixels.
        seconds: the duration after which episodes are cut.

    Raises:
        HarnessError: if an environment cannot be created or rendered here, or does not fit its policy.
    """
    scenes = [list(players)] if side_by_side else [[player] for player in players]
    with ExitStack() as stack:
        stages = [
            [stack.enter_context(closing(_Stage(player, height))) for player in scene] for scene in scenes
        ]
        rate = stages[0][0].frames_per_second
        size = np.max([_frame_of(scene).shape for scene in stages], axis=0)
        return Film(_frames(stages, seeds, seconds * rate, size, stack.pop_all()), rate)


class _Stage:
    """An environment in which a policy acts, and its current picture."""

    def __init__(self, player: Player, height: int) -> None:
        spec = player.environment
        self._player = player
        self._height = height
        try:
            self._environment = make_environment(
                replace(spec, kwargs={**spec.kwargs, "render_mode": "rgb_array"})
            )
        except HarnessError:
            require_backend()
            raise
        require_policy_fits(player.policy, self._environment, spec)
        if "rgb_array" not in self._environment.metadata.get("render_modes", ()):
            raise HarnessError(
                f"environment {spec}: cannot be filmed; it does not support render_mode rgb_array"
            )
        own = self._environment.metadata.get("render_fps") or DEFAULT_FRAMES_PER_SECOND
        self._steps_per_frame = math.ceil(own / MAX_FRAMES_PER_SECOND)
        self.frames_per_second = own / self._steps_per_frame
        if "mujoco" in sys.modules:
            choose_backend()
        self.reset(0)  # raise rendering errors before a file is created

    def reset(self, seed: int) -> None:
        """Start an episode."""
        self._observation = self._environment.reset(seed=seed)[0]
        self.episode_return = 0.0
        self.ended = False
        self._draw()

    def advance(self) -> None:
        """Take the steps to the next frame, if the episode has not ended."""
        if self.ended:
            return
        for _ in range(self._steps_per_frame):
            action = self._player.policy(np.asarray(self._observation))
            self._observation, reward, terminated, truncated, _ = self._environment.step(action)
            self.episode_return += float(reward)
            self.ended = bool(terminated or truncated)
            if self.ended:
                break
        self._draw()

    def panel(self) -> Image.Image:
        """Return the picture with its caption."""
        end = " (end)" if self.ended else ""
        lines = [self._player.label, f"return {self.episode_return:,.1f}{end}"]
        return panel(self._picture, lines, self._height)

    def close(self) -> None:
        """Close the environment."""
        self._environment.close()

    def _draw(self) -> None:
        try:
            self._picture: Frame = np.asarray(self._environment.render(), np.uint8)
        except Exception as error:  # each backend has its own exceptions
            reason = typed_line(error)
            require_backend()
            advice = "; pip install 'offline-rl-harness[film]'" if "pygame" in reason else ""
            raise HarnessError(
                f"environment {self._player.environment}: cannot be rendered on this machine "
                f"({reason}){advice}"
            ) from error


def _frames(
    scenes: Sequence[Sequence[_Stage]],
    seeds: Sequence[int],
    most_frames: float,
    size: NDArray[np.intp],
    environments: ExitStack,
) -> Iterator[Frame]:
    """Yield frames of this size, of an episode per seed of each scene, then close the environments."""
    with environments:
        for stages in scenes:
            for seed in seeds:
                for frame in _episode(stages, seed, most_frames):
                    missing = [(0, end) for end in size - frame.shape]
                    yield np.pad(frame, missing, constant_values=255)


def _frame_of(stages: Sequence[_Stage]) -> Frame:
    return grid([stage.panel() for stage in stages])


def _episode(stages: Sequence[_Stage], seed: int, most_frames: float) -> Iterator[Frame]:
    """Yield the frames of an episode from the same start in each environment."""
    for stage in stages:
        stage.reset(seed)
    for count in itertools.count(1):
        frame = _frame_of(stages)
        yield frame
        if all(stage.ended for stage in stages) or count + 1 > most_frames:
            break
        for stage in stages:
            stage.advance()
    for _ in range(round(HOLD_SECONDS * stages[0].frames_per_second)):
        yield frame
