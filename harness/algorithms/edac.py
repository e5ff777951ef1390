"""EDAC (arXiv 2110.01548): soft actor-critic on the minimum of N critics with diversified gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.algorithms.autograd import AutogradLearner
from harness.algorithms.data import Batch
from harness.algorithms.hyperparameters.edac import EDACHyperparameters
from harness.algorithms.modules import Ensemble, Scalar, TanhGaussianActor, tanh_gaussian_sample

LOG_STD_RANGE = (-5.0, 2.0)
DENSITY_EPSILON = 1e-6
"""The constant that the authors add to 1 - tanh(x)^2 in the log-density of actions."""


class EDAC(AutogradLearner[EDACHyperparameters]):
    """Ensemble-diversified actor-critic, in the order of CORL; with eta 0 it is SAC-N."""

    targets = ("critics",)

    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        """Build the policy, N critics and the logarithm of the temperature alpha."""
        hidden, count = self.hyperparameters.hidden_sizes, self.hyperparameters.critics
        sizes = (observation_size + action_size, *hidden, 1)
        return {
            "actor": TanhGaussianActor(
                *(observation_size, *hidden, action_size),
                max_action=self.max_action,
                log_std_range=LOG_STD_RANGE,
                hidden_bias=0.1,
                output_limit=1e-3,
            ),
            "critics": Ensemble(count, *sizes, hidden_bias=0.1, output_limit=3e-3),
            "log_alpha": Scalar(0.0),
        }

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Update the temperature, then the policy, then the critics and their targets."""
        action, log_density = self.sample_action("action", batch.state)
        metrics = self.update_alpha(log_density.detach(), target_entropy=-action.shape[-1])
        metrics |= self.update_actor(batch, action, log_density)
        metrics |= self.update_critics(batch)
        self.polyak("critics", self.hyperparameters.tau)
        return metrics

    def update_alpha(self, log_density: Tensor, target_entropy: float) -> dict[str, Tensor]:
        """Minimise L(alpha) = -log alpha mean (log pi(b | s) + target entropy), b ~ pi(s)."""
        loss = -self.log_alpha() * (log_density.mean(1) + target_entropy)
        self.minimize("log_alpha", loss, learning_rate=self.hyperparameters.alpha_learning_rate)
        return {"alpha": self.alpha.squeeze(1), "alpha_loss": loss, "entropy": -log_density.mean(1)}

    def update_actor(self, batch: Batch, action: Tensor, log_density: Tensor) -> dict[str, Tensor]:
        """Minimise L(pi) = mean (alpha log pi(b | s) - min_i Q_i(s, b)), b ~ pi(s)."""
        q = self.critics(torch.cat([batch.state, action], dim=-1)).amin(-1)
        loss = self.alpha * log_density - q
        self.minimize("actor", loss, learning_rate=self.hyperparameters.actor_learning_rate)
        return {"actor_loss": loss.mean(1)}

    def update_critics(self, batch: Batch) -> dict[str, Tensor]:
        """Minimise L(Q) = sum_i mean (Q_i(s, a) - y)^2 + eta diversity.

        The target is y = r + discount (min_i Q'_i(s', a') - alpha log pi(a' | s')), a' ~ pi(s').
        """
        settings = self.hyperparameters
        with torch.no_grad():
            next_action, log_density = self.sample_action("next action", batch.next_state)
            next_q = self.target.critics(torch.cat([batch.next_state, next_action], dim=-1)).amin(-1)
            soft = next_q - self.alpha * log_density
            target = batch.reward + settings.discount * batch.not_terminal * soft
        if settings.eta:
            q, diversity = self.q_and_diversity(batch)
        else:
            q, diversity = self.critics(batch.state_action), torch.zeros_like(target)
        error = (q - target.unsqueeze(-1)).square().sum(-1)
        loss = error + settings.eta * diversity
        self.minimize("critics", loss, learning_rate=settings.critic_learning_rate)
        return {"q": q.mean((1, 2)), "critic_loss": error.mean(1), "diversity": diversity.mean(1)}

    def q_and_diversity(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return Q_i(s, a), [M, n, N], and sum_{i != j} cos(grad_a Q_i, grad_a Q_j) / (N - 1), [M, n]."""
        count = self.hyperparameters.critics
        state, action = (
            part.unsqueeze(1).expand(-1, count, -1, -1).detach() for part in (batch.state, batch.action)
        )
        action.requires_grad_()
        q = self.critics.members(torch.cat([state, action], dim=-1))
        (gradient,) = torch.autograd.grad(q.sum(), action, create_graph=True)
        direction = gradient / (torch.linalg.vector_norm(gradient, dim=-1, keepdim=True) + 1e-10)
        # the sum over i != j is |sum_i direction_i|^2 less the terms with i = j
        pairs = direction.sum(1).square().sum(-1) - direction.square().sum((1, 3))
        return q, pairs / (count - 1)

    def sample_action(self, name: str, state: Tensor) -> tuple[Tensor, Tensor]:
        """Draw b ~ pi(s), [M, n, A], and return it with log pi(b | s), [M, n]."""
        mean, log_std = self.actor(state)
        noise = self.normal(name, *mean.shape[1:])
        action, log_density = tanh_gaussian_sample(mean, log_std, noise, DENSITY_EPSILON)
        return self.max_action * action, log_density

    @property
    def alpha(self) -> Tensor:
        """Return the temperature of each seed, [M, 1], without gradient."""
        log_alpha: Tensor = self.log_alpha()
        return log_alpha.detach().exp().unsqueeze(1)
