"""Which environment a Minari dataset is evaluated on, and what its spec must not choose."""

from __future__ import annotations

import json
import sys
import warnings
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest

from harness import datasets
from harness.datasets import from_minari, registry
from harness.datasets.dataset import ReferenceScores
from harness.datasets.minari_environment import evaluation_environment
from harness.environments.factory import make
from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError, HarnessWarning
from harness.training.evaluation import Evaluator
from tests.datasets.test_from_minari import make as make_dataset

NAME = "minari:some/thing-v0"
TASK = """
import gymnasium
from tests.environments.odd import Point
gymnasium.register("{name}", entry_point="{module}:Point", max_episode_steps=20)
"""


def dataset(spec, **metadata):
    written = {"env_spec": spec if isinstance(spec, str) else json.dumps(spec)}
    return SimpleNamespace(storage=SimpleNamespace(metadata=written | metadata))


def described(**changes):
    spec = json.loads(gymnasium.spec("Pendulum-v1").to_json())
    return dataset(spec | changes)


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """A module of the user's own that registers Own-v0."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_tasks.py").write_text(TASK.format(name="Own-v0", module="own_tasks"))
    yield "own_tasks"
    sys.modules.pop("own_tasks", None)
    gymnasium.registry.pop("Own-v0", None)


@pytest.mark.filterwarnings("ignore")
def test_dataset_is_evaluated_on_the_environment_that_minari_recovers():
    made = make_dataset("pend/lowg-v0", gymnasium.make("Pendulum-v1", g=1.0, max_episode_steps=50).spec)
    found = datasets.load("minari:pend/lowg-v0")
    assert found.environment == EnvironmentSpec("Pendulum-v1", {"g": 1.0}, max_episode_steps=50)
    assert found.reference is None
    returns = Evaluator(found.environment, 2).evaluate(policy, (3, 4)).returns
    recovered = made.recover_environment(eval_env=True)
    assert returns == tuple(episode_return(recovered, seed) for seed in (3, 4))


def policy(observations):
    return np.tanh(observations[:, :1]).astype(np.float32)


def episode_return(environment, seed):
    observation, total, ended = environment.reset(seed=seed)[0], 0.0, False
    while not ended:
        observation, reward, terminated, truncated, _ = environment.step(policy(observation[None])[0])
        total, ended = total + float(reward), terminated or truncated
    return total


def test_unchanged_environment_is_the_registered_one():
    assert evaluation_environment(NAME, described(kwargs={"render_mode": "human"})) == EnvironmentSpec(
        "Pendulum-v1"
    )


def test_evaluation_environment_precedes_that_of_the_data():
    spec = gymnasium.spec("Hopper-v4").to_json()
    found = evaluation_environment(NAME, dataset(gymnasium.spec("Pendulum-v1").to_json(), eval_env_spec=spec))
    assert found == EnvironmentSpec("Hopper-v4")


def test_wrappers_are_applied_again_without_those_that_record():
    wrappers = [
        {
            "name": "RecordVideo",
            "entry_point": "gymnasium.wrappers:RecordVideo",
            "kwargs": {"video_folder": "x"},
        },
        {
            "name": "RescaleAction",
            "entry_point": "gymnasium.wrappers:RescaleAction",
            "kwargs": {"min_action": -1.0, "max_action": 1.0},
        },
    ]
    spec = evaluation_environment(NAME, described(additional_wrappers=wrappers))
    assert [wrapper.name for wrapper in spec.wrappers] == ["RescaleAction"]
    assert make(spec).action_space.high.tolist() == [1.0]


def test_environment_of_own_module_is_found_through_the_entry_point(own_module):
    spec = {"id": "Own-v0", "entry_point": "own_tasks:Point", "max_episode_steps": 20}
    with pytest.warns(HarnessWarning, match="Own-v0 of the package own_tasks"):
        found = evaluation_environment(NAME, dataset(spec))
    assert found == EnvironmentSpec("own_tasks:Own-v0")
    assert make(found).spec.max_episode_steps == 20


def test_well_known_environment_is_named_by_its_registering_module_without_a_warning():
    entry_point = "harness.environments.locomotion:make_ant"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluation_environment(NAME, dataset({"id": "D4RL/Ant-v4", "entry_point": entry_point}))
    assert found == EnvironmentSpec("harness.environments:D4RL/Ant-v4")
    assert registry.reference_of_environment(found.id) == registry.find("ant-medium-v2").reference


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"id": "X-v0", "entry_point": "os:system", "kwargs": {"command": "true"}}, "needs the package os"),
        (
            {"id": "X-v0", "entry_point": "missing_tasks:X"},
            "needs the package missing_tasks, which is not inst",
        ),
        (
            {"id": "X-v0", "entry_point": "harmful:X"},
            "needs the package harmful, .* registers no environments",
        ),
        ({"id": "X-v0", "entry_point": "own_tasks:X"}, "own_tasks does not register its environment X-v0"),
        ({"id": "Pendulum-v1", "entry_point": "own_tasks:X"}, "own_tasks does not register .* Pendulum-v1"),
        (
            {"id": "Pendulum-v9", "entry_point": "gymnasium.envs:X"},
            "environment Pendulum-v9: gymnasium cannot",
        ),
        ({"id": "Pendulum-v1"}, "environment spec cannot be read"),
        ("{", "environment spec cannot be read"),
        ({"id": "Pendulum-v1", "entry_point": "gymnasium:X", "max_episode_steps": 0}, "spec cannot be read"),
    ],
)
def test_spec_that_names_what_is_not_registered_is_rejected(
    spec, complaint, own_module, tmp_path, monkeypatch
):
    (tmp_path / "harmful.py").write_text(f"open({str(tmp_path / 'harmed')!r}, 'w')\n")
    with pytest.raises(HarnessError, match=complaint) as error:
        evaluation_environment(NAME, dataset(spec))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    ("entry_point", "kwargs", "complaint"),
    [
        ("os:system", {}, "belongs neither to gymnasium"),
        ("gymnasium.utils.play:play", {}, "belongs neither to gymnasium"),
        ("gymnasium.wrappers:Nothing", {}, "cannot be applied again"),
        ("gymnasium.wrappers:TimeAwareObservation", None, "cannot be applied again"),
    ],
)
def test_wrapper_that_cannot_be_trusted_or_rebuilt_is_rejected(entry_point, kwargs, complaint):
    wrapper = {"name": "W", "entry_point": entry_point, "kwargs": kwargs}
    with pytest.raises(HarnessError, match=complaint):
        evaluation_environment(NAME, described(additional_wrappers=[wrapper]))


def test_scores_of_pen_with_another_step_limit_are_not_used():
    scores = registry.find("pen-human-v1").reference
    own = {"ref_min_score": scores.minimum, "ref_max_score": scores.maximum}
    spec = EnvironmentSpec("gymnasium_robotics:AdroitHandPen-v1", max_episode_steps=200)
    with pytest.warns(HarnessWarning, match="episodes of 100 steps, but its environment has 200"):
        assert from_minari.reference(NAME, dataset({}, **own), spec) is None
    hundred = EnvironmentSpec("gymnasium_robotics:AdroitHandPen-v1", max_episode_steps=100)
    assert from_minari.reference(NAME, dataset({}, **own), hundred) == scores


def test_scores_of_the_dataset_belong_to_its_changed_task_too():
    own = {"ref_min_score": -10.0, "ref_max_score": 0.0}
    spec = EnvironmentSpec("Pendulum-v1", {"g": 1.0})
    assert from_minari.reference(NAME, dataset({}, **own), spec) == ReferenceScores(-10.0, 0.0)
    assert from_minari.reference(NAME, dataset({}), spec) is None
