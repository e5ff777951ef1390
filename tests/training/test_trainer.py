import dataclasses
import gc
import io

import numpy as np
import pytest
import torch

from harness import load_policy
from harness.algorithms.registry import BUILT_IN
from harness.divergence import DivergedError
from harness.errors import HarnessError
from harness.training import Trainer
from harness.trial import Trial
from tests.training.conftest import random_dataset

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def make_trial(algorithm="td3_bc", **changes) -> Trial:
    settings = {
        "algorithm": algorithm,
        "dataset": "random",
        "seed": 3,
        "hyperparameters": {"hidden_sizes": [16, 16], "batch_size": 8},
        "training": {"gradient_steps": 25},
        "evaluation": {"interval": 10, "episodes": 2},
    }
    return Trial.model_validate(settings | changes)


def without_times(evaluation) -> dict:
    row = evaluation.to_row()
    return {key: value for key, value in row.items() if not key.endswith("_seconds")}


def through_a_file(state: dict) -> dict:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


@pytest.mark.parametrize("algorithm", BUILT_IN)
def test_trainer_evaluates_at_every_interval_and_after_the_last_step(algorithm, dataset):
    trainer = Trainer(make_trial(algorithm), dataset)
    evaluations = list(trainer)
    assert [evaluation.step for evaluation in evaluations] == [10, 20, 25]
    assert trainer.finished
    assert trainer.evaluations == evaluations
    for evaluation in evaluations:
        assert len(evaluation.episode_returns) == 2
        assert evaluation.return_mean == pytest.approx(np.mean(evaluation.episode_returns))
        assert evaluation.normalized_score == pytest.approx(
            dataset.reference.normalize(evaluation.return_mean)
        )
        assert "actor_loss" in evaluation.metrics
    with pytest.raises(RuntimeError):
        trainer.advance()


@pytest.mark.parametrize(
    ("algorithm", "stop_after"),
    [*((algorithm, 1) for algorithm in BUILT_IN), *(("td3_bc", stop_after) for stop_after in (0, 2, 3))],
)
def test_trainer_resumed_from_a_state_dict_is_bit_identical(algorithm, stop_after, dataset):
    whole = Trainer(make_trial(algorithm), dataset)
    list(whole)
    first = Trainer(make_trial(algorithm), dataset)
    for _ in range(stop_after):
        first.advance()
    second = Trainer(make_trial(algorithm), dataset)
    second.load_state_dict(through_a_file(first.state_dict()))
    list(second)
    assert [without_times(e) for e in second.evaluations] == [without_times(e) for e in whole.evaluations]
    expected = whole.state_dict()["learner"]
    for name, value in second.state_dict()["learner"].items():
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(expected[name])), name


def test_trainer_resumed_between_updates_of_the_policy_has_their_metrics(dataset):
    rare = {"hyperparameters": {"policy_freq": 8}, "evaluation": {"interval": 2, "episodes": 1}}
    whole, first, second = (Trainer(make_trial(**rare), dataset) for _ in range(3))
    for _ in range(5):
        whole.advance()
    for _ in range(4):
        first.advance()
    second.load_state_dict(through_a_file(first.state_dict()))
    second.advance()
    assert second.step == 10
    assert "actor_loss" in second.evaluations[-1].metrics
    assert second.evaluations[-1].metrics == whole.evaluations[-1].metrics


@needs_cuda
@pytest.mark.parametrize("algorithm", BUILT_IN)
def test_trainer_resumed_on_a_gpu_differs_only_by_rounding(algorithm, dataset):
    trial = make_trial(algorithm, training={"gradient_steps": 100})
    whole, first, second = (Trainer(trial, dataset, device="cuda") for _ in range(3))
    for _ in range(5):
        first.advance()
    second.load_state_dict(through_a_file(first.state_dict()))
    for trainer in (whole, second):
        list(trainer)
        assert [evaluation.step for evaluation in trainer.evaluations] == list(range(10, 101, 10))
    for name, value in whole.state_dict()["learner"].items():
        continued = torch.as_tensor(second.state_dict()["learner"][name])
        torch.testing.assert_close(continued, torch.as_tensor(value), atol=1e-5, rtol=0, msg=name)


