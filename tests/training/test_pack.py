from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from harness.algorithms.registry import BUILT_IN
from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError
from harness.policies import ActionRange
from harness.training import Pack, Trainer, packed_data
from harness.training.evaluation import LocalEvaluation, episode_seeds
from tests.training.conftest import random_dataset
from tests.training.test_trainer import make_trial, through_a_file, without_times


class Elsewhere:
    """Runs episodes in a thread while training continues."""

    def __init__(self):
        self.executor = ThreadPoolExecutor(1)
        self.evaluators = LocalEvaluation()

    def submit(self, environment, policy, seeds, expected_seconds):
        return self.executor.submit(self.evaluators.run, environment, policy, seeds)


def run(pack: Pack) -> list[list[dict]]:
    while not pack.finished:
        pack.advance()
    return [[without_times(evaluation) for evaluation in evaluations] for evaluations in pack.records]


@pytest.mark.parametrize(
    ("algorithm", "clip"),
    [*((algorithm, 0.1) for algorithm in BUILT_IN), ("td3_bc", None), ("iql", None)],
)
def test_pack_trains_each_trial_bit_identically_to_training_it_alone(algorithm, clip, dataset):
    other = random_dataset(size=200, seed=1)
    settings = {"hidden_sizes": [16, 16], "batch_size": 32, "gradient_norm_clip": clip}
    trials = [
        make_trial(algorithm, hyperparameters=settings, seed=seed, dataset=name)
        for seed, name in ((3, "random"), (8, "other"), (1, "other"), (8, "random"))
    ]
    datasets = [other if trial.dataset.name == "other" else dataset for trial in trials]
    together = run(Pack(trials, datasets))
    for trial, own, evaluations in zip(trials, datasets, together, strict=True):
        assert evaluations == run(Trainer(trial, own).pack)[0]
    assert together[0] != together[3]


@pytest.mark.parametrize("algorithm", ["td3_bc", "bc"])
def test_pack_with_asymmetric_actions_trains_as_with_rescaled_actions(algorithm):
    settings = {"hidden_sizes": [16, 16], "batch_size": 8}
    names = [f"tests.environments.odd:Odd/{kind}-v0" for kind in ("Point", "Steered")]
    unit = random_dataset(observation_size=2, action_size=2, limit=1.0)
    scaled = unit.transitions.copy()
    scaled[:, 2:4] = unit.actions * np.array([2, 0.5], np.float32) + np.array([2, 0], np.float32)
    runs = []
    for name, transitions in zip(names, (unit.transitions, scaled), strict=True):
        trial = make_trial(algorithm, hyperparameters=settings)
        data = replace(unit, transitions=transitions, environment=EnvironmentSpec(name))
        pack = Pack([trial], [data])
        while not pack.finished:
            pack.advance()
        runs.append((pack.records[0], pack.policy()(np.zeros((1, 2)))))
    (records, action), (scaled_records, scaled_action) = runs
    for one, other in zip(records, scaled_records, strict=True):
        np.testing.assert_allclose(other.episode_returns, one.episode_returns, rtol=1e-3)
        assert other.metrics == pytest.approx(one.metrics, rel=1e-3, abs=1e-4)
    np.testing.assert_allclose(scaled_action, action * [2, 0.5] + [2, 0], atol=1e-3)


def test_pack_trains_on_the_file_of_a_dataset_with_symmetric_actions(dataset):
    ranges = [ActionRange((-2.0,), (2.0,))] * 2
    assert packed_data.rescale_actions([dataset, dataset], ranges) == [dataset, dataset]


def test_for_learning_changes_only_actions():
    steering = ActionRange((0.0, -0.785), (5.0, 0.785))
    dataset = random_dataset(action_size=2, limit=0.5)
    dataset = replace(dataset, next_actions=dataset.actions + np.float32(0.1))
    found, same = packed_data.rescale_actions([dataset, dataset], [steering, steering])
    assert found is same
    assert np.array_equal(found.actions, steering.to_learner(dataset.actions))
    assert np.array_equal(found.next_actions, steering.to_learner(dataset.next_actions))
    assert np.array_equal(found.observations, dataset.observations)
    assert np.array_equal(found.transitions[:, 5:], dataset.transitions[:, 5:])
    assert not found.transitions.flags.writeable


