import gymnasium
import numpy as np
import pytest

from harness.errors import HarnessError
from harness.training.evaluation import Evaluation, Evaluator, episode_seeds


def swing(observations):
    return np.sign(observations[:, 2:3]).astype(np.float32)


def test_evaluate_in_lock_step_returns_what_single_episodes_return():
    seeds = episode_seeds(100, 1, 3)
    alone = []
    for seed in seeds:
        environment = gymnasium.make("Pendulum-v1")
        observation, _ = environment.reset(seed=seed)
        total, done = 0.0, False
        while not done:
            observation, reward, terminated, truncated, _ = environment.step(swing(observation[None])[0])
            total += float(reward)
            done = terminated or truncated
        alone.append(total)
    assert Evaluator("Pendulum-v1", 3).evaluate(swing, seeds).returns == tuple(alone)


def test_episode_seeds_differ_between_episodes_trials_and_evaluation_seeds():
    assert episode_seeds(100, 1, 10) == episode_seeds(100, 1, 10)
    assert episode_seeds(100, 1, 10)[:3] == episode_seeds(100, 1, 3)
    drawn = [*episode_seeds(100, 1, 10), *episode_seeds(100, 2, 10), *episode_seeds(101, 1, 10)]
    assert len(set(drawn)) == 30


@pytest.mark.parametrize("name", ["Pendulum-v1", "Hopper-v4"])
def test_evaluate_twice_returns_the_same(name):
    seeds = episode_seeds(100, 1, 3)
    size = Evaluator(name, 1).environments[0].action_space.shape[0]

    def policy(observations):
        return np.repeat(np.tanh(observations[:, 1:2]), size, axis=1).astype(np.float32)

    evaluator = Evaluator(name, 3)
    first = evaluator.evaluate(policy, seeds).returns
    assert evaluator.evaluate(policy, seeds).returns == first
    assert Evaluator(name, 3).evaluate(policy, seeds).returns == first


def test_evaluate_does_not_step_ended_episodes():
    """Hopper falls at different steps; an episode that ended must not be stepped again."""
    evaluator = Evaluator("Hopper-v4", 4)
    lengths = np.zeros(4, int)
    for index, environment in enumerate(evaluator.environments):
        step = environment.step

        def counted(action, index=index, step=step):
            lengths[index] += 1
            return step(action)

        environment.step = counted
    scale = np.array([[0.1], [0.5], [0.9], [1.0]], np.float32)
    seeds = episode_seeds(100, 0, 4)
    returns = evaluator.evaluate(lambda observations: np.repeat(scale, 3, axis=1), seeds).returns
    assert len(set(lengths)) > 1
    assert all(np.isfinite(returns))


def test_evaluate_with_a_non_finite_action_returns_nan_for_that_episode_only():
    evaluator = Evaluator("Pendulum-v1", 3)
    undisturbed = evaluator.evaluate(lambda observations: np.zeros((3, 1), np.float32), (1, 2, 3)).returns
    actions = np.array([[0.0], [np.nan], [0.0]], np.float32)
    returns = evaluator.evaluate(lambda observations: actions, (1, 2, 3)).returns
    assert np.isnan(returns[1])
    assert (returns[0], returns[2]) == (undisturbed[0], undisturbed[2])


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        ("LateNanReward", "returned the reward nan in step 3 of the episode with seed 7"),
        ("NanObservation", "returned an observation that is not finite in step 1 of the episode with seed 7"),
        ("Raises", "raised RuntimeError: simulator lost connection in step 1 of the episode with seed 7"),
    ],
)
def test_evaluate_in_a_broken_environment_raises_and_does_not_return_nan(kind, complaint):
    name = f"tests.environments.odd:Odd/{kind}-v0"
    with pytest.raises(HarnessError, match=f"^environment {name}: {complaint}; fix the environment"):
        Evaluator(name, 2).evaluate(lambda observations: np.tanh(observations), (7, 8))


def test_evaluation_from_row_restores_to_row():
    evaluation = Evaluation(5, -1.5, 0.5, None, (-1.0, -2.0), 0.1, 0.2, {"q1": 3.0})
    row = evaluation.to_row()
    assert row["q1"] == 3.0
    assert row["episode_returns"] == [-1.0, -2.0]
    assert Evaluation.from_row(row) == evaluation


@pytest.mark.parametrize(
    ("name", "complaint"), [("Pendulum-v9", "Pendulum-v9"), ("CartPole-v1", "action space")]
)
def test_evaluator_of_an_unusable_environment_raises_one_line(name, complaint):
    with pytest.raises(HarnessError, match=complaint) as error:
        Evaluator(name, 1)
    assert "\n" not in str(error.value)


class FromWholeNumbers(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-10, 10, (1,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def reset(self, **options):
        super().reset(**options)
        self.state = 0.0
        return np.array([0]), {}

    def step(self, action):
        self.state += 0.25
        return np.array([self.state]), float(action[0]), False, False, {}


@pytest.mark.filterwarnings("ignore")
def test_evaluate_with_integer_first_observations_keeps_later_fractions():
    gymnasium.register("Whole-v0", FromWholeNumbers, max_episode_steps=4)
    try:
        returns = Evaluator("Whole-v0", 1).evaluate(lambda observations: observations, [0]).returns
    finally:
        del gymnasium.registry["Whole-v0"]
    assert returns == (0 + 0.25 + 0.5 + 0.75,)
