"""CQL (arXiv 2006.04779): soft actor-critic whose critics are low wherever the data has no action."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from harness.algorithms.autograd import AutogradLearner
from harness.algorithms.data import Batch
from harness.algorithms.hyperparameters.cql import CQLHyperparameters
from harness.algorithms.modules import (
    Ensemble,
    Scalar,
    TanhGaussianActor,
    orthogonal_,
    tanh_gaussian_log_prob,
    tanh_gaussian_sample,
)
from harness.algorithms.seed_modules import SeedModules

LARGEST_MULTIPLIER = 1e6


class Distribution(NamedTuple):
    """The policy in n states: the normal distributions of its actions before tanh, [M, n, A] each."""

    mean: Tensor
    log_std: Tensor


class CQLActor(TanhGaussianActor):
    """The policy of CQL, whose log-deviation is scaled and shifted by learnable numbers."""

    def __init__(self, *sizes: int, max_action: float) -> None:
        super().__init__(*sizes, max_action=max_action)
        weight, bias = self.body[-1].parameters()
        nn.init.xavier_uniform_(weight, gain=0.01)
        nn.init.zeros_(bias)
        self.log_std_scale = Scalar(1.0)
        self.log_std_shift = Scalar(-1.0)

    plain_layers = TanhGaussianActor.plain_layers  # the mean is the same

    def forward(self, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the deviation before tanh, [..., A] each, in states [..., S]."""
        mean, log_std = self.body(state).chunk(2, dim=-1)
        return mean, (self.log_std_scale() * log_std + self.log_std_shift()).clamp(*self.log_std_range)


