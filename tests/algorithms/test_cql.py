"""CQL against a plain form of it, and what its paper says."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from harness.algorithms.cql import Distribution
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

SIZE, SAMPLES = 32, 3
ANTMAZE = {
    "target_action_gap": 0.8,
    "smallest_difference": 0.5,
    "max_target_backup": True,
    "backup_entropy": True,
}


@pytest.mark.parametrize("variant", [{}, ANTMAZE, {"behaviour_cloning_steps": 10}])
def test_cql_gives_the_weights_of_a_plain_form(variant):
    settings = {
        "actor_learning_rate": 1e-3,
        "conservative_weight": 2.0,
        "sampled_actions": SAMPLES,
        **variant,
    }
    learner = learner_in_double("cql", **settings)
    state = learner.state_dict(0)
    actor = mlp(state, "actor.body")
    q = [mlp(state, f"critics.members.{member}") for member in range(2)]
    slow = target_of(*q)
    scale, shift, log_alpha, log_multiplier = (
        torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (1.0, -1.0, 0.0, 1.0)
    )
    actor_adam = adam(actor, scale, shift, learning_rate=1e-3)
    critic_adam, alpha_adam = adam(*q), adam(log_alpha, learning_rate=1e-3)
    multiplier_adam = adam(log_multiplier)

    def policy(states):
        mean, log_std = actor(states).chunk(2, 1)
        return mean, (scale * log_std + shift).clamp(-20, 2).exp()

    def density(mean, deviation, action):
        squashed = TransformedDistribution(Normal(mean, deviation), TanhTransform())
        return squashed.log_prob(action / MAX_ACTION).sum(-1)

    def sample(mean, deviation, name, count):
        action = torch.tanh(mean + deviation * learner.normal(name, count, SIZE, ACTIONS)[0]) * MAX_ACTION
        return action, density(mean, deviation, action)

    def values(networks, states, actions):
        pairs = torch.cat([states.expand(*actions.shape[:-1], -1), actions], -1)
        return torch.stack([each(pairs)[..., 0] for each in networks])

    for batch in batches(learner, 30):
        now, later = policy(batch.state), policy(batch.next_state)
        alpha = log_alpha.exp().detach()
        action, log_density = sample(*now, "action", 1)
        value = values(q, batch.state, action).min(0).values
        if batch.step < variant.get("behaviour_cloning_steps", 0):
            value = density(*now, batch.action)
        actor_loss = (alpha * log_density - value).mean()
        alpha_loss = -(log_alpha * (log_density.detach() - ACTIONS)).mean()

        count = SAMPLES if "max_target_backup" in variant else 1
        next_action, next_density = sample(*later, "target action", count)
        next_q, best = values(slow, batch.next_state, next_action).min(0).values.max(0)
        if "backup_entropy" in variant:
            next_q = next_q - alpha * next_density[best, torch.arange(SIZE)]
        target = (batch.reward + 0.99 * batch.not_terminal * next_q).detach()
        current, current_density = sample(*now, "current actions", SAMPLES)
        following, following_density = sample(*later, "next actions", SAMPLES)
        uniform = MAX_ACTION * (2 * learner.uniform("random actions", SAMPLES, SIZE, ACTIONS)[0] - 1)
        others = torch.cat([uniform, current, following]).detach()
        densities = torch.cat(
            [torch.full((SAMPLES, SIZE), ACTIONS * math.log(0.5)), current_density, following_density]
        )
        data_q = values(q, batch.state, batch.action)
        weighted = torch.exp(values(q, batch.state, others) - densities.detach())
        difference = torch.log(weighted.sum(1)) - data_q
        gap = difference.clamp(min=variant.get("smallest_difference", -math.inf)).mean(1)
        multiplier = log_multiplier.exp() if "target_action_gap" in variant else torch.ones(())
        critic_loss = (data_q - target).pow(2).mean(1).sum() + multiplier.detach() * 2 * gap.sum()
        if "target_action_gap" in variant:
            descend(multiplier_adam, -(multiplier * 2 * (gap.detach() - 0.8)).mean())
        descend(alpha_adam, alpha_loss)
        descend(actor_adam, actor_loss)
        descend(critic_adam, critic_loss)
        polyak(slow, q, 0.005)
    state = learner.state_dict(0)
    assert_same_weights(state, "actor.body", actor)
    for name, expected in (
        ("actor.log_std_scale.value", scale),
        ("actor.log_std_shift.value", shift),
        ("log_alpha.value", log_alpha),
        *([("log_multiplier.value", log_multiplier)] if "target_action_gap" in variant else []),
    ):
        torch.testing.assert_close(state[name], expected.detach(), atol=1e-9, rtol=0)
    for member in range(2):
        assert_same_weights(state, f"critics.members.{member}", q[member])
        assert_same_weights(state, f"target.critics.members.{member}", slow[member])


def test_conservative_weight_lowers_the_q_of_unseen_actions_below_that_of_the_data():
    conservative = {}
    for weight in (0.0, 20.0):
        learner = make("cql", conservative_weight=weight, critic_learning_rate=1e-2)
        learner.train(80)
        conservative[weight] = learner.metrics()[0]["conservative"]
    assert conservative[20.0] < conservative[0.0] - 0.1


@pytest.mark.parametrize(("gap", "rises"), [(2.0, True), (0.5, False)])
def test_multiplier_rises_when_the_gap_exceeds_its_target(gap, rises):
    learner = make("cql", target_action_gap=1.0)
    before, _ = learner.update_multiplier(torch.full((1, 2), gap))
    after, _ = learner.update_multiplier(torch.full((1, 2), gap))
    assert (after > before).item() == rises


def test_importance_weights_make_the_sum_over_actions_an_integral():
    """For Q = 0, logsumexp estimates the log of the volume of actions 2^A, once for each of 3 k proposals."""
    learner = make("cql", sampled_actions=500, batch_size=64)
    batch = batch_of(learner)
    policies = (Distribution(*learner.actor(states)) for states in (batch.state, batch.next_state))
    _, log_density = learner.proposals(*policies)
    volume = torch.logsumexp(-log_density, dim=1) - math.log(3 * 500)
    assert volume.exp().mean().item() == pytest.approx(2.0**ACTIONS, rel=0.1)


def test_policy_clones_the_data_during_the_first_steps():
    """Until then the critics do not matter: with another weight in their loss the policy is the same."""
    policies = []
    for weight in (0.0, 10.0):
        learner = make("cql", behaviour_cloning_steps=5, conservative_weight=weight)
        learner.train(5)
        policies.append([learner.policy(0)(np.ones((1, 5)))])
        learner.train(5)
        policies[-1].append(learner.policy(0)(np.ones((1, 5))))
    np.testing.assert_array_equal(policies[0][0], policies[1][0])
    assert (policies[0][1] != policies[1][1]).any()


def test_critics_can_be_deeper_than_the_policy():
    names = make("cql", critic_hidden_sizes=(8, 8, 8, 8, 8)).state_dict(0)
    assert "critics.members.1.10.weight" in names
    assert "actor.body.10.weight" not in names
