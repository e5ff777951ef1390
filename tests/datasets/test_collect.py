import json
import tempfile

import gymnasium
import h5py
import numpy as np
import pytest

from harness import datasets
from harness.datasets.collect import Recipe, collect, roll_outs, sac
from harness.datasets.collect.roll_outs import Recorder, as_recording, episode_returns
from harness.datasets.collect.sac import Agent, Training
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError


def random_policy(seed=0):
    generator = np.random.default_rng(seed)
    return lambda observations: generator.uniform(-1, 1, (len(observations), 3)).astype(np.float32)


def roll_out(*arguments, **options):
    return as_recording(roll_outs.roll_out(*arguments, **options), "task")


def test_a_roll_out_is_whole_episodes_whose_steps_follow_each_other():
    steps = roll_out("Hopper-v4", random_policy(), 1000, seed=0)
    ends = steps.ends.last
    assert len(steps) >= 1000
    assert ends[-1]
    assert steps.ends.terminals.sum() > 10
    inner = ~ends[:-1]
    assert np.array_equal(steps.next_observations[:-1][inner], steps.observations[1:][inner])
    assert len(steps.episode_returns()) == ends.sum()


def test_the_same_seed_gives_the_same_steps():
    first, second = (roll_out("Hopper-v4", random_policy(), 300, seed=1) for _ in range(2))
    assert np.array_equal(first.observations, second.observations)
    assert not np.array_equal(
        first.observations[:50], roll_out("Hopper-v4", random_policy(), 300, seed=2).observations[:50]
    )


def test_a_time_limit_is_a_timeout_and_an_end_of_the_task_a_terminal():
    recorder = Recorder(gymnasium.make("Hopper-v4", max_episode_steps=3, disable_env_checker=True))
    recorder.reset(seed=0)
    for _ in range(3):
        recorder.step(np.zeros(3, np.float32))
    steps = recorder.whole_episodes()
    assert [step.timeout for step in steps] == [False, False, True]
    assert not any(step.terminal for step in steps)


def test_returns_are_of_as_many_episodes_as_asked_for():
    returns = episode_returns("Pendulum-v1", lambda o: np.zeros((len(o), 1), np.float32), 7, seed=0)
    assert returns.shape == (7,)
    assert (returns < 0).all()


def test_random_data_alone_needs_no_training(tmp_path, monkeypatch):
    monkeypatch.setattr(sac, "Training", lambda *_: pytest.fail("trained"))
    recipe = Recipe("Pendulum-v1", "pendulum", kinds=("random",), transitions=400, reference_episodes=5)
    (path,) = collect(recipe, tmp_path)
    assert path.name == "pendulum_random-v0.hdf5"
    found = datasets.load(DatasetSettings(name="own", path=str(path)))
    assert len(found) == 398
    assert found.environment.id == "Pendulum-v1"
    with pytest.raises(HarnessError, match=r"random-v0\.hdf5: already exists; move it away"):
        collect(recipe, tmp_path)


@pytest.mark.slow
def test_collect_of_pendulum_writes_five_datasets_and_scores(tmp_path, monkeypatch):
    """A third of the way as two short runs of SAC go: what is made of it is what counts here."""
    pytest.importorskip("stable_baselines3")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(
        Training,
        "choose_medium",
        lambda self, *_: setattr(self, "medium_step", sorted(self.actors)[1]),
    )
    recipe = Recipe(
        "Pendulum-v1",
        "pendulum",
        transitions=400,
        training_steps=600,
        train_every=20,
        evaluation_interval=200,
        evaluation_episodes=1,
        reference_episodes=2,
        seed=3,
    )
    paths = collect(recipe, tmp_path)
    assert not list(temporary.glob("SB3-*"))
    assert sorted(path.name for path in paths) == [
        "pendulum_expert-v0.hdf5",
        "pendulum_medium-v0.hdf5",
        "pendulum_medium_expert-v0.hdf5",
        "pendulum_medium_replay-v0.hdf5",
        "pendulum_random-v0.hdf5",
        "pendulum_reference_scores.json",
    ]
    scores = json.loads((tmp_path / "pendulum_reference_scores.json").read_text())
    for path in paths:
        if path.suffix != ".hdf5":
            continue
        with h5py.File(path) as file:
            attributes = dict(file.attrs)
        assert attributes["environment"] == "Pendulum-v1"
        assert attributes["seed"] == 3
        assert attributes["reference_min_score"] == scores["minimum"]
        assert attributes["mean_return"] < 0
        datasets.load(DatasetSettings(name=path.stem, path=str(path)), DataSettings(timeout_steps="keep"))
    replay = datasets.load(DatasetSettings(name="r", path=str(tmp_path / "pendulum_medium_replay-v0.hdf5")))
    assert len(replay) == 400 - 2  # the second of three stages, episodes of 200 steps