class CQL(AutogradLearner[CQLHyperparameters]):
    """Conservative Q-learning as in CORL: all losses use the networks as they were before the step."""

    targets = ("critics",)

    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        """Build the policy, two critics, and the logarithms of temperature and Lagrange multiplier."""
        settings = self.hyperparameters
        hidden = settings.critic_hidden_sizes or settings.hidden_sizes
        critics = Ensemble(2, observation_size + action_size, *hidden, 1)
        for critic in critics.members:
            orthogonal_(critic, output_gain=0.01)
        actor = CQLActor(observation_size, *settings.hidden_sizes, action_size, max_action=self.max_action)
        networks = {"actor": actor, "critics": critics, "log_alpha": Scalar(0.0)}
        return networks if settings.target_action_gap is None else networks | {"log_multiplier": Scalar(1.0)}

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Update temperature, policy, critics and their targets."""
        policy = Distribution(*self.actor(batch.state))
        with torch.no_grad():
            next_policy = Distribution(*self.actor(batch.next_state))
        alpha = self.log_alpha().detach().exp().unsqueeze(1)
        action, log_density = self.sample_actions("action", policy, 1)
        metrics = self.update_alpha(log_density.detach().squeeze(1), target_entropy=-action.shape[-1])
        metrics |= self.update_actor(batch, policy, action, alpha * log_density.squeeze(1))
        metrics |= self.update_critics(batch, policy, next_policy, alpha)
        self.polyak("critics", self.hyperparameters.tau)
        return metrics

    def update_alpha(self, log_density: Tensor, target_entropy: float) -> dict[str, Tensor]:
        """Minimise L(alpha) = -log alpha mean (log pi(b | s) + target entropy), b ~ pi(s)."""
        loss = -self.log_alpha() * (log_density.mean(1) + target_entropy)
        self.minimize("log_alpha", loss, learning_rate=self.hyperparameters.actor_learning_rate)
        return {"alpha": self.log_alpha().exp(), "entropy": -log_density.mean(1)}

    def update_actor(
        self, batch: Batch, policy: Distribution, action: Tensor, entropy_term: Tensor
    ) -> dict[str, Tensor]:
        """Minimise L(pi) = mean (alpha log pi(b | s) - min_i Q_i(s, b)), b ~ pi(s).

        During behaviour cloning, log pi(a | s) takes the place of Q.
        """
        if self.during_first(self.hyperparameters.behaviour_cloning_steps):
            value = tanh_gaussian_log_prob(*policy, batch.action / self.max_action)
        else:
            value = self.q(self.critics, batch.state, action).amin(-1).squeeze(1)
        loss = entropy_term - value
        self.minimize("actor", loss, learning_rate=self.hyperparameters.actor_learning_rate)
        return {"actor_loss": loss.mean(1)}

    def update_critics(
        self, batch: Batch, policy: Distribution, next_policy: Distribution, alpha: Tensor
    ) -> dict[str, Tensor]:
        """Minimise L(Q) = sum_i mean (Q_i(s, a) - y)^2 + weight mean (logsumexp_b Q_i(s, b) - Q_i(s, a))."""
        settings = self.hyperparameters
        with torch.no_grad():
            target = self.target_q(batch, next_policy, alpha)
            others, log_density = self.proposals(policy, next_policy)
        q = self.q(self.critics, batch.state, torch.cat([batch.action.unsqueeze(1), others], dim=1))
        data_q, other_q = q[:, 0], q[:, 1:]
        error = (data_q - target.unsqueeze(-1)).square().sum(-1)
        difference = torch.logsumexp(other_q - log_density.unsqueeze(-1), dim=1) - data_q
        if settings.smallest_difference is not None:
            difference = difference.clamp(min=settings.smallest_difference)
        gap = difference.mean(1)
        weight, metrics = self.update_multiplier(gap.detach())
        loss = error.mean(1) + weight * settings.conservative_weight * gap.sum(-1)
        self.minimize("critics", loss, learning_rate=settings.critic_learning_rate)
        q1, q2 = data_q.detach().mean(1).unbind(-1)
        return metrics | {"q1": q1, "q2": q2, "critic_loss": error.mean(1), "conservative": gap.mean(-1)}

    def target_q(self, batch: Batch, next_policy: Distribution, alpha: Tensor) -> Tensor:
        """Return y = r + discount min_i Q'_i(s', a'), a' ~ pi(s'), or the best of several a', [M, n]."""
        settings = self.hyperparameters
        count = settings.sampled_actions if settings.max_target_backup else 1
        action, log_density = self.sample_actions("target action", next_policy, count)
        next_q, best = self.q(self.target.critics, batch.next_state, action).amin(-1).max(dim=1, keepdim=True)
        if settings.backup_entropy:
            next_q = next_q - alpha.unsqueeze(1) * log_density.gather(1, best)
        return batch.reward + settings.discount * batch.not_terminal * next_q.squeeze(1)

    def proposals(self, policy: Distribution, next_policy: Distribution) -> tuple[Tensor, Tensor]:
        """Draw actions [M, 3 k, n, A], uniform, from pi(s') and from pi(s), with log-density [M, 3 k, n]."""
        count = self.hyperparameters.sampled_actions
        uniform = 2 * self.uniform("random actions", count, *policy.mean.shape[1:]) - 1
        later, later_density = self.sample_actions("next actions", next_policy, count)
        current, current_density = self.sample_actions("current actions", policy, count)
        uniform_density = torch.full_like(later_density, -uniform.shape[-1] * math.log(2))
        actions = torch.cat([self.max_action * uniform, later, current], dim=1)
        return actions, torch.cat([uniform_density, later_density, current_density], dim=1)

    def update_multiplier(self, gap: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Minimise L(w) = -w mean_i (gap_i - target) and return w, [M]; it is 1 without a target."""
        settings = self.hyperparameters
        if settings.target_action_gap is None:
            return torch.ones_like(gap[:, 0]), {}
        multiplier = self.log_multiplier().exp().clamp(max=LARGEST_MULTIPLIER)
        excess = settings.conservative_weight * (gap - settings.target_action_gap)
        loss = -multiplier * excess.mean(-1)
        self.minimize("log_multiplier", loss, learning_rate=settings.critic_learning_rate)
        return multiplier.detach(), {"multiplier": multiplier}

    def sample_actions(self, name: str, policy: Distribution, count: int) -> tuple[Tensor, Tensor]:
        """Draw k actions in each state, [M, k, n, A], and return them with their log-density [M, k, n]."""
        mean, log_std = (each.unsqueeze(1) for each in policy)
        noise = self.normal(name, count, *policy.mean.shape[1:])
        action, log_density = tanh_gaussian_sample(mean, log_std, noise)
        return self.max_action * action, log_density

    def q(self, critics: SeedModules, state: Tensor, action: Tensor) -> Tensor:
        """Return Q_i of k actions [M, k, n, A] in each state [M, n, S]: [M, k, n, 2]."""
        count = action.shape[1]
        pairs = torch.cat([state.unsqueeze(1).expand(-1, count, -1, -1), action], dim=-1)
        q: Tensor = critics(pairs)
        return q
