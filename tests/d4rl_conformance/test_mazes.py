"""Tests that Maze2D and AntMaze equal d4rl's: models, steps, rewards, ends, starts, goals and step limits.

Two fields of the models differ on purpose, so that contacts on current MuJoCo are those of MuJoCo 2:
`geom_margin` and, for Maze2D, `body_invweight0`. d4rl's environments run on current MuJoCo with these two
changed, and unchanged on MuJoCo 2.3.7, the last version of the series with which D4RL's data was collected.
"""

import json

import gymnasium
import numpy as np
import pytest
from scipy.stats import ks_2samp

from harness.datasets import registry

DATASETS = {
    name: dataset.task.environment
    for name, dataset in registry.registered().items()
    if name.startswith(("maze2d-", "antmaze-"))
}
# One dataset for each environment: play and diverse data share theirs.
ENVIRONMENTS = {environment: name for name, environment in DATASETS.items()}

EPISODES, STEPS = 40, 250
RESETS = 2000
# Looks, and what is only for looks: d4rl's particle and goal have textures, gymnasium's ant a camera.
NOT_PHYSICS = ("cam_", "geom_matid", "geom_rgba", "mat_", "name", "nbuffer", "ncam", "nmat", "nname", "nsite")
NOT_PHYSICS += ("ntex", "signature", "site_", "tex_")


@pytest.fixture(scope="module")
def specs(d4rl_environments):
    return json.loads(d4rl_environments("specs"))


def make(environment):
    return gymnasium.make(environment, disable_env_checker=True)


@pytest.mark.parametrize("name", DATASETS)
def test_step_limit_is_d4rls(specs, name):
    assert make(DATASETS[name]).spec.max_episode_steps == specs[name]["max_episode_steps"]
    assert registry.find(name).task.max_episode_steps == specs[name]["max_episode_steps"]


@pytest.mark.parametrize("name", ENVIRONMENTS.values())
def test_compiled_model_is_d4rls(d4rl_environments, tmp_path, name):
    d4rl_environments("model", name, tmp_path / "theirs.npz")
    model = make(DATASETS[name]).unwrapped.model
    with np.load(tmp_path / "theirs.npz") as theirs:
        compared = [field for field in theirs.files if not field.startswith(NOT_PHYSICS)]
        assert {"body_mass", "body_inertia", "jnt_range", "actuator_gainprm", "geom_solimp"} <= set(compared)
        assert len(compared) > 500
        different = {field for field in compared if not np.array_equal(of(model, field), theirs[field])}
        # A body's margin is the largest of its geoms'.
        expected = {"geom_margin", "body_margin"} | ({"body_invweight0"} if "maze2d" in name else set())
        assert different == expected
        assert np.array_equal(2 * model.geom_margin, theirs["geom_margin"])
        # Averaged over three axes instead of two.
        averaged = 1 if name.startswith("antmaze") else 2 / 3
        np.testing.assert_allclose(model.body_invweight0, averaged * theirs["body_invweight0"], rtol=1e-15)


def of(model, field):
    return getattr(model.opt, field[4:]) if field.startswith("opt_") else getattr(model, field)


def random_episodes(environment, episodes, steps):
    """Return the input of the oracle's `steps`, and the results of our environment."""
    generator = np.random.default_rng(0)
    given = {"qpos": [], "qvel": [], "goal": []}
    # Also outside the bounds: both clip.
    actions = generator.uniform(-1.2, 1.2, (episodes, steps, environment.action_space.shape[0]))
    given["actions"] = actions.astype(np.float32)
    found = {"observation": [], "reward": [], "done": []}
    for episode in range(episodes):
        environment.reset(seed=episode)
        if environment.model.nq == 15:
            # So near that some ants reach it by chance.
            environment.goal = environment.data.qpos[:2] + generator.uniform(-1, 1, 2)
        given["qpos"].append(environment.data.qpos.copy())
        given["qvel"].append(environment.data.qvel.copy())
        given["goal"].append(environment.goal)
        for action in given["actions"][episode]:
            observation, reward, terminated, truncated, _ = environment.step(action)
            assert not truncated
            found["observation"].append(observation)
            found["reward"].append(reward)
            found["done"].append(terminated)
    return given, {key: np.array(value) for key, value in found.items()}