def stages(**returns):
    training = object.__new__(Training)
    training.returns = {int(step[1:]): value for step, value in returns.items()}
    return training


def test_medium_is_the_stage_nearest_to_a_third_of_the_way():
    training = stages(s100=-1000.0, s200=-720.0, s300=-640.0, s400=-100.0, s500=-670.0, s600=0.0)
    training.choose_medium(random_return=-1000.0, expert_return=0.0)
    assert training.medium_step == 300


def test_choose_medium_without_a_stage_near_a_third_is_rejected():
    with pytest.raises(
        HarnessError, match=r"no stage of SAC's training .* train longer or evaluate more often"
    ):
        stages(s100=-1000.0, s200=0.0).choose_medium(-1000.0, 0.0)
    with pytest.raises(HarnessError, match="no stage"):
        stages(s100=-1000.0).choose_medium(-1000.0, -1100.0)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe("Nothing-v0", "x"), "environment Nothing-v0: gymnasium cannot make it"),
        (Recipe("CartPole-v1", "x"), "needs a bounded Box of actions, not Discrete"),
        (
            Recipe("Pendulum-v1", "x", kinds=("mediocre",)),
            "unknown kind of dataset 'mediocre'; there are random",
        ),
        (Recipe("Pendulum", "x"), "environment Pendulum: the id lacks a version; write Pendulum-v1"),
    ],
)
def test_collect_with_a_wrong_task_or_option_is_rejected(recipe, said, tmp_path):
    with pytest.raises(HarnessError, match=said):
        collect(recipe, tmp_path)


def test_a_place_that_cannot_be_written_is_known_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HarnessError, match="cannot be written"):
        collect(Recipe("Pendulum-v1", "x"), tmp_path / "file")


class InPlace(gymnasium.Env):
    """Gives its own state away, and changes it."""

    observation_space = gymnasium.spaces.Box(-10, 10, (2,))
    action_space = gymnasium.spaces.Box(-1, 1, (2,))

    def reset(self, **options):
        super().reset(**options)
        self.state = np.zeros(2, np.float32)
        return self.state, {}

    def step(self, action):
        self.state += action
        return self.state, 0.0, False, False, {}


@pytest.fixture
def in_place():
    gymnasium.register("InPlace-v0", InPlace, max_episode_steps=5)
    gymnasium.register("Endless-v0", InPlace)
    yield
    del gymnasium.registry["InPlace-v0"], gymnasium.registry["Endless-v0"]


@pytest.mark.filterwarnings("ignore")
def test_a_task_that_changes_its_observation_in_place(in_place):
    steps = roll_out("InPlace-v0", lambda observations: np.ones((len(observations), 2)), 5, seed=0)
    assert steps.observations[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert steps.next_observations[:, 0].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.filterwarnings("ignore")
def test_a_task_without_an_end_is_rejected(in_place, tmp_path):
    recipe = Recipe("Endless-v0", "endless", kinds=("random",), transitions=400, reference_episodes=5)
    with pytest.raises(HarnessError, match="environment Endless-v0: has no max_episode_steps"):
        collect(recipe, tmp_path)


@pytest.mark.parametrize("expert", [0.0, -1.0])
def test_choose_medium_without_progress_is_rejected(expert):
    training = Training.__new__(Training)
    training.returns = {100: 0.0, 200: expert}
    with pytest.raises(HarnessError, match="no stage of SAC's training is near a third"):
        training.choose_medium(0.0, expert)


def test_collect_of_expert_alone_needs_no_medium(monkeypatch, tmp_path):
    class Stub:
        expert = Agent(lambda observations: np.zeros((len(observations), 1), np.float32), "stub")

        def __init__(self, *_):
            pass

        def run(self):
            pass

    monkeypatch.setattr(sac, "Training", Stub)
    recipe = Recipe("Pendulum-v1", "pendulum", kinds=("expert",), transitions=200, reference_episodes=2)
    assert {path.name for path in collect(recipe, tmp_path)} == {
        "pendulum_expert-v0.hdf5",
        "pendulum_reference_scores.json",
    }
