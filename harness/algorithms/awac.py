"""AWAC (arXiv 2006.09359): an actor-critic whose policy imitates actions weighted by their advantage."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.algorithms.autograd import AutogradLearner
from harness.algorithms.data import Batch
from harness.algorithms.hyperparameters.awac import AWACHyperparameters
from harness.algorithms.modules import Ensemble, GaussianActor, gaussian_log_prob


class AWAC(AutogradLearner[AWACHyperparameters]):
    """Advantage-weighted actor-critic, offline, as in CORL: weights are clipped, not normalised."""

    targets = ("critics",)

    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        """Build the policy, a normal distribution with an unbounded mean, and two critics."""
        hidden = self.hyperparameters.hidden_sizes
        sizes = (observation_size, *hidden, action_size)
        return {
            "actor": GaussianActor(*sizes, max_action=self.max_action, tanh_mean=False),
            "critics": Ensemble(2, observation_size + action_size, *hidden, 1),
        }

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Update the critics, then the policy, then the target critics."""
        metrics = self.update_critics(batch) | self.update_actor(batch)
        self.polyak("critics", self.hyperparameters.tau)
        return metrics

    def update_critics(self, batch: Batch) -> dict[str, Tensor]:
        """Minimise L(Q_i) = mean (Q_i(s, a) - y)^2 with y = r + discount min_i Q'_i(s', a'), a' ~ pi(s')."""
        settings = self.hyperparameters
        with torch.no_grad():
            next_action = self.sample_action("next action", *self.actor(batch.next_state))
            next_q = self.target.critics(torch.cat([batch.next_state, next_action], dim=-1)).amin(-1)
            target = batch.reward + settings.discount * batch.not_terminal * next_q
        q = self.critics(batch.state_action)
        loss = (q - target.unsqueeze(-1)).square().sum(-1)
        self.minimize("critics", loss, learning_rate=settings.critic_learning_rate)
        q1, q2 = q.detach().mean(1).unbind(-1)
        return {"q1": q1, "q2": q2, "critic_loss": loss.mean(1)}

    def update_actor(self, batch: Batch) -> dict[str, Tensor]:
        """Minimise L(pi) = -mean w log pi(a | s) with w = exp(A / lambda), at most `largest_weight`."""
        settings = self.hyperparameters
        mean, log_std = self.actor(batch.state)
        weight = torch.exp(self.advantage(batch, mean, log_std) / settings.temperature)
        weight = weight.clamp(max=settings.largest_weight)
        loss = -weight * gaussian_log_prob(mean, log_std, batch.action)
        self.minimize("actor", loss, learning_rate=settings.actor_learning_rate)
        return {"actor_loss": loss.mean(1), "weight": weight.mean(1)}

    @torch.no_grad()
    def advantage(self, batch: Batch, mean: Tensor, log_std: Tensor) -> Tensor:
        """Return A = min_i Q_i(s, a) - min_i Q_i(s, b) with one action b ~ pi(s), [M, n]."""
        action = self.sample_action("action", mean, log_std)
        own = torch.cat([batch.state, action], dim=-1)
        both: Tensor = self.critics(torch.cat([batch.state_action, own], dim=1)).amin(-1)
        q, value = both.chunk(2, dim=1)
        return q - value

    def sample_action(self, name: str, mean: Tensor, log_std: Tensor) -> Tensor:
        """Draw actions from a normal distribution, clipped to the action range, [M, n, A]."""
        action = mean + torch.exp(log_std) * self.normal(name, *mean.shape[1:])
        return action.clamp(-self.max_action, self.max_action)
