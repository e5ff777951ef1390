"""TD3 (arXiv 1802.09477): twin critics, smoothed target actions, delayed policy updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from harness.algorithms.hyperparameters import TD3Hyperparameters
from harness.algorithms.learner import Batch, Learner
from harness.algorithms.optimizer import Adam
from harness.algorithms.streams import CHUNK, Stream

AnyTD3Hyperparameters = TypeVar("AnyTD3Hyperparameters", bound=TD3Hyperparameters)


class PolicyLoss(NamedTuple):
    """A loss L of Q_1(s, pi(s)), [M, n, 1], and pi(s), [M, n, A], as its derivatives."""

    by_q: Tensor
    """dL/dQ_1, [M, 1, 1] or [M, n, 1]"""
    by_action: Tensor | None
    """What is in dL/dpi(s) besides what comes through Q_1, [M, n, A]."""
    metrics: Callable[[], dict[str, Tensor]]
    """L and what else is to be recorded, [M] each; worked out only when it is asked for."""


class TD3Learner(Learner[AnyTD3Hyperparameters]):
    """TD3 on M seeds side by side.

    Tensors are [M, n, ...]: seed, transition of the batch, component; those of the critics are [2 M, n, ...],
    the first critics of all seeds before the second ones. Derivatives are by hand: each loss comes with its
    derivative by the outputs of the network that it trains, and the network does the rest.
    """

    def _build(self) -> None:
        settings, seed_count = self.hyperparameters, len(self._seeds)
        states, actions, hidden = self._observation_size, self._action_size, settings.hidden_sizes
        self._actor = self._new_networks(["actor"], (states, *hidden, actions), self.max_action)
        self._critics = self._new_networks(["critic 1", "critic 2"], (states + actions, *hidden, 1))
        self._critic_1 = self._critics.first(seed_count)
        self._target_actor, self._target_critics = self._actor.copy(), self._critics.copy()
        clip = settings.gradient_norm_clip
        self._actor_optimizer = Adam(self._actor, seed_count, settings.actor_learning_rate, clip)
        self._critic_optimizer = Adam(self._critics, seed_count, settings.critic_learning_rate, clip)
        self._noise = Stream("target noise", self._seeds, self.device, self._draw_noise)
        self._networks = {
            "actor": self._actor,
            "critics": self._critics,
            "target_actor": self._target_actor,
            "target_critics": self._target_critics,
        }
        self._optimizers = {"actor": self._actor_optimizer, "critics": self._critic_optimizer}
        self._latest_policy_loss: PolicyLoss | None = None

    def _updates(self, network: str, step: int) -> int:
        return step if network == "critics" else step // self.hyperparameters.policy_freq

    def _update(self, step: int, batches: Batch) -> None:
        """The target networks stay as they are until the policy moves: their work till then is one."""
        size, policy_freq = self._batch_size, self.hyperparameters.policy_freq
        count = batches.rows.shape[1] // size
        noise = self._noise.steps(step, count)
        done = 0
        while done < count:
            ahead = min(policy_freq - (step + done) % policy_freq, count - done)
            rows = slice(done * size, (done + ahead) * size)
            targets = self._targets(batches.part(rows.start, ahead * size), noise[:, rows])
            for index in range(ahead):
                batch = batches.part((done + index) * size, size)
                self._update_critics(batch, targets[:, index * size : (index + 1) * size])
            done += ahead
            if (step + done) % policy_freq == 0:
                self._update_policy(batch)
                self._update_targets()

    def _targets(self, batch: Batch, noise: Tensor) -> Tensor:
        """y = r + discount (1 - terminal) min_i Q'_i(s', pi'(s') + clipped noise), [M, n, 1]"""
        next_action = self._target_actor(batch.next_state).add_(noise)
        next_action.clamp_(-self.max_action, self.max_action)
        next_q = self._target_critics(torch.cat([batch.next_state, next_action], dim=2))
        lower_q = torch.minimum(*next_q.chunk(2))
        return torch.addcmul(batch.reward, 1 - batch.terminal, lower_q, value=self.hyperparameters.discount)

    def _update_critics(self, batch: Batch, target: Tensor) -> None:
        """L = mean (Q_1(s, a) - y)^2 + mean (Q_2(s, a) - y)^2;  dL/dQ_i = 2 (Q_i(s, a) - y) / n"""
        share = 2 / self._batch_size
        q = self._critics.fit(batch.state_action, target, lambda q, y: (q - y).mul_(share))
        self._critic_optimizer.update()
        self._latest |= {"q": q, "target": target}

    def _update_policy(self, batch: Batch) -> None:
        """Down the policy loss, whose derivative reaches the policy's weights through a = pi(s) alone."""
        activations = self._actor.forward(batch.state)
        action = activations.outputs
        critic_activations = self._critic_1.forward(torch.cat([batch.state, action], dim=2))
        q = critic_activations.outputs
        loss = self._policy_loss(q, action, batch.action)
        by_action = self._critic_1.input_gradient(
            critic_activations, loss.by_q.expand_as(q), columns=slice(self._observation_size, None)
        )
        if loss.by_action is not None:
            by_action.add_(loss.by_action)
        self._actor.backward(activations, by_action)
        self._actor_optimizer.update()
        self._latest_policy_loss = loss

    def _policy_loss(self, q: Tensor, action: Tensor, data_action: Tensor) -> PolicyLoss:
        """L = -mean Q_1(s, pi(s));  dL/dQ_1 = -1 / n"""
        return PolicyLoss(
            by_q=q.new_full((1, 1, 1), -1 / q.shape[1]),
            by_action=None,
            metrics=lambda: {"actor_loss": -q.mean((1, 2))},
        )

    def _update_targets(self) -> None:
        """w' = tau w + (1 - tau) w'"""
        self._target_actor.parameters.lerp_(self._actor.parameters, self.hyperparameters.tau)
        self._target_critics.parameters.lerp_(self._critics.parameters, self.hyperparameters.tau)

    def _latest_metrics(self) -> dict[str, Tensor]:
        metrics: dict[str, Tensor] = {}
        if self._latest:
            q, target = self._latest["q"].view(2, *self._latest["target"].shape), self._latest["target"]
            metrics["q1"], metrics["q2"] = q.mean((2, 3))
            metrics["critic_loss"] = (q - target).square().mean((2, 3)).sum(0)
        if self._latest_policy_loss is not None:
            metrics |= self._latest_policy_loss.metrics()
        return metrics

    def _draw_noise(self, _: int, generator: torch.Generator) -> Tensor:
        """Clipped normal noise in the units of the action, [CHUNK * batch size, A]."""
        settings = self.hyperparameters
        noise = torch.randn(
            CHUNK * self._batch_size, self._action_size, generator=generator, device=self.device
        )
        clip = settings.target_noise_clip * self.max_action
        return noise.mul_(settings.target_noise * self.max_action).clamp_(-clip, clip)


class TD3(TD3Learner[TD3Hyperparameters]):
    """TD3 as it stands."""
