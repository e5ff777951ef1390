import base64
import json
import re
import zipfile

import cloudpickle
import gymnasium
import h5py
import numpy as np
import pytest
import torch

from harness import datasets
from harness.datasets.collect import Recipe, collect
from harness.datasets.collect.agent import load_agent
from harness.datasets.settings import DatasetSettings
from harness.errors import HarnessError

sb3 = pytest.importorskip("stable_baselines3")
RECIPE = Recipe("Pendulum-v1", "pendulum", transitions=400)


def collect_agent(agent, recipe, directory):
    (path,) = collect(recipe, directory, agent=agent)
    return path


@pytest.fixture
def agent(tmp_path):
    """Return a function that saves an untrained agent of an algorithm."""

    def save(algorithm="SAC", environment="Pendulum-v1"):
        model = getattr(sb3, algorithm)("MlpPolicy", environment, policy_kwargs={"net_arch": [4]}, seed=0)
        model.save(tmp_path / "agent.zip")
        return tmp_path / "agent.zip"

    return save


@pytest.mark.parametrize("algorithm", ["SAC", "TD3", "DDPG", "PPO", "A2C"])
def test_an_agent_of_any_algorithm_gives_whole_episodes_of_its_actions(agent, tmp_path, algorithm):
    path = collect_agent(agent(algorithm), RECIPE, tmp_path)
    assert path == tmp_path / "pendulum_agent-v0.hdf5"
    with h5py.File(path) as file:
        observations, actions = file["observations"][()], file["actions"][()]
        assert file["timeouts"][()].sum() == 2
        assert file.attrs["environment"] == "Pendulum-v1"
        described = file.attrs["policy"]
    assert (len(actions), np.abs(actions).max() <= 2) == (400, True)
    deterministic = algorithm in ("TD3", "DDPG")
    how = "its actions are deterministic" if deterministic else "actions sampled"
    assert described == f"{algorithm} of agent.zip after 0 steps, {how}"
    if deterministic:
        expected = sb3.TD3.load(tmp_path / "agent.zip").predict(observations)[0]
        assert np.allclose(actions, expected, atol=1e-5)
    assert len(datasets.load(DatasetSettings(name="own", path=str(path)))) == 398


def test_the_same_seed_gives_the_same_data(agent, tmp_path):
    saved = agent()
    first, second = (collect_agent(saved, RECIPE, tmp_path / name) for name in ("a", "b"))
    with h5py.File(first) as one, h5py.File(second) as other:
        assert np.array_equal(one["actions"][()], other["actions"][()])


def test_an_agent_of_another_task_is_rejected(agent, tmp_path):
    with pytest.raises(
        HarnessError, match=r"has observations of shape \[3\], those of Hopper-v4 have \[11\]"
    ):
        collect_agent(agent(), Recipe("Hopper-v4", "hopper"), tmp_path)


def test_activations_and_schedules_of_an_agent_are_replaced_by_named_classes(tmp_path):
    model = sb3.PPO(
        "MlpPolicy",
        "Pendulum-v1",
        learning_rate=lambda progress: 1e-3 * progress,
        policy_kwargs={"net_arch": [4], "activation_fn": torch.nn.ELU},
    )
    model.save(tmp_path / "agent.zip")
    with gymnasium.make("Pendulum-v1") as environment:
        loaded = load_agent(tmp_path / "agent.zip", environment)
    observations = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    expected = model.predict(observations, deterministic=True)[0]
    assert np.array_equal(loaded.predict(observations, deterministic=True)[0], expected)


def pickled(value):
    return {":serialized:": base64.b64encode(cloudpickle.dumps(value)).decode()}


def rewrite(path, **changes):
    """Change values in the agent's data."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["data"] = json.dumps(json.loads(parts["data"]) | changes).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("key", ["policy_class", "policy_kwargs", "lr_schedule", "observation_space"])
def test_nothing_that_an_agent_pickles_is_run(agent, tmp_path, key):
    path = agent("TD3")
    rewrite(path, **{key: {"_shape": [3]} | pickled(Trap(tmp_path / "sprung"))})
    try:
        collect_agent(path, RECIPE, tmp_path)
    except HarnessError as error:
        assert re.search(r"cannot be loaded safely: it contains _?io\.open", str(error))  # noqa: PT017
    assert not (tmp_path / "sprung").exists()


class OwnPolicy(sb3.td3.policies.TD3Policy):
    pass


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.unlink(), "no such file"),
        (
            lambda path: path.write_bytes(b"PK"),
            "not an agent of stable-baselines3; save one",
        ),
        (lambda path: rewrite(path, policy_class=pickled(OwnPolicy)), "cannot be loaded safely: it contains"),
        (
            lambda path: rewrite(path, policy_class=pickled(torch.nn.functional.relu)),
            "is not a class of",
        ),
        (lambda path: rewrite(path, policy_class=pickled(torch.nn.ReLU)), "has no algorithm for torch.nn"),
        (lambda path: rewrite(path, policy_kwargs={"net_arch": [5]}), "cannot load it"),
        (lambda path: rewrite(path, policy_class={":serialized:": "gAR9"}), "is damaged"),
        (lambda path: rewrite(path, policy_class={":serialized:": "5"}), "is damaged"),
    ],
)
def test_files_that_are_not_agents_are_rejected(agent, tmp_path, change, said):
    path = agent("TD3")
    change(path)
    with pytest.raises(HarnessError, match=said) as error:
        collect_agent(path, RECIPE, tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training_steps": 5}, "--training-steps: --policy collects from an agent, without training"),
        ({"kinds": ("random",)}, "unknown kind of dataset 'random'; there are agent"),
    ],
)
def test_options_of_the_recipe_are_rejected(agent, tmp_path, changes, said):
    with pytest.raises(HarnessError, match=said):
        collect_agent(agent(), Recipe("Pendulum-v1", "pendulum", **changes), tmp_path)
