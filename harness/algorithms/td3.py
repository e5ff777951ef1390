"""TD3 (arXiv 1802.09477): twin critics, smoothed target actions, delayed policy updates.

`implementation: auto` trains the equal learner of `fused/td3.py` instead.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from harness.algorithms.autograd import AutogradLearner
from harness.algorithms.data import Batch
from harness.algorithms.hyperparameters.td3 import TD3Hyperparameters
from harness.algorithms.modules import DeterministicActor, Ensemble

AnyTD3Hyperparameters = TypeVar("AnyTD3Hyperparameters", bound=TD3Hyperparameters)


class TD3Learner(AutogradLearner[AnyTD3Hyperparameters]):
    """TD3 with a target and a policy loss that subclasses can replace."""

    targets = ("actor", "critics")

    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        """Build the policy and two critics."""
        hidden = self.hyperparameters.hidden_sizes
        return {
            "actor": DeterministicActor(observation_size, *hidden, action_size, max_action=self.max_action),
            "critics": Ensemble(2, observation_size + action_size, *hidden, 1),
        }

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Update the critics; every `policy_freq` steps the policy and the target networks as well."""
        metrics = self.update_critics(batch)
        if self.every(self.hyperparameters.policy_freq):
            metrics |= self.update_actor(batch)
            self.polyak("critics", self.hyperparameters.tau)
            self.polyak("actor", self.hyperparameters.tau)
        return metrics

    def update_critics(self, batch: Batch) -> dict[str, Tensor]:
        """Minimise L(Q_i) = mean (Q_i(s, a) - y)^2, with y = r + discount Q'(s') where s' is not terminal."""
        settings = self.hyperparameters
        with torch.no_grad():
            target = batch.reward + settings.discount * batch.not_terminal * self.next_q(batch)
        q = self.critics(batch.state_action)
        loss = (q - target.unsqueeze(-1)).square().sum(-1)
        self.minimize("critics", loss, learning_rate=settings.critic_learning_rate)
        q1, q2 = q.detach().mean(1).unbind(-1)
        return {"q1": q1, "q2": q2, "critic_loss": loss.mean(1)}

    def next_q(self, batch: Batch) -> Tensor:
        """Return Q'(s') = min_i Q'_i(s', pi'(s') + clipped noise), [M, n]."""
        q: Tensor = self.target.critics(torch.cat([batch.next_state, self.target_action(batch)], dim=-1))
        return q.amin(-1)

    def target_action(self, batch: Batch) -> Tensor:
        """Return pi'(s') + clipped noise, within the action range, [M, n, A]."""
        settings, limit = self.hyperparameters, self.max_action
        clip = settings.target_noise_clip * limit
        noise = self.normal("target action", *batch.action.shape[1:]) * (settings.target_noise * limit)
        smoothed: Tensor = self.target.actor(batch.next_state) + noise.clamp(-clip, clip)
        return smoothed.clamp(-limit, limit)

    def update_actor(self, batch: Batch) -> dict[str, Tensor]:
        """Take one gradient step on the policy loss; the gradient flows through a = pi(s) only."""
        action = self.actor(batch.state)
        q1 = self.critics[0](torch.cat([batch.state, action], dim=-1))
        loss, metrics = self.actor_loss(q1, action, batch)
        self.minimize("actor", loss, learning_rate=self.hyperparameters.actor_learning_rate)
        return {"actor_loss": loss, **metrics}

    def actor_loss(self, q1: Tensor, action: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return L(pi) = -mean Q_1(s, pi(s)), [M], and further metrics."""
        return -q1.mean(1), {}


class TD3(TD3Learner[TD3Hyperparameters]):
    """TD3 as published, on a fixed dataset."""
