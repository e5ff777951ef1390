"""Against datasets that Minari itself makes."""

import gymnasium
import numpy as np
import pytest

from harness import datasets
from harness.datasets import registry
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError

minari = pytest.importorskip("minari")
EpisodeBuffer = pytest.importorskip("minari.data_collector").EpisodeBuffer


def make(name, environment="Pendulum-v1", episodes=3, **options):
    task = gymnasium.make(environment, disable_env_checker=True)
    task.action_space.seed(0)
    buffers = [episode(task, number) for number in range(episodes)]
    minari.create_dataset_from_buffers(name, buffers, env=task, algorithm_name="random", **options)
    return minari.load_dataset(name)


def episode(task, number):
    observations, steps = [task.reset(seed=number)[0]], []
    while not steps or not (steps[-1][2] or steps[-1][3]):
        action = task.action_space.sample()
        observation, reward, terminated, truncated, _ = task.step(action)
        observations.append(observation)
        steps.append((action, float(reward), terminated, truncated))
    actions, rewards, terminations, truncations = (list(column) for column in zip(*steps, strict=True))
    if isinstance(observations[0], dict):
        observations = {key: [observation[key] for observation in observations] for key in observations[0]}
    return EpisodeBuffer(
        id=number,
        seed=number,
        observations=observations,
        actions=actions,
        rewards=rewards,
        terminations=terminations,
        truncations=truncations,
    )


def load(name, **data):
    return datasets.load(DatasetSettings(name=f"minari:{name}"), DataSettings(**data))


@pytest.mark.filterwarnings("ignore")
def test_describe_shows_steps_and_returns_of_a_local_dataset():
    assert "not here" in datasets.describe("minari:pendulum/random-v0").facts["file"]
    returns = [episode.rewards.sum() for episode in make("pendulum/random-v0").iterate_episodes()]
    found = datasets.describe("minari:pendulum/random-v0")
    assert found.steps == 3 * 200
    np.testing.assert_allclose(found.returns, returns, rtol=1e-5)
    assert found.facts["environment"] == "Pendulum-v1"


@pytest.mark.filterwarnings("ignore")
def test_transitions_are_minaris():
    episodes = list(make("pendulum/random-v0").iterate_episodes())
    dropped, kept = load("pendulum/random-v0"), load("pendulum/random-v0", timeout_steps="keep")
    assert dropped.environment.id == "Pendulum-v1"
    assert (len(dropped), len(kept)) == (3 * 199, 3 * 200)
    assert np.array_equal(kept.observations, np.concatenate([e.observations[:-1] for e in episodes]))
    assert np.array_equal(kept.next_observations, np.concatenate([e.observations[1:] for e in episodes]))
    assert np.array_equal(kept.actions, np.concatenate([e.actions for e in episodes]))
    np.testing.assert_allclose(kept.rewards, np.concatenate([e.rewards for e in episodes]), rtol=1e-6)
    assert not kept.terminals.any()


@pytest.mark.filterwarnings("ignore")
def test_load_of_minari_episodes_applies_data_settings_and_gives_next_actions():
    episodes = list(make("pendulum/random-v0").iterate_episodes())
    found = datasets.load("minari:pendulum/random-v0", next_actions=True)
    assert np.array_equal(found.next_actions, np.concatenate([e.actions[1:] for e in episodes]))
    best = max(episodes, key=lambda e: e.rewards.sum())
    kept = load("pendulum/random-v0", best_episodes=0.4, time_limits="terminal")
    assert np.array_equal(kept.observations, best.observations[:-1].astype(np.float32))
    assert np.flatnonzero(kept.terminals).tolist() == [199]


@pytest.mark.filterwarnings("ignore")
def test_load_of_minari_human_data_clips_actions_to_the_range():
    task = gymnasium.make("Pendulum-v1", disable_env_checker=True)
    task.action_space.seed(0)
    buffer = episode(task, 0)
    buffer.actions[5] = np.array([2.5], np.float32)
    for name in ("pendulum/human-v0", "pendulum/other-v0"):
        minari.create_dataset_from_buffers(name, [buffer], env=task)
    assert load("pendulum/human-v0").actions.max() == 2.0
    assert load("pendulum/other-v0").actions.max() == 2.5


@pytest.mark.filterwarnings("ignore")
def test_terminals_keep_their_step():
    made = make("hopper/random-v0", "Hopper-v5")
    found = load("hopper/random-v0")
    assert len(found) == made.total_steps
    assert found.terminals.sum() == 3
    assert found.reference == registry.find("hopper-medium-v2").reference


@pytest.mark.filterwarnings("ignore")
def test_reference_scores_are_minaris_own_or_none():
    make("pendulum/own-v0", ref_min_score=-1000.0, ref_max_score=-100.0)
    make("car/random-v0", "MountainCarContinuous-v0", episodes=1)
    assert load("pendulum/own-v0").reference.maximum == -100
    assert load("car/random-v0").reference is None


@pytest.mark.filterwarnings("ignore")
def test_rewards_by_settings():
    make("pendulum/random-v0")
    plain = load("pendulum/random-v0")
    assert np.allclose(load("pendulum/random-v0", rewards={"shift": -1}).rewards, plain.rewards - 1)
    scaled = load("pendulum/random-v0", rewards="return_range").rewards
    assert np.ptp(scaled / plain.rewards) < 1e-3


