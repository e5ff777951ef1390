"""Behaviour cloning: the policy loss of TD3+BC with its second term alone."""

from __future__ import annotations

from torch import Tensor

from harness.algorithms.hyperparameters import BCHyperparameters
from harness.algorithms.learner import Batch, Learner
from harness.algorithms.optimizer import Adam


class BC(Learner[BCHyperparameters]):
    """Behaviour cloning of M seeds side by side; tensors are [M, n, ...] as in TD3."""

    def _build(self) -> None:
        settings = self.hyperparameters
        sizes = (self._observation_size, *settings.hidden_sizes, self._action_size)
        self._actor = self._new_networks(["actor"], sizes, self.max_action)
        self._optimizer = Adam(
            self._actor, len(self._seeds), settings.actor_learning_rate, settings.gradient_norm_clip
        )
        self._networks = {"actor": self._actor}
        self._optimizers = {"actor": self._optimizer}

    def _updates(self, network: str, step: int) -> int:
        return step

    def _update(self, step: int, batches: Batch) -> None:
        for first in range(0, batches.rows.shape[1], self._batch_size):
            self._update_policy(batches.part(first, self._batch_size))

    def _update_policy(self, batch: Batch) -> None:
        """L = mean (pi(s) - a)^2;  dL/dpi(s) = 2 (pi(s) - a) / (n A)"""
        share = 2 / (self._batch_size * self._action_size)
        policy_action = self._actor.fit(batch.state, batch.action, lambda pi, a: (pi - a).mul_(share))
        self._optimizer.update()
        self._latest |= {"policy_action": policy_action, "action": batch.action}

    def _latest_metrics(self) -> dict[str, Tensor]:
        if not self._latest:
            return {}
        difference = self._latest["policy_action"] - self._latest["action"]
        return {"actor_loss": difference.square().mean((1, 2))}
