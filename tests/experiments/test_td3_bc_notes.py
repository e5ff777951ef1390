"""Tests of the notes' update against a plain implementation."""

import sys
from pathlib import Path

import pytest
import torch

from harness import experiment_file
from tests.algorithms.make import ACTIONS, MAX_ACTION
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

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.syspath_prepend(str(EXPERIMENTS))


def pair(state, action):
    return torch.cat([state, action / MAX_ACTION], 1)


def test_notes_update_equals_a_plain_implementation():
    learner = learner_in_double("td3_bc_notes:TD3BCNotes", batch_size=32)
    state = learner.state_dict(0)
    actor = mlp(state, "actor.body")
    q = [mlp(state, f"critics.members.{member}") for member in range(2)]
    slow_actor, *slow = target_of(actor, *q)
    actor_adam, critic_adam = adam(actor, learning_rate=1e-4), adam(*q, learning_rate=1e-3)
    for batch in batches(learner, 30):
        drawn = learner.normal("target action", 32, ACTIONS)[0]
        smoothed = MAX_ACTION * slow_actor(batch.next_state).tanh() + (0.1 * drawn).clamp(-0.3, 0.3)
        inputs = pair(batch.next_state, smoothed.clamp(-MAX_ACTION, MAX_ACTION))
        value = torch.minimum(*(each(inputs)[:, 0] for each in slow))
        target = batch.reward + 0.99 * batch.not_terminal * value
        values = [each(pair(batch.state, batch.action))[:, 0] for each in q]
        weight = 2.5 / values[0].detach().abs().mean()
        descend(critic_adam, sum((each - target).pow(2).mean() for each in values), largest_norm=1.0)
        if batch.step % 2 == 1:
            action = MAX_ACTION * actor(batch.state).tanh()
            value = q[0](pair(batch.state, action))[:, 0]
            distance = (action - batch.action).pow(2).mean()
            descend(actor_adam, distance - weight * value.mean(), largest_norm=1.0)
            polyak([slow_actor, *slow], [actor, *q], 0.005)
    state = learner.state_dict(0)
    assert_same_weights(state, "actor.body", actor)
    assert_same_weights(state, "target.actor.body", slow_actor)
    for member in range(2):
        assert_same_weights(state, f"critics.members.{member}", q[member])
        assert_same_weights(state, f"target.critics.members.{member}", slow[member])


def test_notes_batches_have_no_transition_twice():
    learner = learner_in_double("td3_bc_notes:TD3BCNotes", batch_size=200)
    (batch,) = learner._sampler.indices.steps(0, 1).tolist()
    assert len(set(batch)) == 200


def test_notes_count_time_limits_as_terminals_and_the_paper_does_not():
    experiment = experiment_file.load(EXPERIMENTS / "pendulum-notes.yaml")
    time_limits = {trial.algorithm: trial.data.time_limits for trial in experiment.trials()}
    assert time_limits == {
        "td3_bc-notes": "terminal",
        "td3_bc": "bootstrap",
        "td3_bc-notes-settings": "bootstrap",
    }
    assert "td3_bc_notes" in sys.modules
