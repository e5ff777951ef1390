"""TD3 (arXiv 1802.09477): twin critics, smoothed target actions, delayed policy updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from harness.algorithms.fused.batches import Batch
from harness.algorithms.fused.buffers import InputBatch, aligned_rows
from harness.algorithms.fused.learner import FusedLearner, LazyMetrics
from harness.algorithms.fused.optimizer import Adam
from harness.algorithms.hyperparameters.td3 import TD3Hyperparameters
from harness.algorithms.streams import CHUNK, Stream
from harness.algorithms.td3 import TD3

AnyTD3Hyperparameters = TypeVar("AnyTD3Hyperparameters", bound=TD3Hyperparameters)


class PolicyLoss(NamedTuple):
    """The derivatives of a loss L of Q_1(s, pi(s)), [M, n, 1], and pi(s), [M, n, A]."""

    q_gradient: Tensor
    """dL/dQ_1, [M, 1, 1] or [M, n, 1]"""
    action_gradient: Tensor | None
    """The part of dL/dpi(s) that does not come through Q_1, [M, n, A]."""
    metrics: Callable[[], dict[str, Tensor]]
    """Computes L and further metrics, [M] each; called only when they are needed."""


class FusedTD3Learner(FusedLearner[AnyTD3Hyperparameters]):
    """TD3 on M seeds side by side.

    Tensors are [M, n, ...]: seed, transition of the batch, component; those of the critics are [2 M, n, ...],
    the first critics of all seeds before the second ones. Derivatives are hand-written: each loss comes with
    its gradient with respect to the outputs of the network that it trains, and the network does the rest.
    """

    def _build_networks(self) -> None:
        settings, seed_count = self.hyperparameters, len(self._seeds)
        states, actions, hidden = self._observation_size, self._action_size, settings.hidden_sizes
        self._actor = self._new_networks(1, (states, *hidden, actions), self.max_action)
        self._critics = self._new_networks(2, (states + actions, *hidden, 1))
        self._critic_1 = self._critics.view_of_first(seed_count)
        self._target_actor, self._target_critics = self._actor.copy(), self._critics.copy()
        clip = settings.gradient_norm_clip
        self._actor_optimizer = Adam(self._actor, seed_count, settings.actor_learning_rate, clip)
        self._critic_optimizer = Adam(self._critics, seed_count, settings.critic_learning_rate, clip)
        self._mse_gradient_scale = torch.tensor(2 / settings.batch_size, device=self.device)
        room = aligned_rows(seed_count, settings.batch_size, 1 + states + actions, device=self.device)
        self._state_policy_action = InputBatch(room)
        self._streams.append(Stream("noise target action", self._seeds, self.device, self._draw_noise))
        self._networks = {
            "actor": self._actor,
            "critics": self._critics,
            "target.actor": self._target_actor,
            "target.critics": self._target_critics,
        }
        self._optimizers = {"actor": self._actor_optimizer, "critics": self._critic_optimizer}

    @property
    def _policy_freq(self) -> int:
        return self.hyperparameters.policy_freq

    def _update(self, updates_policy: tuple[bool, ...], batches: Batch, *draws: Tensor) -> LazyMetrics:
        (noise,) = draws
        latest: LazyMetrics = {}
        first = 0
        for last, updates_policy_now in enumerate(updates_policy, start=1):
            if updates_policy_now or last == len(updates_policy):
                latest |= self._update_critics_between(batches, noise, first, last)
                first = last
            if updates_policy_now:
                latest |= self._update_policy(batches.part((last - 1) * self._batch_size, self._batch_size))
                self._update_targets()
        return latest

    def _update_critics_between(self, batches: Batch, noise: Tensor, first: int, last: int) -> LazyMetrics:
        """Take the critics' steps `first` to `last`; constant target networks compute all of them at once."""
        size = self._batch_size
        start, count = first * size, (last - first) * size
        targets = self._targets(batches.part(start, count), noise.narrow(1, start, count))
        for done in range(0, count, size):
            batch, target = batches.part(start + done, size), targets.narrow(1, done, size)
            latest = self._update_critics(batch, target)
        return latest

    def _targets(self, batch: Batch, noise: Tensor) -> Tensor:
        """Return y = r + discount (1 - terminal) min_i Q'_i(s', pi'(s') + clipped noise), [M, n, 1]."""
        next_action = self._target_actor(batch.next_state).add_(noise)
        torch.clamp(next_action, -self.max_action, self.max_action, out=batch.next_action)
        lower_q = torch.minimum(*self._target_critics(batch.next_state_action).chunk(2))
        return torch.addcmul(batch.reward, batch.not_terminal, lower_q, value=self.hyperparameters.discount)

    def _update_critics(self, batch: Batch, target: Tensor) -> LazyMetrics:
        """Minimise L = mean (Q_1(s, a) - y)^2 + mean (Q_2(s, a) - y)^2;  dL/dQ_i = 2 (Q_i(s, a) - y) / n."""
        q = self._critics.forward_backward(
            batch.state_action, target, lambda q, y: (q - y).mul_(self._mse_gradient_scale)
        )
        self._critic_optimizer.update()

        def metrics() -> dict[str, Tensor]:
            both = q.view(2, *target.shape)
            q1, q2 = both.mean((2, 3))
            return {"q1": q1, "q2": q2, "critic_loss": (both - target).square().mean((2, 3)).sum(0)}

        return {"critics": metrics}

    def _update_policy(self, batch: Batch) -> LazyMetrics:
        """Take one gradient step on the policy loss; the gradient flows through a = pi(s) only."""
        action = self._actor(batch.state, kept=True)
        room, columns = self._state_policy_action.tensor, 1 + self._observation_size
        room[..., :columns].copy_(batch.state.tensor)
        room[..., columns:].copy_(action)
        q = self._critic_1(self._state_policy_action, kept=True)
        loss = self._policy_loss(q, action, batch.action)
        action_gradient = self._critic_1.input_gradient(
            loss.q_gradient.expand_as(q), columns=slice(self._observation_size, None)
        )
        if loss.action_gradient is not None:
            action_gradient.add_(loss.action_gradient)
        self._actor.backward(batch.state, action_gradient)
        self._actor_optimizer.update()
        return {"policy": loss.metrics}

    def _policy_loss(self, q: Tensor, action: Tensor, data_action: Tensor) -> PolicyLoss:
        """Return the gradients of L = -mean Q_1(s, pi(s));  dL/dQ_1 = -1 / n."""
        return PolicyLoss(
            q_gradient=q.new_full((1, 1, 1), -1 / q.shape[1]),
            action_gradient=None,
            metrics=lambda: {"actor_loss": -q.mean((1, 2))},
        )

    def _update_targets(self) -> None:
        """Move the targets: w' = tau w + (1 - tau) w'."""
        self._target_actor.parameters.lerp_(self._actor.parameters, self.hyperparameters.tau)
        self._target_critics.parameters.lerp_(self._critics.parameters, self.hyperparameters.tau)

    def _draw_noise(self, _: int, generator: torch.Generator) -> Tensor:
        """Draw clipped normal noise in the units of the action, [CHUNK * batch size, A]."""
        settings = self.hyperparameters
        noise = torch.randn(
            CHUNK * self._batch_size, self._action_size, generator=generator, device=self.device
        )
        clip = settings.target_noise_clip * self.max_action
        return noise.mul_(settings.target_noise * self.max_action).clamp_(-clip, clip)


class FusedTD3(FusedTD3Learner[TD3Hyperparameters]):
    """TD3 with hand-written derivatives."""

    specification = TD3
