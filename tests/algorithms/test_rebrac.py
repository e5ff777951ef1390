"""ReBRAC against a plain form of it, and what its paper says."""

import pytest
import torch
from torch import nn

from tests.algorithms.make import ACTIONS, MAX_ACTION, make, transitions
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


def network(state, prefix):
    """With LayerNorm as in flax."""
    found = mlp(state, prefix)
    for layer in found:
        if isinstance(layer, nn.LayerNorm):
            layer.eps = 1e-6
    return found


@pytest.mark.parametrize("normalize_lambda", [True, False])
def test_rebrac_gives_the_weights_of_a_plain_form(normalize_lambda):
    learner = learner_in_double(
        "rebrac", actor_penalty=0.3, critic_penalty=0.7, normalize_lambda=normalize_lambda
    )
    state = learner.state_dict(0)
    actor = network(state, "actor.body")
    q = [network(state, f"critics.members.{member}") for member in range(2)]
    slow_actor, *slow = target_of(actor, *q)
    actor_adam, critic_adam = adam(actor, learning_rate=1e-3), adam(*q, learning_rate=1e-3)
    for batch in batches(learner, 30):
        drawn = learner.normal("target action", 32, ACTIONS)[0]
        smoothed = MAX_ACTION * (slow_actor(batch.next_state).tanh() + (0.2 * drawn).clamp(-0.5, 0.5))
        smoothed = smoothed.clamp(-MAX_ACTION, MAX_ACTION)
        pair = torch.cat([batch.next_state, smoothed], 1)
        value = torch.minimum(*(each(pair)[:, 0] for each in slow))
        value = value - 0.7 * (smoothed - batch.next_action).pow(2).sum(1)
        target = batch.reward + 0.99 * batch.not_terminal * value
        pair = torch.cat([batch.state, batch.action], 1)
        descend(critic_adam, sum((each(pair)[:, 0] - target).pow(2).mean() for each in q))
        if batch.step % 2 == 1:
            polyak([slow_actor, *slow], [actor, *q], 0.005)
            action = MAX_ACTION * actor(batch.state).tanh()
            value = torch.minimum(*(each(torch.cat([batch.state, action], 1))[:, 0] for each in q))
            weight = 1 / value.detach().abs().mean() if normalize_lambda else 1
            distance = (action - batch.action).pow(2).sum(1)
            descend(actor_adam, (0.3 * distance - weight * value).mean())
    state = learner.state_dict(0)
    for prefix, plain in (
        ("actor.body", actor),
        ("target.actor.body", slow_actor),
        *((f"critics.members.{member}", q[member]) for member in range(2)),
        *((f"target.critics.members.{member}", slow[member]) for member in range(2)),
    ):
        assert_same_weights(state, prefix, plain)


def test_critics_target_falls_with_the_squared_distance_from_the_next_action():
    rows = transitions()
    rows[:, -ACTIONS:] = 5.0
    free, penalised = (make("rebrac", rows=rows, critic_penalty=penalty) for penalty in (0.0, 0.5))
    batch = batch_of(free)
    distance = (free.target_action(batch) - 5.0).square().sum(-1)
    torch.testing.assert_close(free.next_q(batch) - penalised.next_q(batch), 0.5 * distance)


def test_networks_start_as_in_edac():
    state = make("rebrac").state_dict(0)
    assert (state["critics.members.1.0.bias"] == 0.1).all()
    assert state["critics.members.1.6.weight"].abs().max() <= 3e-3
    assert state["actor.body.4.weight"].abs().max() <= 1e-3


def test_published_settings_are_the_defaults():
    settings = make("rebrac", batch_size=1024, hidden_sizes=(256, 256, 256)).hyperparameters
    assert settings == type(settings)(implementation="auto")
