"""Tests that `check_algorithm` accepts valid algorithms, and names what invalid ones violate."""

import pytest
import torch
from torch import nn

from harness.algorithms import AutogradLearner, Hyperparameters
from harness.algorithms.bc import BC
from harness.algorithms.modules import MLP, TanhGaussianActor
from harness.algorithms.rebrac import ReBRAC
from harness.algorithms.td3_bc import TD3BC
from harness.errors import HarnessError
from harness.testing import check_algorithm


class Settings(Hyperparameters):
    pass


class Cloning(AutogradLearner[Settings]):
    fields = ("state", "action")

    def networks(self, observation_size, action_size):
        return {"actor": MLP(observation_size, 8, action_size)}

    def loss(self, batch):
        return (self.actor(batch.state) - batch.action).square().mean((1, 2))

    def update(self, batch):
        loss = self.loss(batch)
        self.minimize("actor", loss)
        return {"loss": loss}


class Counting(Cloning):
    """Has a counter that is missing in checkpoints."""

    count = 0

    def loss(self, batch):
        self.count += 1
        return super().loss(batch) * self.count


class GlobalNoise(Cloning):
    """Draws from torch's global generator."""

    def loss(self, batch):
        return (self.actor(batch.state) - torch.randn_like(batch.action)).square().mean((1, 2))


class Mixing(Cloning):
    """Lets each seed imitate the mean of all."""

    def loss(self, batch):
        actions = self.actor(batch.state)
        return (actions - actions.mean(0)).square().mean((1, 2)) + super().loss(batch)


class WrongActions(Cloning):
    def policy_module(self):
        return torch.nn.Linear(5, 7)


class Squeezing(Cloning):
    """Drops the dimension of a single observation."""

    def networks(self, observation_size, action_size):
        class Actor(nn.Linear):
            def forward(self, states):
                return super().forward(states).squeeze()

        return {"actor": Actor(observation_size, action_size)}


class SeveralOutputs(Cloning):
    def networks(self, observation_size, action_size):
        actor = TanhGaussianActor(observation_size, 8, action_size, max_action=1.0)
        return {"actor": nn.Sequential(actor)}

    def loss(self, batch):
        return self.actor(batch.state)[0].square().mean((1, 2))


class NotANumber(Cloning):
    def update(self, batch):
        return super().update(batch) | {"bad": batch.state.mean((1, 2)) / 0}


class Diverging(Cloning):
    def loss(self, batch):
        return super().loss(batch) * torch.nan


class Idle(Cloning):
    """Never changes its networks."""

    def loss(self, batch):
        return 0 * super().loss(batch)


def test_check_algorithm_of_a_class_that_is_not_a_learner_raises():
    with pytest.raises(HarnessError, match="test_testing:Settings: Settings is not a learner"):
        check_algorithm(Settings)


@pytest.mark.parametrize("algorithm", [Cloning, BC])
def test_check_algorithm_accepts_a_valid_algorithm(algorithm):
    check_algorithm(algorithm, improves=False)


def test_check_algorithm_accepts_td3_bc():
    quick = {"actor_learning_rate": 1e-3, "critic_learning_rate": 1e-3}
    check_algorithm(TD3BC, {"batch_size": 64, "hidden_sizes": (64, 64), **quick}, gradient_steps=300)


def test_check_algorithm_accepts_a_learner_of_next_actions():
    small = {"batch_size": 64, "hidden_sizes": (64, 64), "actor_penalty": 10.0}
    check_algorithm(ReBRAC, small, gradient_steps=800)


@pytest.mark.parametrize(
    ("algorithm", "message"),
    [
        (Counting, "training that resumes from a checkpoint ends differently"),
        (GlobalNoise, "differs between training alone and in a pack"),
        (Mixing, "differs between training alone and in a pack: its loss depends on another seed"),
        (WrongActions, r"WrongActions: its policy returns actions of shape \[1, 7\] .* expected \[1, 2\]"),
        (Squeezing, r"Squeezing: its policy returns actions of shape \[2\] for observations \[1, 5\]"),
        (
            SeveralOutputs,
            "its policy cannot act on observations .* policy_module.. must return",
        ),
        (NotANumber, "metrics are not finite"),
        (Diverging, "metrics are not finite"),
    ],
)
def test_check_algorithm_names_the_violation(algorithm, message):
    with pytest.raises((AssertionError, HarnessError), match=message):
        check_algorithm(algorithm, improves=False)


def test_check_algorithm_of_an_algorithm_that_does_not_learn_raises():
    with pytest.raises(AssertionError, match=r"the mean return is -\d+, not better than -\d+ before"):
        check_algorithm(Idle, {"batch_size": 32}, gradient_steps=8)
