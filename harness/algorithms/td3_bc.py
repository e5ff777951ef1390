"""TD3+BC (arXiv 2106.06860): TD3 with a behaviour cloning term in its policy loss.

`implementation: auto` trains the equal learner of `fused/td3_bc.py` instead.
"""

from __future__ import annotations

from torch import Tensor

from harness.algorithms.data import Batch
from harness.algorithms.hyperparameters.td3_bc import TD3BCHyperparameters
from harness.algorithms.td3 import TD3Learner


class TD3BC(TD3Learner[TD3BCHyperparameters]):
    """TD3 with its policy loss replaced; states are normalised when batches are drawn."""

    def actor_loss(self, q1: Tensor, action: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return L(pi) = -lambda mean Q_1(s, pi(s)) + mean (pi(s) - a)^2, [M], and lambda.

        Here lambda = alpha / mean |Q_1(s, pi(s))| is treated as a constant.
        """
        settings = self.hyperparameters
        scale = q1.detach().abs().mean(1)
        weight = settings.alpha / scale if settings.normalize_lambda else scale.new_full((), settings.alpha)
        loss = -weight * q1.mean(1)
        if settings.behaviour_cloning:
            loss = loss + (action - batch.action).square().mean((1, 2))
        return loss, {"lambda": weight.expand_as(loss)}
