"""What the papers say of TD3 and TD3+BC, held against the specifications; the fused learners equal them."""

import pytest
import torch

from harness.algorithms.data import Batch, columns_of
from tests.algorithms.make import ACTIONS, MAX_ACTION, STATES, TERMINAL, make, transitions


def batch_of(learner):
    rows = learner._sampler.rows(learner._sampler.indices.steps(0, 1))
    return Batch(rows, columns_of(STATES, ACTIONS))


@pytest.mark.parametrize("algorithm", ["td3", "td3_bc"])
def test_policy_and_targets_move_only_every_policy_freq_steps(algorithm):
    learner = make(algorithm, "autograd", policy_freq=3)
    delayed = (
        "actor.body.0.weight",
        "target.actor.body.0.weight",
        "target.critics.members.0.0.weight",
        "target.critics.members.1.2.bias",
    )
    for step in range(1, 8):
        before = learner.state_dict(0)
        learner.train(1)
        after = learner.state_dict(0)
        assert not torch.equal(before["critics.members.0.0.weight"], after["critics.members.0.0.weight"])
        for name in delayed:
            assert torch.equal(before[name], after[name]) == (step % 3 != 0), (step, name)


@pytest.mark.parametrize("terminal", [False, True])
def test_terminal_stops_the_bootstrap_and_timeout_does_not(terminal):
    """A timeout is a row whose terminal is 0: the critics' target holds the next state's value."""
    rows = transitions()
    rows[:, TERMINAL] = float(terminal)
    learner = make("td3", "autograd", rows=rows, target_noise=0.0)
    for tensor in (*learner.target.critics.parameters_and_buffers(), *learner.critics.parameters()):
        tensor.data.zero_()
    for member, value in enumerate((10.0, 8.0)):
        learner.target.critics.named_tensors(0)[f"members.{member}.4.bias"].data.fill_(value)
    batch = batch_of(learner)
    target = batch.reward + (0.0 if terminal else 0.99 * 8.0)
    metrics = learner.update_critics(batch)  # with Q = 0 for both critics the loss is 2 y^2
    torch.testing.assert_close(metrics["critic_loss"], 2 * target.square().mean(1), check_dtype=False)


def test_target_noise_is_in_units_of_the_largest_action_and_clipped():
    learner = make("td3", "autograd", batch_size=256)
    for tensor in learner.target.actor.parameters_and_buffers():
        tensor.zero_()  # so that the target action is the noise alone
    learner._now = 1
    noise = torch.cat([learner.target_action(batch_of(learner)).flatten() for learner._now in range(1, 30)])
    assert noise.abs().max().item() == pytest.approx(0.5 * MAX_ACTION)
    assert noise.std().item() == pytest.approx(0.2 * MAX_ACTION, rel=0.05)


def test_lambda_carries_no_gradient():
    """If lambda were differentiated, the Q term of the loss would be constant and its gradient 0."""
    learner = make("td3_bc", "autograd", behaviour_cloning=False, batch_size=4)
    q = torch.full((1, 4), 5.0, requires_grad=True)
    loss, metrics = learner.actor_loss(q, torch.zeros(1, 4, ACTIONS), batch_of(learner))
    (gradient,) = torch.autograd.grad(loss.sum(), q)
    torch.testing.assert_close(gradient, torch.full((1, 4), -2.5 / 5.0 / 4))
    assert metrics["lambda"].tolist() == [pytest.approx(0.5)]
    assert loss.tolist() == [pytest.approx(-2.5)]


@pytest.mark.parametrize("implementation", ["autograd", "fused"])
@pytest.mark.parametrize(
    ("algorithm", "names"),
    [
        ("td3_bc", {"q1", "q2", "lambda", "critic_loss", "actor_loss"}),
        ("td3", {"q1", "q2", "critic_loss", "actor_loss"}),
        ("bc", {"actor_loss"}),
    ],
)
def test_metrics_have_the_same_names_in_both_implementations(algorithm, names, implementation):
    learner = make(algorithm, implementation)
    learner.train(4)
    assert set(learner.metrics()[0]) == names
