"""ReBRAC (arXiv 2305.09836): TD3+BC with separate penalties of policy and critics, and LayerNorm critics."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.algorithms.data import Batch
from harness.algorithms.hyperparameters.rebrac import ReBRACHyperparameters
from harness.algorithms.modules import DeterministicActor, Ensemble, MLPOptions
from harness.algorithms.td3 import TD3Learner


class ReBRAC(TD3Learner[ReBRACHyperparameters]):
    """TD3 whose policy and target actions are both penalised for their distance from the data."""

    fields = (*TD3Learner.fields, "next_action")

    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        """Build the policy and two critics, initialised as in EDAC (arXiv 2110.01548)."""
        settings = self.hyperparameters
        hidden = settings.hidden_sizes
        actor_layers = _layers(settings.actor_layer_norm, output_limit=1e-3)
        critic_layers = _layers(settings.critic_layer_norm, output_limit=3e-3)
        return {
            "actor": DeterministicActor(
                observation_size, *hidden, action_size, max_action=self.max_action, **actor_layers
            ),
            "critics": Ensemble(2, observation_size + action_size, *hidden, 1, **critic_layers),
        }

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Update the critics; every `policy_freq` steps the policy and the target networks as well.

        The target policy follows the policy as it was before its update, as in the authors' code.
        """
        metrics = self.update_critics(batch)
        if self.every(self.hyperparameters.policy_freq):
            self.polyak("actor", self.hyperparameters.tau)
            self.polyak("critics", self.hyperparameters.tau)
            metrics |= self.update_actor(batch)
        return metrics

    def next_q(self, batch: Batch) -> Tensor:
        """Return min_i Q'_i(s', a') - beta_2 |a' - next action|^2, [M, n]; a' = pi'(s') + clipped noise."""
        action = self.target_action(batch)
        q = self.target.critics(torch.cat([batch.next_state, action], dim=-1)).amin(-1)
        distance = (action - batch.next_action).square().sum(-1)
        penalised: Tensor = q - self.hyperparameters.critic_penalty * distance
        return penalised

    def update_actor(self, batch: Batch) -> dict[str, Tensor]:
        """Minimise L(pi) = mean (beta_1 |pi(s) - a|^2 - lambda min_i Q_i(s, pi(s))).

        Here lambda = 1 / mean |min_i Q_i| is treated as a constant.
        """
        settings = self.hyperparameters
        action = self.actor(batch.state)
        q = self.critics(torch.cat([batch.state, action], dim=-1)).amin(-1)
        scale = q.detach().abs().mean(1)
        weight = 1 / scale if settings.normalize_lambda else torch.ones_like(scale)
        distance = (action - batch.action).square().sum(-1)
        loss = settings.actor_penalty * distance.mean(1) - weight * q.mean(1)
        self.minimize("actor", loss, learning_rate=settings.actor_learning_rate)
        return {"actor_loss": loss, "lambda": weight}


def _layers(layer_norm: bool, output_limit: float) -> MLPOptions:
    """Return options with hidden biases of 0.1, and flax's LayerNorm, which adds 1e-6 to the variance."""
    return {
        "hidden_bias": 0.1,
        "layer_norm": "after" if layer_norm else None,
        "layer_norm_epsilon": 1e-6,
        "output_limit": output_limit,
    }
