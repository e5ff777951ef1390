"""Behaviour cloning: only the second term of the policy loss of TD3+BC."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.algorithms.bc import BC
from harness.algorithms.fused.batches import Batch
from harness.algorithms.fused.learner import FusedLearner, LazyMetrics
from harness.algorithms.fused.optimizer import Adam
from harness.algorithms.hyperparameters.bc import BCHyperparameters


class FusedBC(FusedLearner[BCHyperparameters]):
    """Behaviour cloning of M seeds side by side; tensors are [M, n, ...] as in TD3."""

    specification = BC
    fields = BC.fields

    def _build_networks(self) -> None:
        settings = self.hyperparameters
        sizes = (self._observation_size, *settings.hidden_sizes, self._action_size)
        self._actor = self._new_networks(1, sizes, self.max_action)
        self._optimizer = Adam(
            self._actor, len(self._seeds), settings.actor_learning_rate, settings.gradient_norm_clip
        )
        self._mse_gradient_scale = torch.tensor(
            2 / (self._batch_size * self._action_size), device=self.device
        )
        self._networks = {"actor": self._actor}
        self._optimizers = {"actor": self._optimizer}

    def _update(self, updates_policy: tuple[bool, ...], batches: Batch, *_: Tensor) -> LazyMetrics:
        for index in range(len(updates_policy)):
            latest = self._update_policy(batches.part(index * self._batch_size, self._batch_size))
        return latest

    def _update_policy(self, batch: Batch) -> LazyMetrics:
        """Minimise L = mean (pi(s) - a)^2;  dL/dpi(s) = 2 (pi(s) - a) / (n A)."""
        policy_action = self._actor.forward_backward(
            batch.state, batch.action, lambda pi, a: (pi - a).mul_(self._mse_gradient_scale)
        )
        self._optimizer.update()
        return {"policy": lambda: {"actor_loss": (policy_action - batch.action).square().mean((1, 2))}}
