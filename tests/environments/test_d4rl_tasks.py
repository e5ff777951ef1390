"""Tests of the tasks against D4RL's definitions of rewards and ends, reimplemented here from its source."""

import gymnasium
import numpy as np
import pytest

from harness.datasets import registry
from harness.environments.contacts import MARGIN_SHARE

ADROIT = ("Pen", "Hammer", "Door", "Relocate")


def make(task):
    return gymnasium.make(f"harness.environments:D4RL/{task}", disable_env_checker=True)


def places(data):
    return (lambda name: data.site(name).xpos), (lambda name: data.body(name).xpos)


def norm(a, b):
    return np.linalg.norm(a - b)


def pen(simulated, site, body):
    top, bottom = site("object_top") - site("object_bottom"), site("target_top") - site("target_bottom")
    position, similar = (
        norm(body("Object"), site("eps_ball")),
        top @ bottom / np.linalg.norm(top) / np.linalg.norm(bottom),
    )
    reward = -position + similar
    reward += 10 * (position < 0.075 and similar > 0.9) + 50 * (position < 0.075 and similar > 0.95)
    return reward - 5 * (body("Object")[2] < 0.075)


def hammer(simulated, site, body):
    depth = norm(site("S_target"), site("nail_goal"))
    reward = -0.1 * norm(site("S_grasp"), body("Object")) - norm(site("tool"), site("S_target")) - 10 * depth
    reward -= 0.01 * np.linalg.norm(simulated.data.qvel)
    reward += 2 * (body("Object")[2] > 0.04 and site("tool")[2] > 0.04)
    return reward + 25 * (depth < 0.02) + 75 * (depth < 0.01)


def door(simulated, site, body):
    hinge = simulated.data.qpos[simulated.door_hinge_addrs].item()
    reward = -0.1 * norm(site("S_grasp"), site("S_handle")) - 0.1 * (hinge - 1.57) ** 2
    reward -= 1e-5 * np.sum(simulated.data.qvel**2)
    return reward + 2 * (hinge > 0.2) + 8 * (hinge > 1.0) + 10 * (hinge > 1.35)


def relocate(simulated, site, body):
    reward = -0.1 * norm(site("S_grasp"), body("Object"))
    if body("Object")[2] > 0.04:
        reward += 1 - 0.5 * norm(site("S_grasp"), site("target")) - 0.5 * norm(body("Object"), site("target"))
    distance = norm(body("Object"), site("target"))
    return reward + 10 * (distance < 0.1) + 20 * (distance < 0.05)


REWARDS = {"Pen": pen, "Hammer": hammer, "Door": door, "Relocate": relocate}


@pytest.mark.parametrize("task", ADROIT)
def test_adroit_rewards_equal_d4rls(task):
    pytest.importorskip("gymnasium_robotics")
    environment = make(f"AdroitHand{task}-v1")
    simulated = environment.unwrapped
    environment.action_space.seed(0)
    for seed in range(2):
        environment.reset(seed=seed)
        for _ in range(30):
            _, reward, terminated, _, _ = environment.step(environment.action_space.sample())
            expected = REWARDS[task](simulated, *places(simulated.data))
            assert reward == pytest.approx(float(expected), abs=1e-9)
            if terminated:
                break
    environment.close()


def test_pen_dropped_terminates_the_episode():
    pytest.importorskip("gymnasium_robotics")
    environment = make("AdroitHandPen-v1")
    environment.action_space.seed(0)
    ends = []
    for seed in range(5):
        environment.reset(seed=seed)
        while True:
            _, _, terminated, truncated, _ = environment.step(environment.action_space.sample())
            height = environment.unwrapped.data.body("Object").xpos[2]
            assert terminated == (height < 0.075)
            if terminated or truncated:
                ends.append(terminated)
                break
    assert any(ends)
    environment.close()


@pytest.mark.parametrize(
    "name",
    [name for name, dataset in registry.registered().items() if "D4RL" in (dataset.task.environment or "")],
)
def test_tasks_have_the_sizes_of_the_registry(name):
    if name.startswith(("pen", "hammer", "door", "relocate", "kitchen")):
        pytest.importorskip("gymnasium_robotics")
    task = registry.find(name).task
    environment = gymnasium.make(task.environment, disable_env_checker=True)
    observation, _ = environment.reset(seed=0)
    assert observation.shape == environment.observation_space.shape == (task.observation_size,)
    assert environment.action_space.shape == (task.action_size,)
    assert set(environment.action_space.high) == {task.action_limit}
    assert environment.spec.max_episode_steps == task.max_episode_steps
    environment.close()


@pytest.mark.parametrize(("name", "size"), [("Ant-v4", 27), ("Hopper-v4", 11)])
def test_locomotion_differs_from_gymnasium_only_in_margins_and_zeros(name, size):
    ours, theirs = make(name), gymnasium.make(name, disable_env_checker=True)
    theirs.unwrapped.model.geom_margin[:] *= MARGIN_SHARE
    ours.action_space.seed(0)
    first, _ = ours.reset(seed=3)
    second, _ = theirs.reset(seed=3)
    for _ in range(20):
        assert np.array_equal(first[:size], second)
        assert not first[size:].any()
        action = ours.action_space.sample()
        first, *mine = ours.step(action)
        second, *other = theirs.step(action)
        assert mine[:3] == other[:3]
    ours.close()
    theirs.close()
