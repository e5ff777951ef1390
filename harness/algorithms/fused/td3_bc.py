"""TD3+BC (arXiv 2106.06860): TD3 with a behaviour cloning term in its policy loss."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.algorithms.fused.td3 import FusedTD3Learner, PolicyLoss
from harness.algorithms.hyperparameters.td3_bc import TD3BCHyperparameters
from harness.algorithms.td3_bc import TD3BC


class FusedTD3BC(FusedTD3Learner[TD3BCHyperparameters]):
    """TD3 with its policy loss replaced; states are normalised when batches are drawn."""

    specification = TD3BC

    def _policy_loss(self, q: Tensor, action: Tensor, data_action: Tensor) -> PolicyLoss:
        """Return the gradients of L = -lambda mean Q_1(s, pi(s)) + mean (pi(s) - a)^2.

        With lambda = alpha / mean |Q_1(s, pi(s))|, treated as a constant:
        dL/dQ_1 = -lambda / n = -alpha / sum |Q_1(s, pi(s))|, the rest of dL/dpi(s) is 2 (pi(s) - a) / (n A).
        """
        settings, count = self.hyperparameters, q.shape[1]
        if settings.normalize_lambda:
            q_gradient = -settings.alpha / torch.linalg.vector_norm(q, 1, dim=(1, 2), keepdim=True)
        else:
            q_gradient = q.new_full((len(q), 1, 1), -settings.alpha / count)
        difference = action - data_action

        def metrics() -> dict[str, Tensor]:
            lambda_ = -count * q_gradient.flatten()
            loss = -lambda_ * q.mean((1, 2))
            if settings.behaviour_cloning:
                loss += difference.square().mean((1, 2))
            return {"lambda": lambda_, "actor_loss": loss}

        action_gradient = difference * (2 / difference[0].numel()) if settings.behaviour_cloning else None
        return PolicyLoss(q_gradient, action_gradient, metrics)