@pytest.mark.parametrize("name", ENVIRONMENTS.values())
def test_states_rewards_and_ends_of_10000_steps_are_d4rls(d4rl_environments, tmp_path, name):
    environment = make(DATASETS[name]).unwrapped
    given, found = random_episodes(environment, EPISODES, STEPS)
    contacts = {field: getattr(environment.model, field) for field in ("geom_margin", "body_invweight0")}
    np.savez(tmp_path / "given.npz", **given, **contacts)
    d4rl_environments("steps", name, tmp_path / "given.npz", tmp_path / "theirs.npz")
    with np.load(tmp_path / "theirs.npz") as theirs:
        assert theirs["observation"].shape == (EPISODES * STEPS, *environment.observation_space.shape)
        np.testing.assert_allclose(found["observation"], theirs["observation"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(found["reward"], theirs["reward"], rtol=0, atol=1e-9)
        assert np.array_equal(found["done"], theirs["done"])
    assert len(set(found["reward"])) > 1
    assert any(found["done"]) == name.startswith("antmaze")


@pytest.mark.parametrize("name", ["maze2d-large-v1", "maze2d-umaze-dense-v1"])
def test_maze2d_is_d4rls_on_mujoco_2(d4rl_environments_on_mujoco_2, tmp_path, name):
    given, found = random_episodes(make(DATASETS[name]).unwrapped, EPISODES, STEPS)
    np.savez(tmp_path / "given.npz", **given)
    d4rl_environments_on_mujoco_2("steps", name, tmp_path / "given.npz", tmp_path / "theirs.npz")
    with np.load(tmp_path / "theirs.npz") as theirs:
        np.testing.assert_allclose(found["observation"], theirs["observation"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(found["reward"], theirs["reward"], rtol=0, atol=1e-9)


def test_single_steps_of_antmaze_are_near_d4rls_on_mujoco_2(d4rl_environments_on_mujoco_2, tmp_path):
    """They agree to 1e-9 up to MuJoCo 3.17; RK4 of MuJoCo 4 differs by 1e-4 per step."""
    environment = make(DATASETS["antmaze-umaze-v2"]).unwrapped
    generator = np.random.default_rng(0)
    given, found = {"qpos": [], "qvel": [], "goal": [], "actions": []}, []
    for step in range(2000):
        if step % 100 == 0:
            environment.reset(seed=step)
        environment.set_state(environment.data.qpos.copy(), environment.data.qvel.copy())
        action = generator.uniform(-1, 1, 8).astype(np.float32)
        given["qpos"].append(environment.data.qpos.copy())
        given["qvel"].append(environment.data.qvel.copy())
        given["goal"].append(environment.goal)
        given["actions"].append([action])
        found.append(environment.step(action)[0])
    np.savez(tmp_path / "given.npz", **given)
    d4rl_environments_on_mujoco_2(
        "steps", "antmaze-umaze-v2", tmp_path / "given.npz", tmp_path / "theirs.npz"
    )
    with np.load(tmp_path / "theirs.npz") as theirs:
        difference = np.abs(np.array(found) - theirs["observation"]).max(axis=1)
    assert np.median(difference) < 2e-4
    assert np.mean(difference > 1e-2) < 0.05


@pytest.mark.parametrize("name", ENVIRONMENTS.values())
def test_starts_and_goals_have_the_distributions_of_d4rl(d4rl_environments, tmp_path, name):
    d4rl_environments("resets", name, RESETS, tmp_path / "theirs.npz")
    environment = make(DATASETS[name]).unwrapped
    starts, goals = [], []
    for seed in range(RESETS):
        observation, _ = environment.reset(seed=seed)
        starts.append(observation)
        goals.append(environment.goal.copy())
    with np.load(tmp_path / "theirs.npz") as theirs:
        expected = theirs["observation"]
        if name.startswith("antmaze"):
            # As MuJoCo 2 does when a state is set.
            expected[:, 3:7] /= np.linalg.norm(expected[:, 3:7], axis=1, keepdims=True)
        assert smallest_p_value(np.array(starts), expected) > 1e-4
        if name.endswith("-v2"):
            assert smallest_p_value(np.array(goals), theirs["goal"]) > 1e-4
        else:
            # d4rl draws these goals once for each instance.
            assert len(np.unique(theirs["goal"], axis=0)) == 1
            distance = np.abs(np.array(goals) - theirs["goal"][0])
            assert np.all(distance <= (1.5 if name.startswith("antmaze") else 0.0))


def smallest_p_value(ours, theirs):
    return min(ks_2samp(ours[:, column], theirs[:, column]).pvalue for column in range(ours.shape[1]))


@pytest.mark.parametrize(
    "name", [name for name in DATASETS if name.startswith("maze2d") and "dense" not in name]
)
def test_d4rls_waypoint_controller_reaches_our_goals(d4rl_environments, name):
    returns = json.loads(d4rl_environments("waypoints", name, 50))
    assert all(found > 0 for found in returns)