@needs_cuda
def test_deleted_trainer_releases_its_gpu_memory(dataset):
    gc.collect()  # what tests before have left
    before = torch.cuda.memory_allocated()
    trainer = Trainer(make_trial(training={"gradient_steps": 100}), dataset, device="cuda")
    list(trainer)
    assert torch.cuda.memory_allocated() > before
    trainer.close()
    del trainer
    gc.collect()
    assert torch.cuda.memory_allocated() == before


def test_trainer_results_do_not_depend_on_earlier_work_in_the_process(dataset):
    first = [without_times(evaluation) for evaluation in Trainer(make_trial(), dataset)]
    list(Trainer(make_trial("td3", seed=9), dataset))
    torch.manual_seed(1)
    np.random.seed(1)
    assert [without_times(evaluation) for evaluation in Trainer(make_trial(), dataset)] == first


def test_trainer_without_reference_scores_has_no_normalized_score():
    from dataclasses import replace

    trainer = Trainer(make_trial(), replace(random_dataset(), reference=None))
    assert trainer.advance().normalized_score is None


def test_load_state_dict_of_another_trial_raises(dataset):
    trainer = Trainer(make_trial(), dataset)
    with pytest.raises(HarnessError, match=r"the checkpoint and trial .* have different settings"):
        trainer.load_state_dict(Trainer(make_trial(seed=4), dataset).state_dict())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"observation_size": 4}, "observations have size 4"),
        ({"action_size": 2}, "actions have size 2, but those of environment Pendulum-v1 .*have shape"),
        ({"limit": 3.0}, "actions reach"),
        ({"environment": None}, "no environment"),
    ],
)
def test_trainer_with_a_dataset_that_does_not_fit_its_environment_raises_one_line(changes, complaint):
    with pytest.raises(HarnessError, match=complaint):
        Trainer(make_trial(), random_dataset(**changes))


def test_trainer_with_tf32_on_a_cpu_raises(dataset):
    trial = make_trial(hyperparameters={"precision": "tf32"})
    with pytest.raises(HarnessError, match="precision tf32 requires a GPU"):
        Trainer(trial, dataset)


def test_trainer_prefers_the_environment_of_the_experiment(dataset):
    trial = make_trial(dataset={"name": "random", "environment": "Hopper-v4"})
    with pytest.raises(HarnessError, match="observations have size 3"):
        Trainer(trial, dataset)


def with_huge_rewards(dataset):
    transitions = dataset.transitions.copy()
    transitions[:, -2] = 1e30
    return dataclasses.replace(dataset, transitions=transitions)


def test_divergence_is_recorded_across_a_checkpoint(dataset):
    trainer = Trainer(make_trial(), with_huge_rewards(dataset))
    first = trainer.advance()
    assert "critic_loss" in first.non_finite
    restored = Trainer(make_trial(), with_huge_rewards(dataset))
    restored.load_state_dict(through_a_file(trainer.state_dict()))
    assert repr(restored.evaluations) == repr([first])


def test_divergence_with_on_divergence_fail_raises(dataset):
    trial = make_trial(training={"gradient_steps": 25, "on_divergence": "fail"})
    assert trial.digest == make_trial().digest
    with pytest.raises(DivergedError, match=r"critic_loss.* not finite from step 10 \(training.on_div"):
        Trainer(trial, with_huge_rewards(dataset)).advance()
    assert list(Trainer(trial, dataset)), "sound training is left alone"


def test_save_policy_writes_the_current_policy(dataset, tmp_path):
    trainer = Trainer(make_trial(), dataset)
    with pytest.raises(RuntimeError, match="no evaluation yet"):
        trainer.save_policy(tmp_path / "policy.npz")
    chosen = []
    for evaluation in trainer:
        trainer.save_policy(tmp_path / "policy.npz")
        policy = load_policy(tmp_path / "policy.npz")
        states = np.ones((2, 3), np.float32)
        np.testing.assert_array_equal(policy(states), trainer.policy()(states))
        assert policy.info.episode_returns == evaluation.episode_returns
        chosen.append((policy.info.step, policy.info.chosen))
    assert chosen == [(10, "step"), (20, "step"), (25, "final")]