def test_pack_with_an_evaluation_service_gives_the_same_results(dataset):
    trials = [make_trial(seed=seed) for seed in (3, 8)]
    assert run(Pack(trials, [dataset] * 2, evaluation_service=Elsewhere())) == run(
        Pack(trials, [dataset] * 2)
    )


def test_pack_with_an_evaluation_service_trains_while_episodes_run(dataset):
    pack = Pack([make_trial()], [dataset], evaluation_service=Elsewhere())
    seen = []
    while not pack.finished:
        pack.advance()
        seen.append((pack.step, [evaluation.step for evaluation in pack.records[0]]))
    assert seen == [(10, []), (20, [10]), (25, [10, 20, 25])]


@pytest.mark.parametrize("service", [None, Elsewhere])
def test_pack_with_an_error_in_the_episodes_of_one_trial_continues_the_others(dataset, service, monkeypatch):
    trials = [make_trial(seed=seed) for seed in (3, 8)]
    expected = run(Pack(trials, [dataset] * 2))
    run_episodes = LocalEvaluation.run

    def failing(evaluators, environment, policy, seeds):
        if seeds == own_seeds:
            raise OSError("no display")
        return run_episodes(evaluators, environment, policy, seeds)

    own_seeds = episode_seeds(trials[0].evaluation.seed, trials[0].seed, trials[0].evaluation.episodes)
    monkeypatch.setattr(LocalEvaluation, "run", failing)
    pack = Pack(trials, [dataset] * 2, evaluation_service=service and service())
    assert run(pack) == [[], expected[1]]
    assert str(pack.failures[0]) == "no display"
    with pytest.raises(OSError, match="no display"):
        Trainer(trials[0], dataset).advance()


def test_state_dict_with_pending_evaluations_continues_in_another_pack(dataset):
    trials = [make_trial(seed=seed) for seed in (3, 8)]
    first = Pack(trials, [dataset] * 2, evaluation_service=Elsewhere())
    first.advance()
    first.advance()
    state = through_a_file(first.state_dict(1))
    alone = Trainer(trials[1], dataset)
    alone.load_state_dict(state)
    assert [evaluation.step for evaluation in alone.evaluations] == [10, 20]
    assert run(alone.pack)[0] == run(Pack(trials, [dataset] * 2))[1]


def test_pack_of_trials_with_different_settings_raises(dataset):
    with pytest.raises(HarnessError, match="differ in more than their seed and dataset"):
        Pack([make_trial("td3"), make_trial("bc")], [dataset] * 2)


def test_pack_of_datasets_with_different_sizes_raises(dataset):
    wide = random_dataset(observation_size=11, action_size=3, limit=1.0, environment="Hopper-v4")
    with pytest.raises(HarnessError, match="differ in the sizes"):
        Pack([make_trial(), make_trial(seed=4)], [dataset, wide])


def test_advance_with_a_stop_request_keeps_the_current_step(dataset):
    trial = make_trial(training={"gradient_steps": 100}, evaluation={"interval": 50, "episodes": 1})
    expected = run(Pack([trial], [dataset]))
    first = Pack([trial], [dataset])
    assert not first.advance(lambda: True)
    assert (first.step, first.records) == (8, [[]])
    second = Pack([trial], [dataset])
    second.load_state_dict(0, through_a_file(first.state_dict(0)))
    assert second.step == first.step
    assert second.state_dict(0)["train_seconds"] > 0
    assert run(second) == expected


def test_advance_with_should_stop_is_bit_identical(dataset):
    trial = make_trial(training={"gradient_steps": 60}, evaluation={"interval": 30, "episodes": 1})
    pack = Pack([trial], [dataset])
    while not pack.finished:
        assert pack.advance(lambda: False)
    assert [[without_times(evaluation) for evaluation in pack.records[0]]] == run(Pack([trial], [dataset]))
