import io

import pytest
import torch

from harness.algorithms.streams import CHUNK
from harness.errors import HarnessError
from tests.algorithms.make import (
    ACTIONS,
    ALGORITHMS,
    MAX_ACTION,
    STATES,
    make,
    policy_freq,
    statistics,
    transitions,
    with_ones,
)


def assert_equal_states(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(other[name])), name


def assert_close_states(one, other, tolerance):
    for name, value in one.items():
        torch.testing.assert_close(
            torch.as_tensor(value), torch.as_tensor(other[name]), atol=tolerance, rtol=0, msg=name
        )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("stacked", [False, True])
def test_a_seed_is_the_same_alone_and_in_a_pack(algorithm, stacked):
    settings = {"gradient_norm_clip": 0.5}
    pack = make(algorithm, seeds=(4, 0, 9), stacked=stacked, **settings)
    pack.train(40)
    for index, seed in enumerate((4, 0, 9)):
        alone = make(algorithm, seeds=(seed,), **settings)
        alone.train(40)
        assert_close_states(alone.state_dict(0), pack.state_dict(index), 1e-6)
        assert alone.metrics()[0] == pytest.approx(pack.metrics()[index], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("interruption", [7, CHUNK - 1, CHUNK])
def test_an_interrupted_run_goes_on_bit_for_bit(algorithm, interruption):
    whole, first, second = (make(algorithm, **policy_freq(algorithm, 3)) for _ in range(3))
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


def test_a_packed_seed_goes_on_alone():
    pack, alone = make("td3_bc", seeds=(0, 1)), make("td3_bc", seeds=(1,))
    pack.train(10)
    alone.load_state_dict(0, pack.state_dict(1))
    pack.train(10)
    alone.train(10)
    assert_close_states(alone.state_dict(0), pack.state_dict(1), 1e-6)


def test_seeds_at_different_steps_cannot_be_trained_together():
    learner, pack = make("bc"), make("bc", seeds=(0, 1))
    learner.train(5)
    pack.load_state_dict(0, learner.state_dict(0))
    with pytest.raises(HarnessError, match=r"different steps: \[5, 0\]"):
        pack.train(1)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (make("bc"), "nothing for critic_1.0.weight"),
        (make("td3_bc", hidden_sizes=(24, 8)), r"\[8, 24\] for actor.2.weight, where \[16, 24\]"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(other, message):
    with pytest.raises(HarnessError, match=message):
        make("td3_bc").load_state_dict(0, other.state_dict(0))


def test_a_state_is_a_copy():
    learner = make("td3_bc")
    state = learner.state_dict(0)
    before = state["actor.0.weight"].clone()
    learner.train(2)
    assert torch.equal(state["actor.0.weight"], before)


@pytest.mark.parametrize("algorithm", ["td3", "td3_bc"])
def test_policy_and_targets_move_only_every_policy_freq_steps(algorithm):
    learner = make(algorithm, policy_freq=3)
    delayed = (
        "actor.0.weight",
        "target_actor.0.weight",
        "target_critic_1.0.weight",
        "target_critic_2.2.bias",
    )
    for step in range(1, 8):
        before = learner.state_dict(0)
        learner.train(1)
        after = learner.state_dict(0)
        assert not torch.equal(before["critic_1.0.weight"], after["critic_1.0.weight"])
        for name in delayed:
            assert torch.equal(before[name], after[name]) == (step % 3 != 0), (step, name)


@pytest.mark.parametrize("terminal", [False, True])
def test_a_terminal_stops_the_bootstrap_and_a_timeout_does_not(terminal):
    """A timeout is a row whose terminal is 0: its target holds the next state's value."""
    rows = transitions()
    rows[:, -1] = float(terminal)
    learner = make("td3", rows=rows, target_noise=0.0)
    learner._target_critics.parameters.zero_()
    learner._target_critics.named(0)["4.bias"].fill_(10.0)
    learner._target_critics.named(1)["4.bias"].fill_(8.0)
    indices, noise = (stream.steps(0, 1) for stream in learner._streams)
    batch = learner._sample(indices)
    target = learner._targets(batch, noise)
    expected = batch.reward + (0.0 if terminal else 0.99 * 8.0)
    torch.testing.assert_close(target, expected)


def test_lambda_carries_no_gradient():
    """Were lambda differentiated, the Q term of the loss would be constant and its gradient 0."""
    learner = make("td3_bc")
    q, action, data_action = torch.full((1, 4, 1), 5.0), torch.zeros(1, 4, 2), torch.ones(1, 4, 2)
    loss = learner._policy_loss(q, action, data_action)
    torch.testing.assert_close(loss.q_gradient, torch.full((1, 1, 1), -2.5 / 5.0 / 4))
    torch.testing.assert_close(loss.action_gradient, torch.full((1, 4, 2), -2 / 8))
    assert loss.metrics()["lambda"].tolist() == [pytest.approx(0.5)]
    assert loss.metrics()["actor_loss"].tolist() == [pytest.approx(-0.5 * 5 + 1)]


def test_batches_are_normalised_and_drawn_with_replacement_from_all_transitions():
    rows = transitions(count=20)
    untouched = rows.clone()
    learner = make("td3_bc", rows=rows, batch_size=64)
    mean, scale = statistics()
    batch = learner._sample(learner._streams[0].steps(0, 4))
    assert torch.equal(rows, untouched)
    for index in range(batch.state.whole.shape[1]):
        source = (rows[:, STATES : STATES + ACTIONS] == batch.action[0, index]).all(1).nonzero().item()
        state, next_state = rows[source, :STATES], rows[source, -1 - STATES : -1]
        torch.testing.assert_close(batch.state.whole[0, index, 1:], (state - mean) / scale)
        torch.testing.assert_close(batch.next_state.whole[0, index, 1:], (next_state - mean) / scale)
        assert batch.reward[0, index, 0] == rows[source, STATES + ACTIONS]
        assert batch.not_terminal[0, index, 0] == 1 - rows[source, -1]
    assert len(batch.state_action.whole[0, :64].unique(dim=0)) < 20 + 1
    assert len(batch.state_action.whole[0].unique(dim=0)) == 20


def test_target_noise_is_in_units_of_the_largest_action_and_clipped():
    learner = make("td3", batch_size=256)
    noise = learner._streams[1].steps(0, 8)
    assert noise.abs().max().item() == pytest.approx(0.5 * MAX_ACTION)
    assert noise.std().item() == pytest.approx(0.2 * MAX_ACTION, rel=0.05)


@pytest.mark.parametrize(
    ("algorithm", "names"),
    [
        ("td3_bc", {"q1", "q2", "lambda", "critic_loss", "actor_loss"}),
        ("td3", {"q1", "q2", "critic_loss", "actor_loss"}),
        ("bc", {"actor_loss"}),
    ],
)
def test_metrics_are_those_of_the_latest_updates(algorithm, names):
    learner = make(algorithm, seeds=(0, 1))
    assert learner.metrics() == [{}, {}]
    learner.train(4)
    assert [set(metrics) for metrics in learner.metrics()] == [names, names]


def test_the_exported_actor_is_the_trained_one():
    learner = make("td3_bc", seeds=(0, 1))
    learner.train(6)
    state = torch.randn(2, 9, STATES)
    expected = learner._actor(with_ones(state))
    for index in range(2):
        hidden = state[index].numpy()
        *layers, (weight, bias) = learner.actor(index)
        for hidden_weight, hidden_bias in layers:
            hidden = (hidden @ hidden_weight + hidden_bias).clip(0)
        action = MAX_ACTION * torch.tanh(torch.from_numpy(hidden @ weight + bias))
        torch.testing.assert_close(action, expected[index], atol=1e-5, rtol=1e-5)


def test_behaviour_cloning_learns_the_action_of_the_data():
    rows = transitions(count=2000)
    rows[:, STATES : STATES + ACTIONS] = MAX_ACTION * rows[:, :ACTIONS].mul(0.5).tanh()
    learner = make("bc", rows=rows, actor_learning_rate=3e-3)
    learner.train(600)
    assert learner.metrics()[0]["actor_loss"] < 0.02


def test_the_moments_of_dead_units_end_at_zero():
    learner = make("bc")
    learner.train(1)
    moments = learner._optimizers["actor"].first_moments
    moments.fill_(1e-37)
    learner._networks["actor"].parameters.zero_()  # where every hidden unit is dead
    learner.train(80)
    hidden = learner._networks["actor"].named(0, moments)["0.weight"]
    assert hidden.count_nonzero() == 0
    assert torch.tensor(1e-38).mul(0.1) > 0  # outside of training nothing is flushed


def test_behaviour_cloning_looks_at_states_and_actions_alone():
    rows, others = transitions(), transitions()
    others[:, STATES + ACTIONS :] = torch.nan
    learners = [make("bc", rows=rows), make("bc", rows=others)]
    for learner in learners:
        learner.train(10)
    assert_equal_states(learners[0].state_dict(0), learners[1].state_dict(0))
