"""EDAC and SAC-N against a plain form of them, and what their paper says."""

import math

import pytest
import torch

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


def sample(actor, state, noise):
    """An action of the squashed normal, and its log-density by the formula of SAC, appendix C."""
    mean, log_std = actor(state).chunk(2, 1)
    log_std = log_std.clamp(-5, 2)
    before = mean + log_std.exp() * noise
    normal = -(noise**2) / 2 - log_std - math.log(2 * math.pi) / 2
    return MAX_ACTION * before.tanh(), (normal - torch.log(1 - before.tanh() ** 2 + 1e-6)).sum(1)


def diversity_of(q, state, action):
    """The mean over pairs of different critics of the cosine between their gradients, times N."""
    directions = []
    for each in q:
        own = action.clone().requires_grad_()
        value = each(torch.cat([state, own], 1)).sum()
        (gradient,) = torch.autograd.grad(value, own, create_graph=True)
        directions.append(gradient / (gradient.norm(dim=1, keepdim=True) + 1e-10))
    cosines = [(one * other).sum(1) for one in directions for other in directions if one is not other]
    return sum(cosines).mean() / (len(q) - 1)


@pytest.mark.parametrize("eta", [0.0, 5.0])
def test_edac_gives_the_weights_of_a_plain_form(eta):
    count, size = 3, 32
    settings = {"state_normalization": "standardize", "alpha_learning_rate": 1e-3}
    learner = learner_in_double("edac", critics=count, eta=eta, **settings)
    state = learner.state_dict(0)
    actor = mlp(state, "actor.body")
    q = [mlp(state, f"critics.members.{member}") for member in range(count)]
    slow = target_of(*q)
    log_alpha = torch.zeros((), dtype=torch.float64, requires_grad=True)
    actor_adam, critic_adam, alpha_adam = adam(actor), adam(*q), adam(log_alpha, learning_rate=1e-3)

    def all_q(networks, states, actions):
        return torch.stack([each(torch.cat([states, actions], 1))[:, 0] for each in networks])

    for batch in batches(learner, 30):
        action, log_density = sample(actor, batch.state, learner.normal("action", size, ACTIONS)[0])
        descend(alpha_adam, -(log_alpha * (log_density.detach() - ACTIONS)).mean())
        alpha = log_alpha.exp().detach()
        least = all_q(q, batch.state, action).min(0).values
        descend(actor_adam, (alpha * log_density - least).mean())
        with torch.no_grad():
            noise = learner.normal("next action", size, ACTIONS)[0]
            next_action, log_density = sample(actor, batch.next_state, noise)
            next_q = all_q(slow, batch.next_state, next_action).min(0).values - alpha * log_density
            target = batch.reward + 0.99 * batch.not_terminal * next_q
        loss = (all_q(q, batch.state, batch.action) - target).pow(2).mean(1).sum()
        descend(critic_adam, loss + eta * diversity_of(q, batch.state, batch.action))
        polyak(slow, q, 0.005)
    state = learner.state_dict(0)
    assert_same_weights(state, "actor.body", actor)
    torch.testing.assert_close(state["log_alpha.value"], log_alpha.detach(), atol=1e-9, rtol=0)
    for member in range(count):
        assert_same_weights(state, f"critics.members.{member}", q[member])
        assert_same_weights(state, f"target.critics.members.{member}", slow[member])


def test_diversity_of_equal_critics_is_their_number():
    """All cosines are 1: N (N - 1) pairs over N - 1."""
    learner = make("edac", critics=4)
    tensors = learner.critics.named_tensors(0)
    for name, tensor in tensors.items():
        member, rest = name.split(".", 2)[1:]
        if member != "0":
            tensor.data.copy_(tensors[f"members.0.{rest}"])
    _, diversity = learner.q_and_diversity(batch_of(learner))
    torch.testing.assert_close(diversity, torch.full_like(diversity, 4.0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("stacked", [False, True])
def test_q_of_the_diversity_term_is_that_of_the_critics(stacked):
    learner = make("edac", critics=3, seeds=(0, 1), stacked=stacked)
    batch = batch_of(learner)
    q, diversity = learner.q_and_diversity(batch)
    torch.testing.assert_close(q, learner.critics(batch.state_action))
    assert diversity.shape == batch.reward.shape


def test_gradients_of_critics_diverge_with_eta():
    diversity = {}
    for eta in (1e-9, 30.0):
        learner = make("edac", eta=eta, critics=4)
        learner.train(40)
        diversity[eta] = learner.metrics()[0]["diversity"]
    assert diversity[30.0] < diversity[1e-9]


@pytest.mark.parametrize(("entropy", "falls"), [(5.0, True), (-5.0, False)])
def test_temperature_falls_while_the_entropy_exceeds_its_target(entropy, falls):
    learner = make("edac")
    learner.update_alpha(torch.full((1, 8), -entropy), target_entropy=-ACTIONS)
    assert (learner.alpha.item() < 1) == falls


def test_networks_are_initialised_as_the_authors_do():
    state = make("edac").state_dict(0)
    for prefix, limit in (("actor.body", 1e-3), ("critics.members.0", 3e-3)):
        assert torch.equal(state[f"{prefix}.0.bias"], torch.full_like(state[f"{prefix}.0.bias"], 0.1))
        assert 0.8 * limit < state[f"{prefix}.4.weight"].abs().max() <= limit
