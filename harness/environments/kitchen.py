"""D4RL's Kitchen: a Franka arm has to complete four tasks (arXiv 2004.07219; d4rl 1.1, kitchen/).

The model is that of gymnasium-robotics, which differs from D4RL's only in that the arm collides with a
pedestal. Measurements, control and rewards are those of D4RL.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import mujoco
import numpy as np
from numpy.typing import NDArray

from harness.environments.contacts import MARGIN_SHARE
from harness.environments.simulation import Action, Observation, Simulation, StepResult

# The positions of each task's joints in the observation, and their values when the task is done.
GOALS = {
    "bottom burner": (slice(11, 13), (-0.88, -0.01)),
    "light switch": (slice(17, 19), (-0.69, -0.05)),
    "slide cabinet": (slice(19, 20), (0.37,)),
    "microwave": (slice(22, 23), (-0.75,)),
    "kettle": (slice(23, 30), (-0.23, 0.75, 1.62, 0.99, 0.0, 0.0, -0.06)),
}
DONE_WITHIN = 0.3

ROBOT_JOINTS = 9
FRAME_SKIP = 40
VELOCITY_SCALE = 2.0
NOISE_SHARE = 0.1

# All objects have this margin, and the arm has none. Half of it for both gives contacts the margins of MuJoCo
# 2, except between parts of the arm, of which only those of the shoulder are this close to each other.
CONTACT_MARGIN = 0.001
SHOULDER = ("panda0_link0", "panda0_link1")

START = np.fromstring(
    """
    1.48388023e-01 -1.76848573e00 1.84390296e00 -2.47685760e00 2.60252026e-01 7.12533105e-01
    1.59515394e00 4.79267505e-02 3.71350919e-02 -2.66279850e-04 -5.18043486e-05 3.12877220e-05
    -4.51199853e-05 -3.90842156e-06 -4.22629655e-05 6.28065475e-05 4.04984708e-05 4.62730939e-04
    -2.26906415e-04 -4.65501369e-04 -6.44129196e-03 -1.77048263e-03 1.08009684e-03 -2.69397440e-01
    3.50383255e-01 1.61944683e00 1.00618764e00 4.06395120e-03 -6.62095997e-03 -2.68278933e-04
    """,
    sep=" ",
)
"""Positions at the start of every episode: nine of the arm, 21 of the objects in the kitchen."""


class Kitchen(Simulation):
    """Rewards the step that completes a task with 1; the episode ends when all tasks are complete.

    Observations are the 30 positions with measurement noise and the 30 goal positions, 0 for joints without a
    task, [60]; actions are the arm's joint velocities, [9]. Rewards depend on the measured positions. `tasks`
    are names in `GOALS`.
    """

    def __init__(self, tasks: Sequence[str], render_mode: str | None = None) -> None:
        self.tasks = tuple(tasks)
        self.goal = np.zeros(len(START))
        for task in self.tasks:
            where, goal = GOALS[task]
            self.goal[where] = goal
        bounds, self.noise = joint_specifications()
        self.lowest, self.highest = bounds[:ROBOT_JOINTS].T
        super().__init__(build_model(), FRAME_SKIP, 2 * len(START), render_mode)
        self.seconds = self.model.opt.timestep * FRAME_SKIP

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset all positions to the start state, which is always the same."""
        super().reset(seed=seed)
        self.set_state(START, np.zeros(self.model.nv))
        self.remaining = set(self.tasks)
        return self._observe(), {}

    def step(self, action: Action) -> StepResult:
        """Move the targets of the joints from their measured positions for 0.08 s."""
        velocities = VELOCITY_SCALE * np.clip(action, -1.0, 1.0).astype(np.float64)
        targets = self.measured[:ROBOT_JOINTS] + velocities * self.seconds
        self.simulate(np.clip(targets, self.lowest, self.highest))
        observation = self._observe()
        completed = {task for task in self.remaining if self._is_done(task)}
        self.remaining -= completed
        return observation, float(len(completed)), not self.remaining, False, {"completed": sorted(completed)}

    def _observe(self) -> Observation:
        noise = self.noise * self.np_random.uniform(-1.0, 1.0, len(START))
        self.measured: Observation = self.data.qpos + NOISE_SHARE * noise
        return np.concatenate([self.measured, self.goal])

    def _is_done(self, task: str) -> bool:
        where, goal = GOALS[task]
        return bool(np.linalg.norm(self.measured[where] - goal) < DONE_WITHIN)


def _assets() -> Path:
    package = find_spec("gymnasium_robotics")
    if package is None or package.origin is None:
        raise ImportError("it requires gymnasium-robotics: pip install 'offline-rl-harness[robotics]'")
    return Path(package.origin).parent / "envs" / "assets" / "kitchen_franka"


@cache
def joint_specifications() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds [30, 2] of the joints' targets and the noise [30] of their measurements."""
    root = ElementTree.parse(_assets() / "franka_assets" / "franka_config.xml").getroot()
    joints = [root.find(f"qpos{joint}") for joint in range(len(START))]
    attributes = [joint.attrib for joint in joints if joint is not None]
    bounds = np.array([joint["pos_bound"].split() for joint in attributes], np.float64)
    return bounds, np.array([joint["pos_noise_amp"] for joint in attributes], np.float64)


@cache
def build_model() -> mujoco.MjModel:
    """Compile gymnasium-robotics' kitchen with D4RL's pedestal and the contacts of MuJoCo 2."""
    spec = mujoco.MjSpec.from_file(str(_assets() / "kitchen_assets" / "kitchen_env_model.xml"))
    for geom in spec.geoms:
        if geom.type == mujoco.mjtGeom.mjGEOM_CYLINDER and geom.size[0] == 0.12:
            geom.contype = geom.conaffinity = 0
        elif MARGIN_SHARE != 1.0 and (geom.contype or geom.conaffinity) and geom.parent.name not in SHOULDER:
            geom.margin = MARGIN_SHARE * CONTACT_MARGIN
    return spec.compile()
