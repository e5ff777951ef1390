"""TD3+BC (arXiv 2106.06860): TD3 with a behaviour cloning term in its policy loss."""

from __future__ import annotations

from torch import Tensor

from harness.algorithms.hyperparameters import TD3BCHyperparameters
from harness.algorithms.td3 import TD3Learner


class TD3BC(TD3Learner[TD3BCHyperparameters]):
    """TD3 with its policy loss replaced; the states are normalised where they are sampled."""

    def _policy_loss(self, q: Tensor, action: Tensor, data_action: Tensor) -> tuple[Tensor, Tensor | None]:
        """L = -lambda mean Q_1(s, pi(s)) + mean (pi(s) - a)^2

        with lambda = alpha / mean |Q_1(s, pi(s))|, taken for a constant;
        dL/dQ_1 = -lambda / n, and the rest of dL/dpi(s) is 2 (pi(s) - a) / (n A).
        """
        settings = self.hyperparameters
        lambda_ = q.new_full((len(q), 1, 1), settings.alpha)
        if settings.normalize_lambda:
            lambda_ /= q.abs().mean((1, 2), keepdim=True)
        loss = -lambda_ * q.mean((1, 2), keepdim=True)
        by_action = None
        if settings.behaviour_cloning:
            difference = action - data_action
            loss = loss + difference.square().mean((1, 2), keepdim=True)
            by_action = difference * (2 / difference[0].numel())
        self._latest |= {"lambda": lambda_.flatten(), "actor_loss": loss.flatten()}
        return -lambda_ / q.shape[1], by_action
