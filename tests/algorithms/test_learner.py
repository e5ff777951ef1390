"""What holds for every learner, whatever its algorithm and implementation."""

import io

import numpy as np
import pytest
import torch

from harness.algorithms.registry import BUILT_IN
from harness.algorithms.streams import CHUNK
from harness.errors import HarnessError
from tests.algorithms.make import (
    ACTIONS,
    LEARNERS,
    MAX_ACTION,
    STATES,
    assert_close_states,
    assert_equal_states,
    make,
    policy_freq,
    transitions,
)

every_learner = pytest.mark.parametrize(("algorithm", "implementation"), LEARNERS)


@every_learner
@pytest.mark.parametrize("stacked", [False, True])
def test_seed_alone_and_in_a_pack_is_the_same(algorithm, implementation, stacked):
    settings = {"gradient_norm_clip": 0.5}
    pack = make(algorithm, implementation, seeds=(4, 0, 9), stacked=stacked, **settings)
    pack.train(20)
    for index, seed in enumerate((4, 0, 9)):
        alone = make(algorithm, implementation, seeds=(seed,), **settings)
        alone.train(20)
        assert_close_states(alone.state_dict(0), pack.state_dict(index), 1e-6 if not stacked else 2e-5)
        assert alone.metrics()[0] == pytest.approx(pack.metrics()[index], rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("algorithm", BUILT_IN)
def test_autograd_seed_on_a_cpu_has_the_same_bits_in_any_pack(algorithm):
    pack = make(algorithm, "autograd", seeds=(4, 9))
    alone = make(algorithm, "autograd", seeds=(9,))
    pack.train(20)
    alone.train(20)
    assert_equal_states(alone.state_dict(0), pack.state_dict(1))


@pytest.mark.parametrize(
    ("algorithm", "implementation", "interruption"),
    [
        *((*learner, 7) for learner in LEARNERS),
        # Random numbers are drawn for this many steps at once, alike for all learners.
        *(
            ("td3", implementation, at)
            for implementation in ("autograd", "fused")
            for at in (CHUNK - 1, CHUNK)
        ),
    ],
)
def test_interrupted_training_continues_bit_for_bit(algorithm, implementation, interruption):
    whole, first, second = (make(algorithm, implementation, **policy_freq(algorithm, 3)) for _ in range(3))
    for learner in (whole, first):
        learner.train(interruption)
    file = io.BytesIO()
    torch.save(first.state_dict(0), file)
    file.seek(0)
    second.load_state_dict(0, torch.load(file, weights_only=True))
    whole.train(20)
    second.train(20)
    assert second.step == interruption + 20
    assert_equal_states(whole.state_dict(0), second.state_dict(0))


@every_learner
def test_training_in_slices_of_eight_steps_gives_the_same_bits(algorithm, implementation):
    whole, sliced = make(algorithm, implementation), make(algorithm, implementation)
    whole.train(41)
    for steps in (8, 16, 8, 9):
        sliced.train(steps)
    assert_equal_states(whole.state_dict(0), sliced.state_dict(0))


@every_learner
def test_seed_of_a_pack_continues_alone(algorithm, implementation):
    pack, alone = (make(algorithm, implementation, seeds=seeds) for seeds in ((0, 1), (1,)))
    pack.train(10)
    alone.load_state_dict(0, pack.state_dict(1))
    pack.train(10)
    alone.train(10)
    assert_close_states(alone.state_dict(0), pack.state_dict(1), 1e-6)


@every_learner
def test_seeds_at_different_steps_are_rejected(algorithm, implementation):
    learner, pack = make(algorithm, implementation), make(algorithm, implementation, seeds=(0, 1))
    learner.train(5)
    pack.load_state_dict(0, learner.state_dict(0))
    with pytest.raises(HarnessError, match=r"different steps: \[5, 0\]"):
        pack.train(1)


@every_learner
def test_state_of_other_sizes_is_rejected(algorithm, implementation):
    other = make(algorithm, implementation, hidden_sizes=(24, 8))
    with pytest.raises(HarnessError, match=r"the saved state has \[.*\] for .*, but this learner needs \["):
        make(algorithm, implementation).load_state_dict(0, other.state_dict(0))


def test_state_of_another_algorithm_is_rejected():
    with pytest.raises(HarnessError, match="the saved state has nothing for critics"):
        make("td3_bc").load_state_dict(0, make("bc").state_dict(0))


@every_learner
def test_state_is_a_copy(algorithm, implementation):
    learner = make(algorithm, implementation)
    state = learner.state_dict(0)
    before = {name: torch.as_tensor(value).clone() for name, value in state.items()}
    learner.train(2)
    assert_equal_states(state, before)


@every_learner
def test_metrics_are_one_number_per_seed(algorithm, implementation):
    learner = make(algorithm, implementation, seeds=(0, 1))
    assert learner.metrics() == [{}, {}]
    learner.train(4)
    first, second = learner.metrics()
    assert first.keys() == second.keys()
    assert first
    assert all(np.isfinite(value) for value in (*first.values(), *second.values()))


@every_learner
def test_policy_gives_actions_within_the_range_and_does_not_change_later(algorithm, implementation):
    learner = make(algorithm, implementation, seeds=(0, 1))
    learner.train(6)
    observations = 3 * np.random.default_rng(0).standard_normal((9, STATES))
    policy = learner.policy(1)
    actions = policy(observations)
    assert actions.shape == (9, ACTIONS)
    assert actions.dtype == np.float32
    assert np.abs(actions).max() <= MAX_ACTION * (1 + 1e-6)
    learner.train(6)
    np.testing.assert_array_equal(policy(observations), actions)
    assert np.abs(learner.policy(1)(observations) - actions).max() > 0


def test_batch_fields_that_are_not_asked_for_are_not_read():
    rows, others = transitions(), transitions()
    others[:, STATES + ACTIONS :] = torch.nan
    for implementation in ("autograd", "fused"):
        learners = [make("bc", implementation, rows=each) for each in (rows, others)]
        for learner in learners:
            learner.train(10)
        assert_equal_states(learners[0].state_dict(0), learners[1].state_dict(0))


def test_behaviour_cloning_learns_the_action_of_the_data():
    rows = transitions(count=2000)
    rows[:, STATES : STATES + ACTIONS] = MAX_ACTION * rows[:, :ACTIONS].mul(0.5).tanh()
    learner = make("bc", "autograd", rows=rows, actor_learning_rate=3e-3)
    learner.train(600)
    assert learner.metrics()[0]["actor_loss"] < 0.02


@every_learner
def test_denormals_are_flushed_during_training_only(algorithm, implementation):
    make(algorithm, implementation).train(1)
    assert torch.tensor(1e-38).mul(0.1) > 0
