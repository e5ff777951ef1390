import math
from dataclasses import replace

import numpy as np
import pytest

from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError
from harness.policies.files import SavedPolicy
from harness.training.evaluation import LocalEvaluation
from harness.training.policy_evaluation import (
    PolicyEpisodes,
    environment_for,
    evaluate_policy,
    recorded_environment,
    require_fit,
)
from tests.policies.test_files import INFO

SHORT = {"max_episode_steps": 5}


def swing(observations):
    return (2 * observations[:, 1:2] * observations[:, 2:]).clip(-2, 2).astype(np.float32)


def saved(act=swing, sizes=(3, 1), **changes):
    info = INFO.model_copy(update={"environment_changes": SHORT, "episode_returns": ()} | changes)
    return SavedPolicy(act, info, *sizes, "x.npz")


def evaluate(policy, episodes=4, seed=None, environment=None):
    return PolicyEpisodes(
        policy, environment or environment_for(policy), episodes, seed, LocalEvaluation()
    ).result()


def recorded(policy=None):
    """Return a policy whose file records the returns of two episodes."""
    policy = policy or saved()
    returns = evaluate(policy, 2).returns
    return replace(policy, info=policy.info.model_copy(update={"episode_returns": returns}))


def test_evaluate_policy_with_recorded_seeds_reproduces_the_recorded_returns():
    policy = recorded()
    evaluation = evaluate(policy, 2)
    assert evaluation.returns == policy.info.episode_returns
    assert evaluation.reproduced is True


def test_evaluate_policy_with_more_episodes_begins_with_the_recorded_ones():
    policy = recorded()
    evaluation = evaluate(policy, 5)
    assert len(evaluation.returns) == 5
    assert evaluation.returns[:2] == policy.info.episode_returns
    assert evaluation.reproduced is True


def test_evaluate_policy_with_other_returns_is_not_reproduced():
    policy = recorded()
    info = policy.info.model_copy(update={"episode_returns": (-1.0, -2.0)})
    assert evaluate(replace(policy, info=info), 2).reproduced is False


@pytest.mark.parametrize(
    "changes", [{"seed": 7}, {"episodes": 1}, {"environment": EnvironmentSpec("Pendulum-v1")}]
)
def test_evaluate_policy_with_other_episodes_compares_nothing(changes):
    assert evaluate(recorded(), **changes).reproduced is None


def test_to_row_has_mean_deviation_and_score():
    evaluation = evaluate(saved(), 4)
    row = evaluation.to_row()
    returns = np.array(row["episode_returns"])
    assert row["return_mean"] == returns.mean()
    assert row["return_std"] == returns.std()
    assert evaluation.standard_error == pytest.approx(returns.std(ddof=1) / 2)
    assert row["normalized_score"] == pytest.approx(100 * (returns.mean() + 1200) / 1050)
    assert (row["algorithm"], row["dataset"], row["seed"], row["step"]) == (
        "td3_bc", "pendulum-expert-v0", 3, 100,
    )  # fmt: skip
    assert "train_seconds" not in row


def test_normalized_score_in_another_environment_is_none():
    policy = saved()
    other = replace(recorded_environment(policy), max_episode_steps=6)
    assert evaluate(policy, environment=other).normalized_score is None


def test_evaluate_policy_with_non_finite_actions_raises():
    policy = saved(lambda observations: np.full((len(observations), 1), math.nan, np.float32))
    with pytest.raises(HarnessError, match=r"^x.npz: the actions of the policy are not finite$"):
        evaluate(policy)


def test_environment_for_a_policy_of_an_untrusted_module_raises():
    policy = saved(environment="antigravity:Task-v0")
    with pytest.raises(
        HarnessError, match=r"x.npz: names the environment .* --environment antigravity:Task-v0"
    ):
        environment_for(policy)
    assert environment_for(policy, "antigravity:Task-v0").max_episode_steps == 5


def test_environment_for_a_policy_with_an_untrusted_wrapper_raises():
    wrapper = {"name": "W", "entry_point": "antigravity:W", "kwargs": {}}
    policy = saved(environment_changes={"wrappers": [wrapper]})
    with pytest.raises(HarnessError, match="names the wrapper antigravity:W"):
        environment_for(policy)
    with pytest.raises(HarnessError, match="names the wrapper antigravity:W"):
        environment_for(policy, "Pendulum-v1")
    ours = {"name": "W", "entry_point": "gymnasium.wrappers:W", "kwargs": {}}
    assert environment_for(saved(environment_changes={"wrappers": [ours]})).wrappers[0].name == "W"


@pytest.mark.parametrize(
    "changes", [{"wrappers": [{"name": "W"}]}, {"wrappers": 3}, {"observation_keys": [["a"]]}]
)
def test_recorded_environment_with_invalid_changes_raises_one_line(changes):
    with pytest.raises(HarnessError, match=r"^x.npz: cannot read the changes to its environment Pendulum-v1"):
        environment_for(saved(environment_changes=changes))


def test_environment_for_a_named_environment_replaces_the_recorded_one():
    assert environment_for(saved(), "Hopper-v4") == EnvironmentSpec("Hopper-v4")


@pytest.mark.parametrize(("sizes", "what"), [((4, 1), "observations"), ((3, 2), "actions")])
def test_evaluate_policy_in_an_environment_of_other_sizes_raises_one_line(sizes, what):
    policy = saved(sizes=sizes)
    complaint = rf"^policy x.npz: {what} have size \d, but those of environment Pendulum-v1 .* have shape"
    with pytest.raises(HarnessError, match=complaint):
        require_fit([policy], [environment_for(policy)])


def test_evaluate_policy_equals_policy_episodes():
    policy = saved()
    assert evaluate_policy(policy, 4, seed=7).returns == evaluate(policy, 4, seed=7).returns
    with pytest.raises(HarnessError, match=r"size 3, but those of environment Hopper-v4 have shape \(11,\)"):
        evaluate_policy(policy, environment="Hopper-v4")
