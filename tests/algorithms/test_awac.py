"""AWAC against a plain form of it, and what its paper says."""

import pytest
import torch
from torch.distributions import Normal

from tests.algorithms.make import ACTIONS, MAX_ACTION, make
from tests.algorithms.plain import (
    adam,
    assert_same_weights,
    batches,
    descend,
    learner_in_double,
    mlp,
    polyak,
    target_of,
)
from tests.algorithms.test_td3 import batch_of


def test_awac_gives_the_weights_of_a_plain_form():
    learner = learner_in_double("awac", temperature=0.1)
    state = learner.state_dict(0)
    actor = mlp(state, "actor.body")
    log_std = torch.zeros(ACTIONS, dtype=torch.float64, requires_grad=True)
    q = [mlp(state, f"critics.members.{member}") for member in range(2)]
    slow = target_of(*q)
    actor_adam, critic_adam = adam(actor, log_std), adam(*q)

    def least(networks, states, actions):
        return torch.minimum(*(each(torch.cat([states, actions], 1))[:, 0] for each in networks))

    for batch in batches(learner, 30):
        deviation = log_std.clamp(-20, 2).exp()
        next_action = actor(batch.next_state) + deviation * learner.normal("next action", 32, ACTIONS)[0]
        next_q = least(slow, batch.next_state, next_action.clamp(-MAX_ACTION, MAX_ACTION))
        target = (batch.reward + 0.99 * batch.not_terminal * next_q).detach()
        pair = torch.cat([batch.state, batch.action], 1)
        descend(critic_adam, sum((each(pair)[:, 0] - target).pow(2).mean() for each in q))
        policy = Normal(actor(batch.state), deviation)
        action = policy.mean + deviation * learner.normal("action", 32, ACTIONS)[0]
        value = least(q, batch.state, action.clamp(-MAX_ACTION, MAX_ACTION))
        weight = torch.exp((least(q, batch.state, batch.action) - value) / 0.1).clamp(max=100).detach()
        descend(actor_adam, -(weight * policy.log_prob(batch.action).sum(1)).mean())
        polyak(slow, q, 0.005)
    state = learner.state_dict(0)
    assert_same_weights(state, "actor.body", actor)
    torch.testing.assert_close(state["actor.log_std"], log_std.detach(), atol=1e-9, rtol=0)
    for member in range(2):
        assert_same_weights(state, f"critics.members.{member}", q[member])
        assert_same_weights(state, f"target.critics.members.{member}", slow[member])


def test_weights_approach_one_as_the_temperature_grows():
    """The policy then clones the behaviour: the divergence from it is what lambda punishes."""
    learner = make("awac", temperature=1e6)
    learner.train(1)
    assert learner.metrics()[0]["weight"] == pytest.approx(1.0, abs=1e-4)


def test_weights_are_limited():
    learner = make("awac", temperature=1e-6, largest_weight=2.0)
    learner.train(5)
    assert 0 < learner.metrics()[0]["weight"] <= 2.0


def test_sampled_actions_are_within_the_action_range():
    learner = make("awac")
    mean = torch.zeros_like(batch_of(learner).action)
    action = learner.sample_action("action", mean, torch.full_like(mean, 2.0))
    assert action.abs().max().item() == MAX_ACTION


def test_action_without_deviation_has_no_advantage_over_itself():
    learner = make("awac")
    batch = batch_of(learner)
    advantage = learner.advantage(batch, batch.action, torch.full_like(batch.action, -20.0))
    torch.testing.assert_close(advantage, torch.zeros_like(advantage), atol=1e-5, rtol=0)
