import numpy as np
import pytest

from harness.policies.files import loads
from harness.training import Pack
from harness.training.evaluation import Evaluation, Evaluator, episode_seeds
from harness.training.kept_policies import KeptPolicies
from harness.training.policy_evaluation import recorded_environment
from harness.training.settings import TrainingSettings
from tests.training.test_trainer import make_trial


def evaluation(step, score, mean=0.0):
    return Evaluation(step, mean, 0.0, score, (mean,), 0.0, 0.0)


def names(save_policy, scores, last=40):
    """Return the names of the files after evaluations at 10, 20, ... with these scores."""
    kept = KeptPolicies(TrainingSettings(gradient_steps=last, save_policy=save_policy))
    earlier, found = [], []
    for step, score in zip(range(10, 100, 10), scores, strict=False):
        kept.consider(evaluation(step, score), lambda observations: observations, earlier)
        earlier.append(evaluation(step, score))
        found.append([(each.name, each.evaluation.step) for each in kept.take()])
    return found


def test_kept_policies_final_keeps_the_last_step():
    assert names("final", [1, 3, 2, 0]) == [[], [], [], [("policy.npz", 40)]]


def test_kept_policies_best_keeps_the_first_with_the_best_score():
    best = "policy-best.npz"
    assert names("best", [1, 3, 3, 0]) == [[(best, 10)], [(best, 20)], [], []]


def test_kept_policies_every_n_steps_names_files_by_step():
    assert names("every 20", [1, 3, 2, 0]) == [
        [],
        [("policy-0000000020.npz", 20)],
        [],
        [("policy-0000000040.npz", 40), ("policy.npz", 40)],
    ]


def test_kept_policies_none_keeps_nothing():
    assert names("none", [1, 3, 2, 0]) == [[], [], [], []]


def test_kept_policies_best_without_reference_scores_compares_returns():
    kept = KeptPolicies(TrainingSettings(gradient_steps=40, save_policy="best"))
    kept.consider(evaluation(10, None, -5.0), None, [])
    kept.consider(evaluation(20, None, -9.0), None, [evaluation(10, None, -5.0)])
    assert [each.evaluation.step for each in kept.take()] == [10]


@pytest.mark.parametrize("algorithm", ["td3_bc", "bc"])
def test_saved_policy_reproduces_the_recorded_final_evaluation(algorithm, dataset):
    trial = make_trial(algorithm, seed=3)
    pack = Pack([trial, make_trial(algorithm, seed=8)], [dataset] * 2)
    while not pack.finished:
        pack.advance()
    files = pack.policy_files(0, experiment="tiny")
    assert list(files) == ["policy.npz"]
    assert pack.policy_files(0) == {}
    saved = loads(files["policy.npz"], "x")
    last = pack.records[0][-1]
    assert (saved.info.step, saved.info.seed, saved.info.experiment) == (last.step, 3, "tiny")
    assert saved.info.episode_returns == last.episode_returns
    seeds = episode_seeds(saved.info.evaluation_seed, saved.info.seed, len(last.episode_returns))
    evaluator = Evaluator(recorded_environment(saved), len(seeds))
    assert evaluator.evaluate(saved, seeds).returns == last.episode_returns
    other = loads(pack.policy_files(1)["policy.npz"], "x")
    assert not np.array_equal(other(np.ones(3)), saved(np.ones(3)))
