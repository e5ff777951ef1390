"""IQL against a plain form of it, and what its paper says."""

import math

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


@pytest.mark.parametrize(("deterministic", "dropout"), [(False, 0.0), (True, 0.0), (False, 0.3)])
def test_iql_gives_the_weights_of_a_plain_form(deterministic, dropout):
    learner = learner_in_double(
        "iql", expectile=0.8, beta=10.0, deterministic_policy=deterministic, actor_dropout=dropout
    )
    state = learner.state_dict(0)
    actor, value = mlp(state, "actor.body"), mlp(state, "value")
    q = [mlp(state, f"critics.members.{member}") for member in range(2)]
    slow = target_of(*q)
    log_std = torch.zeros(ACTIONS, dtype=torch.float64, requires_grad=not deterministic)
    policy_parameters = (actor,) if deterministic else (actor, log_std)
    actor_adam, value_adam, critic_adam = adam(*policy_parameters), adam(value), adam(*q)
    for batch in batches(learner, 30):
        pair = torch.cat([batch.state, batch.action], 1)
        target = batch.reward + 0.99 * batch.not_terminal * value(batch.next_state)[:, 0].detach()
        advantage = torch.minimum(*(each(pair)[:, 0] for each in slow)) - value(batch.state)[:, 0]
        value_loss = (abs(0.8 - (advantage < 0).double()) * advantage**2).mean()
        critic_loss = sum((each(pair)[:, 0] - target).pow(2).mean() for each in q) / 2
        mean = MAX_ACTION * with_dropout(learner, actor, batch.state, dropout).tanh()
        log_density = Normal(mean, log_std.clamp(-20, 2).exp()).log_prob(batch.action).sum(1)
        imitation = (mean - batch.action).pow(2).sum(1) if deterministic else -log_density
        actor_loss = (torch.exp(10 * advantage.detach()).clamp(max=100) * imitation).mean()
        descend(value_adam, value_loss)
        descend(critic_adam, critic_loss)
        polyak(slow, q, 0.005)
        actor_adam.param_groups[0]["lr"] = 3e-4 * (1 + math.cos(math.pi * batch.step / 1000)) / 2
        descend(actor_adam, actor_loss)
    state = learner.state_dict(0)
    assert_same_weights(state, "actor.body", actor)
    assert_same_weights(state, "value", value)
    for member in range(2):
        assert_same_weights(state, f"critics.members.{member}", q[member])
        assert_same_weights(state, f"target.critics.members.{member}", slow[member])
    if not deterministic:
        torch.testing.assert_close(state["actor.log_std"], log_std.detach(), atol=1e-9, rtol=0)


def with_dropout(learner, network, inputs, rate):
    """The network's outputs [n, out], with dropout by the uniform numbers that the learner has drawn."""
    sizes = [layer.out_features for layer in network if isinstance(layer, torch.nn.Linear)]
    if not rate:
        return network(inputs)
    uniform = learner.uniform("dropout", len(inputs), sum(sizes[:-1]))[0].split(sizes[:-1], 1)
    for layer in network:
        inputs = layer(inputs)
        if isinstance(layer, torch.nn.ReLU):
            drawn, *uniform = uniform
            inputs = inputs * (drawn >= rate) / (1 - rate)
    return inputs


def test_expectile_of_one_half_is_half_the_mean_squared_error():
    learner = make("iql", expectile=0.5)
    advantage, metrics = learner.update_value(batch_of(learner))
    torch.testing.assert_close(metrics["value_loss"], 0.5 * advantage.square().mean(1))


def test_value_approaches_the_largest_q_as_the_expectile_approaches_one():
    """The critics' targets are fixed here, so that V can only regress to an expectile of them."""
    values = {}
    for expectile in (0.1, 0.5, 0.9):
        learner = make("iql", expectile=expectile, tau=1e-9, value_learning_rate=1e-2, beta=0.0)
        learner.train(150)
        values[expectile] = learner.metrics()[0]["v"]
    assert values[0.1] < values[0.5] < values[0.9]


def test_policy_with_beta_zero_clones_the_behaviour():
    learner = make("iql", beta=0.0)
    learner.train(1)
    assert learner.metrics()[0]["weight"] == pytest.approx(1.0)


def test_weights_are_limited():
    learner = make("iql", beta=1e6, largest_weight=100.0)
    metrics = learner.update_actor(batch_of(learner), torch.ones(1, 32))
    assert metrics["weight"].item() == pytest.approx(100.0)


def test_policy_rate_falls_to_zero_over_the_training_unless_it_is_constant():
    """After the 1000 steps that training takes, the last ones hardly move the policy."""
    moved = {}
    for schedule in (True, False):
        learner = make("iql", actor_learning_rate_schedule=schedule)
        learner._steps = [998]
        before = learner.state_dict(0)["actor.body.0.weight"]
        learner.train(1)
        moved[schedule] = (learner.state_dict(0)["actor.body.0.weight"] - before).abs().max().item()
    assert moved[False] == pytest.approx(3e-4, rel=1e-3)
    assert moved[True] < 1e-8
