import gymnasium
import numpy as np
import pytest

from harness.training.evaluation import Evaluation, Evaluator


def swing(observations):
    return np.sign(observations[:, 2:3]).astype(np.float32)


def test_lock_step_gives_the_returns_of_one_episode_after_another():
    evaluator = Evaluator("Pendulum-v1", episodes=3, evaluation_seed=100, trial_seed=1)
    alone = []
    for seed in evaluator.episode_seeds:
        environment = gymnasium.make("Pendulum-v1")
        observation, _ = environment.reset(seed=seed)
        total, done = 0.0, False
        while not done:
            observation, reward, terminated, truncated, _ = environment.step(swing(observation[None])[0])
            total += float(reward)
            done = terminated or truncated
        alone.append(total)
    assert evaluator.evaluate(swing) == tuple(alone)


def test_the_starts_are_the_same_at_every_evaluation_and_differ_between_episodes_and_trials():
    evaluator = Evaluator("Pendulum-v1", 3, 100, 1)
    first = evaluator.evaluate(swing)
    assert evaluator.evaluate(swing) == first == Evaluator("Pendulum-v1", 3, 100, 1).evaluate(swing)
    assert len(set(first)) == 3
    assert not set(first) & set(Evaluator("Pendulum-v1", 3, 100, 2).evaluate(swing))
    assert not set(first) & set(Evaluator("Pendulum-v1", 3, 101, 1).evaluate(swing))


def test_episodes_end_on_their_own():
    """Hopper falls at different steps; an episode that ended must not be stepped again."""
    evaluator = Evaluator("Hopper-v4", 4, 100, 0)
    lengths = np.zeros(4, int)
    for index, environment in enumerate(evaluator.environments):
        step = environment.step

        def counted(action, index=index, step=step):
            lengths[index] += 1
            return step(action)

        environment.step = counted
    scale = np.array([[0.1], [0.5], [0.9], [1.0]], np.float32)
    returns = evaluator.evaluate(lambda observations: np.repeat(scale, 3, axis=1))
    assert len(set(lengths)) > 1
    assert all(np.isfinite(returns))


def test_an_action_that_is_not_finite_gives_a_nan_return_for_its_episode_alone():
    evaluator = Evaluator("Pendulum-v1", 3, 100, 0)
    calm = evaluator.evaluate(lambda observations: np.zeros((3, 1), np.float32))
    actions = np.array([[0.0], [np.nan], [0.0]], np.float32)
    returns = evaluator.evaluate(lambda observations: actions)
    assert np.isnan(returns[1])
    assert (returns[0], returns[2]) == (calm[0], calm[2])


def test_row_and_back():
    evaluation = Evaluation(5, -1.5, 0.5, None, (-1.0, -2.0), 0.1, 0.2, {"q1": 3.0})
    row = evaluation.to_row()
    assert row["q1"] == 3.0
    assert row["episode_returns"] == [-1.0, -2.0]
    assert Evaluation.from_row(row) == evaluation


@pytest.mark.parametrize(
    ("name", "complaint"), [("Pendulum-v9", "Pendulum-v9"), ("CartPole-v1", "action space")]
)
def test_an_environment_that_cannot_be_used_gets_one_line(name, complaint):
    from harness.errors import HarnessError

    with pytest.raises(HarnessError, match=complaint) as error:
        Evaluator(name, 1, 0, 0)
    assert "\n" not in str(error.value)