def test_load_without_a_network_names_the_minari_dataset(monkeypatch):
    def no_network(*_, **__):
        raise ConnectionError("no\nnetwork")

    monkeypatch.setattr(minari, "load_dataset", no_network)
    with pytest.raises(HarnessError, match=r"^minari:some/thing-v0: Minari cannot load it \(no network\)$"):
        load("some/thing-v0")


@pytest.mark.filterwarnings("ignore")
def test_discrete_actions_are_rejected():
    make("pole/random-v0", "CartPole-v1", episodes=1)
    with pytest.raises(HarnessError, match="its action space is Discrete"):
        load("pole/random-v0")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("data_format", ["hdf5", "arrow"])
def test_a_dataset_that_was_made_again_is_read_again(data_format):
    if data_format == "arrow":
        pytest.importorskip("pyarrow")
    for episodes in (2, 3):
        make("pendulum/again-v0", episodes=episodes, data_format=data_format)
        assert len(load("pendulum/again-v0")) == episodes * 199
        minari.delete_dataset("pendulum/again-v0")


@pytest.mark.filterwarnings("ignore")
def test_a_dataset_of_which_nothing_is_left():
    task = gymnasium.make("Pendulum-v1", max_episode_steps=1, disable_env_checker=True)
    task.action_space.seed(0)
    minari.create_dataset_from_buffers("pendulum/short-v0", [episode(task, 0)], env=task)
    with pytest.raises(HarnessError, match="no transitions remain"):
        load("pendulum/short-v0")


@pytest.mark.filterwarnings("ignore")
def test_a_directory_of_minari_with_what_is_no_dataset(monkeypatch):
    monkeypatch.setattr(minari, "list_local_datasets", lambda: minari.parse_dataset_id("none"))
    with pytest.raises(HarnessError, match="Minari cannot load it"):
        load("pendulum/random-v0")


@pytest.mark.filterwarnings("ignore")
def test_load_of_a_truncated_file_of_minari_raises_one_line():
    make("pendulum/cut-v0")
    file = minari.load_dataset("pendulum/cut-v0").storage.data_path / "main_data.hdf5"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(HarnessError, match=r"^minari:pendulum/cut-v0: Minari cannot load it \(.*truncated"):
        load("pendulum/cut-v0")


class Reach(gymnasium.Env):
    """A point that is to reach a goal, observed as goal-conditioned tasks are."""

    action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    observation_space = gymnasium.spaces.Dict(
        {
            "observation": gymnasium.spaces.Box(-9, 9, (3,), np.float64),
            "achieved_goal": gymnasium.spaces.Box(-9, 9, (2,), np.float64),
            "desired_goal": gymnasium.spaces.Box(-9, 9, (2,), np.float64),
        }
    )

    def reset(self, **options):
        super().reset(seed=options.get("seed"))
        self.place, self.goal = self.np_random.uniform(-1, 1, (2, 2))
        return self.observe(), {}

    def step(self, action):
        self.place = self.place + 0.1 * action
        return self.observe(), -1.0, False, False, {}

    def observe(self):
        observed = np.append(self.place, 1.0)
        return {"observation": observed, "achieved_goal": self.place.copy(), "desired_goal": self.goal.copy()}


OBSERVE = Reach.observe


@pytest.fixture
def reach():
    gymnasium.register("Reach-v0", f"{__name__}:Reach", max_episode_steps=5)
    yield "minari:own/reach-v0", list(make("own/reach-v0", "Reach-v0").iterate_episodes())
    del gymnasium.registry["Reach-v0"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("keys", [(), ("desired_goal", "achieved_goal")])
def test_dictionary_observations_are_concatenated(reach, keys):
    name, episodes = reach
    settings = DatasetSettings(name=name, environment="Reach-v0")
    found = datasets.load(settings, DataSettings(observation_keys=keys, timeout_steps="keep"))
    used = keys or ("observation", "desired_goal")
    expected = [np.concatenate([e.observations[key] for key in used], axis=1) for e in episodes]
    assert np.array_equal(found.observations, np.concatenate([rows[:-1] for rows in expected]).astype("f"))
    assert np.array_equal(
        found.next_observations, np.concatenate([rows[1:] for rows in expected]).astype("f")
    )
    assert str(found.environment) == f"Reach-v0 (observation={'+'.join(used)})"
    assert any(f"observations are {' + '.join(used)}" in note for note in found.notes)


@pytest.mark.filterwarnings("ignore")
def test_achieved_goal_is_used_where_the_observation_lacks_it(reach, monkeypatch):
    monkeypatch.setattr(Reach, "observe", lambda self: OBSERVE(self) | {"observation": np.ones(3)})
    make("own/blind-v0", "Reach-v0")
    settings = DatasetSettings(name="minari:own/blind-v0", environment="Reach-v0")
    found = datasets.load(settings).environment
    assert found.observation_keys == ("achieved_goal", "observation", "desired_goal")


@pytest.mark.filterwarnings("ignore")
def test_observation_keys_that_do_not_fit_are_rejected(reach):
    make("pendulum/plain-v0", episodes=1)
    with pytest.raises(HarnessError, match=r"data\.observation_keys need dictionary observations"):
        load("pendulum/plain-v0", observation_keys=("observation",))
    settings = DatasetSettings(name=reach[0], environment="Reach-v0")
    with pytest.raises(
        HarnessError, match=r"contains 'goal', but .* vectors achieved_goal, desired_goal, obs"
    ):
        datasets.load(settings, DataSettings(observation_keys=("goal",)))
