"""Tests that Kitchen equals d4rl's: model, steps, rewards, ends, starts, noise and step limit.

Margins of contacts differ on purpose, as in test_mazes.py. d4rl's model has an additional body without
contacts that is welded to the world, `vive_controller`.
"""

import json

import numpy as np
import pytest
from scipy.stats import ks_2samp

from harness.datasets import registry
from harness.environments.factory import make
from harness.environments.kitchen import GOALS, START

DATASETS = ("kitchen-complete-v0", "kitchen-partial-v0", "kitchen-mixed-v0")
EPISODES, STEPS = 20, 100
VIVE_CONTROLLER = 1
PHYSICS = ("body_", "geom_", "jnt_", "dof_", "actuator_", "opt_")
# Where things are in other arrays, which one body more moves; looks; and what follows from margins.
NOT_PHYSICS = ("id", "adr", "num", "bvh", "plugin", "rgba", "user", "aabb", "margin")


@pytest.fixture(autouse=True)
def _with_gymnasium_robotics():
    pytest.importorskip("gymnasium_robotics")


def kitchen(name):
    return make(registry.find(name).task.environment)


def test_registration_is_d4rls(d4rl_environments):
    specs = json.loads(d4rl_environments("specs"))
    for name in DATASETS:
        assert kitchen(name).spec.max_episode_steps == specs[name]["max_episode_steps"]


def test_compiled_model_is_d4rls(d4rl_environments, tmp_path):
    d4rl_environments("model", DATASETS[0], tmp_path / "theirs.npz")
    model = kitchen(DATASETS[0]).unwrapped.model
    with np.load(tmp_path / "theirs.npz") as file:
        theirs = dict(file)
    (geom,) = np.flatnonzero(theirs["geom_bodyid"] == VIVE_CONTROLLER)
    compared = [
        field
        for field in theirs
        if field.startswith(PHYSICS) and not any(part in field for part in NOT_PHYSICS)
    ]
    assert {"body_mass", "body_inertia", "jnt_range", "dof_damping", "actuator_gainprm"} <= set(compared)
    for field in compared:
        expected = theirs[field]
        if field.startswith("body_"):
            expected = np.delete(expected, VIVE_CONTROLLER, axis=0)
        elif field.startswith("geom_"):
            expected = np.delete(expected, geom, axis=0)
        owner, attribute = (model.opt, field[4:]) if field.startswith("opt_") else (model, field)
        found = np.asarray(getattr(owner, attribute))
        if found.dtype.kind != "V":  # names
            assert np.array_equal(found, expected), field


def random_steps(name):
    """Return the input of the oracle's `steps`, without noise, and the results of our environment."""
    environment = kitchen(name).unwrapped
    generator = np.random.default_rng(0)
    given = {"qpos": [], "qvel": [], "goal": [], "actions": []}
    found = {"observation": [], "reward": [], "done": []}
    for episode in range(EPISODES):
        environment.reset(seed=episode)
        environment.noise = np.zeros(30)
        positions = START.copy()
        for task in environment.tasks:
            where, goal = GOALS[task]
            if task != "kettle" and generator.uniform() < 0.8:
                positions[where] = goal + generator.uniform(-0.3, 0.3, len(goal)) * (np.array(goal) != -0.01)
        environment.set_state(positions, np.zeros(29))
        environment._observe()
        actions = generator.uniform(-1.2, 1.2, (STEPS, 9)).astype(np.float32)
        for key, value in zip(given, (positions, np.zeros(29), environment.goal, actions), strict=True):
            given[key].append(value)
        for action in actions:
            observation, reward, terminated, _, _ = environment.step(action)
            for key, value in zip(found, (observation, reward, terminated), strict=True):
                found[key].append(value)
    return given, {key: np.array(value) for key, value in found.items()}, environment.model


@pytest.mark.parametrize("name", [DATASETS[0], DATASETS[2]])
def test_states_rewards_and_ends_of_2000_steps_are_d4rls(d4rl_environments, tmp_path, name):
    given, found, model = random_steps(name)
    # The controller's geom is the second of d4rl's.
    margins = np.insert(model.geom_margin, 1, 0.0)
    np.savez(tmp_path / "given.npz", geom_margin=margins, **given)
    d4rl_environments("steps", name, tmp_path / "given.npz", tmp_path / "theirs.npz")
    with np.load(tmp_path / "theirs.npz") as theirs:
        np.testing.assert_allclose(found["observation"], theirs["observation"], rtol=0, atol=1e-9)
        assert np.array_equal(found["reward"], theirs["reward"])
        assert np.array_equal(found["done"], theirs["done"])
    assert found["reward"].sum() > EPISODES


def test_steps_are_near_d4rls_on_mujoco_2(d4rl_environments_on_mujoco_2, tmp_path):
    given, found, _ = random_steps(DATASETS[0])
    np.savez(tmp_path / "given.npz", **given)
    d4rl_environments_on_mujoco_2("steps", DATASETS[0], tmp_path / "given.npz", tmp_path / "theirs.npz")
    with np.load(tmp_path / "theirs.npz") as theirs:
        difference = np.abs(found["observation"] - theirs["observation"]).reshape(EPISODES, STEPS, 60)
        assert np.array_equal(found["reward"], theirs["reward"])
    arm, things = difference[:, :, :9], difference[:, :, 9:30]
    # Until the arm touches something, because MuJoCo 3 finds other contact points.
    assert np.median(arm[:, :25].max(axis=(1, 2))) < 1e-6
    assert np.median(arm.max(axis=(1, 2))) < 0.02
    # The kettle settles on the stove.
    assert things[:, 0].max() < 1e-3


def test_starts_and_noise_have_the_distributions_of_d4rl(d4rl_environments, tmp_path):
    d4rl_environments("resets", DATASETS[0], 500, tmp_path / "theirs.npz")
    environment = kitchen(DATASETS[0])
    ours = np.array([environment.reset(seed=seed)[0] for seed in range(500)])
    with np.load(tmp_path / "theirs.npz") as theirs:
        expected = theirs["observation"]
    assert np.array_equal(ours[:, 30:], expected[:, 30:])
    assert min(ks_2samp(ours[:, column], expected[:, column]).pvalue for column in range(30)) > 1e-4
