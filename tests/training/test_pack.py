from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.training import Pack, Trainer
from harness.training.evaluation import Evaluator
from harness.training.pack import run_episodes
from tests.training.test_trainer import make_trial, through_a_file, without_times


class Elsewhere:
    """Runs episodes in a thread while training goes on."""

    def __init__(self):
        self.executor = ThreadPoolExecutor(1)
        self.evaluator = Evaluator("Pendulum-v1", 2)

    def submit(self, policy, seeds):
        return self.executor.submit(run_episodes, self.evaluator, policy, seeds)


def run(pack: Pack) -> list[list[dict]]:
    while not pack.finished:
        pack.advance_all()
    return [[without_times(evaluation) for evaluation in evaluations] for evaluations in pack.records]


def close(ours: list[dict], theirs: list[dict]) -> None:
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        assert our.keys() == their.keys()
        for key in our:
            np.testing.assert_allclose(our[key], their[key], rtol=1e-4, err_msg=key)


@pytest.mark.parametrize("algorithm", ["td3_bc", "td3", "bc"])
def test_a_trial_is_the_same_in_a_pack_and_alone(algorithm, dataset):
    trials = [make_trial(algorithm, seed=seed) for seed in (3, 8, 1)]
    together = run(Pack(trials, dataset))
    for trial, evaluations in zip(trials, together, strict=True):
        close(evaluations, run(Trainer(trial, dataset))[0])


def test_evaluating_elsewhere_changes_nothing(dataset):
    trials = [make_trial(seed=seed) for seed in (3, 8)]
    assert run(Pack(trials, dataset, evaluation_service=Elsewhere())) == run(Pack(trials, dataset))


def test_training_goes_on_while_the_episodes_run_elsewhere(dataset):
    pack = Pack([make_trial()], dataset, evaluation_service=Elsewhere())
    assert pack.advance_all() == [[]]
    assert pack.step == 10
    ((first,),) = pack.advance_all()
    assert (first.step, pack.step) == (10, 20)
    assert [evaluation.step for evaluation in pack.advance_all()[0]] == [20, 25]


def test_a_saved_trial_has_all_evaluations_up_to_its_step_and_goes_on_in_another_pack(dataset):
    trials = [make_trial(seed=seed) for seed in (3, 8)]
    first = Pack(trials, dataset, evaluation_service=Elsewhere())
    first.advance_all()
    first.advance_all()
    state = through_a_file(first.state_dict(1))
    alone = Trainer(trials[1], dataset)
    alone.load_state_dict(state)
    assert [evaluation.step for evaluation in alone.evaluations] == [10, 20]
    close(run(alone)[0], run(Pack(trials, dataset))[1])


def test_trials_that_differ_in_more_than_their_seed_are_refused(dataset):
    with pytest.raises(HarnessError, match="differ in more than their seed"):
        Pack([make_trial("td3"), make_trial("bc")], dataset)
