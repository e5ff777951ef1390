"""IQL (arXiv 2110.06169): advantages, and a policy that follows them, learned without unseen actions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.algorithms.autograd import AutogradLearner
from harness.algorithms.data import Batch
from harness.algorithms.hyperparameters.iql import IQLHyperparameters
from harness.algorithms.modules import MLP, DeterministicActor, Ensemble, GaussianActor, gaussian_log_prob


class IQL(AutogradLearner[IQLHyperparameters]):
    """Implicit Q-learning, in the order of CORL: V(s) and V(s') are those before the update of V.

    The authors' code uses V after its update for the policy's advantages and the critics' targets.
    """

    targets = ("critics",)

    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        """Build the policy, two critics and the value function."""
        hidden = self.hyperparameters.hidden_sizes
        actor = DeterministicActor if self.hyperparameters.deterministic_policy else GaussianActor
        return {
            "actor": actor(observation_size, *hidden, action_size, max_action=self.max_action),
            "critics": Ensemble(2, observation_size + action_size, *hidden, 1),
            "value": MLP(observation_size, *hidden, 1),
        }

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Update V, then the critics and their targets, then the policy."""
        with torch.no_grad():
            next_value = self.value(batch.next_state).squeeze(-1)
        advantage, metrics = self.update_value(batch)
        metrics |= self.update_critics(batch, next_value)
        self.polyak("critics", self.hyperparameters.tau)
        return metrics | self.update_actor(batch, advantage)

    def update_value(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Minimise L(V) = mean |expectile - 1(A < 0)| A^2, with A = min_i Q'_i(s, a) - V(s), [M, n]."""
        expectile = self.hyperparameters.expectile
        with torch.no_grad():
            q = self.target.critics(batch.state_action).amin(-1)
        value = self.value(batch.state).squeeze(-1)
        advantage = q - value
        loss = torch.where(advantage < 0, 1 - expectile, expectile) * advantage.square()
        self.minimize("value", loss, learning_rate=self.hyperparameters.value_learning_rate)
        return advantage.detach(), {"v": value.mean(1), "value_loss": loss.mean(1)}

    def update_critics(self, batch: Batch, next_value: Tensor) -> dict[str, Tensor]:
        """Minimise L(Q) = mean over both critics of (Q_i(s, a) - y)^2, with y = r + discount V(s')."""
        target = batch.reward + self.hyperparameters.discount * batch.not_terminal * next_value
        q = self.critics(batch.state_action)
        loss = (q - target.unsqueeze(-1)).square().mean(-1)
        self.minimize("critics", loss, learning_rate=self.hyperparameters.critic_learning_rate)
        q1, q2 = q.detach().mean(1).unbind(-1)
        return {"q1": q1, "q2": q2, "critic_loss": loss.mean(1)}

    def update_actor(self, batch: Batch, advantage: Tensor) -> dict[str, Tensor]:
        """Minimise L(pi) = -mean w log pi(a | s), with w = exp(beta A), at most `largest_weight`."""
        settings = self.hyperparameters
        weight = torch.exp(settings.beta * advantage).clamp(max=settings.largest_weight)
        inputs = (batch.state, self.kept_units(batch)) if settings.actor_dropout else (batch.state,)
        if settings.deterministic_policy:
            loss = weight * (self.actor(*inputs) - batch.action).square().sum(-1)
        else:
            mean, log_std = self.actor(*inputs)
            loss = -weight * gaussian_log_prob(mean, log_std, batch.action)
        rate = settings.actor_learning_rate
        self.minimize(
            "actor", loss, learning_rate=self.cosine(rate) if settings.actor_learning_rate_schedule else rate
        )
        return {"actor_loss": loss.mean(1), "weight": weight.mean(1)}

    def kept_units(self, batch: Batch) -> Tensor:
        """Draw the dropout factors of the policy's hidden units, [M, n, units]: 0, or 1 / (1 - rate)."""
        rate = self.hyperparameters.actor_dropout
        uniform = self.uniform("dropout", batch.state.shape[1], sum(self.hyperparameters.hidden_sizes))
        return (uniform >= rate).to(uniform) / (1 - rate)
