"""Tests that gymnasium's models with this package's margins move as the unchanged ones do on MuJoCo 2.3.7."""

from pathlib import Path

import gymnasium.envs.mujoco
import mujoco
import numpy as np
import pytest

from harness.environments.factory import make

ASSETS = Path(gymnasium.envs.mujoco.__file__).parent / "assets"
STATES, STEPS = 1000, 4


def states(environment):
    """Return states of random walks, sampled every few steps."""
    generator = np.random.default_rng(0)
    simulated = environment.unwrapped
    given = {"qpos": [], "qvel": [], "ctrl": []}
    for step in range(STATES):
        if step % 50 == 0:
            environment.reset(seed=step)
        control = generator.uniform(*simulated.model.actuator_ctrlrange.T)
        for key, value in zip(given, (simulated.data.qpos, simulated.data.qvel, control), strict=True):
            given[key].append(value.copy())
        simulated.data.ctrl[:] = control
        mujoco.mj_step(simulated.model, simulated.data, nstep=STEPS)
    return given


@pytest.mark.parametrize(
    ("name", "file", "median", "largest"),
    [
        ("harness.environments:D4RL/Hopper-v4", "hopper.xml", 1e-13, 1e-5),
        ("HalfCheetah-v4", "half_cheetah.xml", 1e-13, 1e-9),
        ("Walker2d-v4", "walker2d.xml", 1e-13, 1e-9),
        # RK4 of MuJoCo 4 integrates rotations differently.
        ("harness.environments:D4RL/Ant-v4", "ant.xml", 1e-3, np.inf),
    ],
)
def test_locomotion_steps_equal_those_on_mujoco_2(
    d4rl_environments_on_mujoco_2, tmp_path, name, file, median, largest
):
    environment = make(name)
    given = states(environment)
    np.savez(tmp_path / "given.npz", **given)
    arguments = (ASSETS / file, tmp_path / "given.npz", tmp_path / "theirs.npz", STEPS)
    d4rl_environments_on_mujoco_2("simulate", *arguments)
    model = environment.unwrapped.model
    data, found = mujoco.MjData(model), []
    for qpos, qvel, control in zip(*given.values(), strict=True):
        mujoco.mj_resetData(model, data)
        data.qpos[:], data.qvel[:], data.ctrl[:] = qpos, qvel, control
        mujoco.mj_step(model, data, nstep=STEPS)
        found.append(np.concatenate([data.qpos, data.qvel]))
    with np.load(tmp_path / "theirs.npz") as theirs:
        difference = np.abs(np.array(found) - theirs["states"]).max(axis=1)
    assert np.median(difference) < median
    assert difference.max() < largest
