"""TD3 (arXiv 1802.09477): twin critics, smoothed target actions, delayed policy updates."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor

from harness.algorithms.hyperparameters import TD3Hyperparameters
from harness.algorithms.learner import Batch, Learner
from harness.algorithms.networks import MLPs
from harness.algorithms.optimizer import Adam
from harness.algorithms.streams import CHUNK, Stream

MOST_STEPS_AT_ONCE = 8

AnyTD3Hyperparameters = TypeVar("AnyTD3Hyperparameters", bound=TD3Hyperparameters)


class TD3Learner(Learner[AnyTD3Hyperparameters]):
    """TD3 on M seeds side by side.

    Tensors are [M, n, ...]: seed, transition of the batch, component; those of the critics are [2 M, n, ...],
    the first critics of all seeds before the second ones. Derivatives are by hand: each loss comes with its
    derivative by the outputs of the network that it trains, and the network does the rest.
    """

    def _build(self) -> None:
        settings, seed_count = self.hyperparameters, len(self._seeds)
        states, actions, hidden = self._observation_size, self._action_size, settings.hidden_sizes
        self._actor = MLPs.initial((states, *hidden, actions), self._generators("actor"), self.max_action)
        self._critics = MLPs.initial(
            (states + actions, *hidden, 1), self._generators("critic 1") + self._generators("critic 2")
        )
        self._actor, self._critics = self._actor.to(self.device), self._critics.to(self.device)
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

    def _updates(self, network: str, step: int) -> int:
        return step if network == "critics" else step // self.hyperparameters.policy_freq

    def _steps_at_once(self, step: int) -> int:
        """The target networks stay as they are until the policy moves: their work can be done in one."""
        policy_freq = self.hyperparameters.policy_freq
        return min(policy_freq - step % policy_freq, MOST_STEPS_AT_ONCE)

    def _update(self, step: int, batches: Batch) -> None:
        count = batches.rows.shape[1] // self._batch_size
        targets = self._targets(batches, self._noise.steps(step, count))
        for batch, target in zip(batches.split(count), targets.chunk(count, dim=1), strict=True):
            self._update_critics(batch, target)
            step += 1
            if step % self.hyperparameters.policy_freq == 0:
                self._update_policy(batch)
                self._update_targets()

    def _targets(self, batch: Batch, noise: Tensor) -> Tensor:
        """y = r + discount (1 - terminal) min_i Q'_i(s', pi'(s') + clipped noise), [M, n, 1]"""
        next_action = self._target_actor(batch.next_state).add_(noise)
        next_action.clamp_(-self.max_action, self.max_action)
        next_q = self._target_critics(_twice(torch.cat([batch.next_state, next_action], dim=2)))
        lower_q = torch.minimum(*next_q.chunk(2))
        return batch.reward + self.hyperparameters.discount * (1 - batch.terminal) * lower_q

    def _update_critics(self, batch: Batch, target: Tensor) -> None:
        """L = mean (Q_1(s, a) - y)^2 + mean (Q_2(s, a) - y)^2;  dL/dQ_i = 2 (Q_i(s, a) - y) / n"""
        activations = self._critics.forward(_twice(batch.state_action))
        q = activations[-1]
        error = q - _twice(target)
        self._critics.backward(activations, error * (2 / self._batch_size))
        self._critic_optimizer.update()
        self._latest |= {"q": q, "error": error}

    def _update_policy(self, batch: Batch) -> None:
        """Down the policy loss, whose derivative reaches the policy's weights through a = pi(s) alone."""
        activations = self._actor.forward(batch.state)
        action = activations[-1]
        critic_activations = self._critic_1.forward(torch.cat([batch.state, action], dim=2))
        q = critic_activations[-1]
        by_q, by_action = self._policy_loss(q, action, batch.action)
        action_columns = slice(self._observation_size, None)
        through_q = self._critic_1.input_gradient(critic_activations, by_q.expand_as(q), action_columns)
        self._actor.backward(activations, through_q if by_action is None else through_q.add_(by_action))
        self._actor_optimizer.update()

    def _policy_loss(self, q: Tensor, action: Tensor, data_action: Tensor) -> tuple[Tensor, Tensor | None]:
        """L = -mean Q_1(s, pi(s));  dL/dQ_1 = -1 / n

        Args:
            q: Q_1(s, pi(s)), [M, n, 1]
            action: pi(s), [M, n, A]
            data_action: the action a in the data, [M, n, A]

        Returns:
            dL/dQ_1, which expands to [M, n, 1], and the rest of dL/dpi(s), [M, n, A], where there is one.
        """
        self._latest["actor_loss"] = -q.mean((1, 2))
        return q.new_full((), -1 / q.shape[1]), None

    def _update_targets(self) -> None:
        """w' = tau w + (1 - tau) w'"""
        self._target_actor.parameters.lerp_(self._actor.parameters, self.hyperparameters.tau)
        self._target_critics.parameters.lerp_(self._critics.parameters, self.hyperparameters.tau)

    def _latest_metrics(self) -> dict[str, Tensor]:
        latest = dict(self._latest)
        if not latest:
            return {}
        latest["q1"], latest["q2"] = latest.pop("q").mean((1, 2)).chunk(2)
        latest["critic_loss"] = latest.pop("error").square().mean((1, 2)).view(2, -1).sum(0)
        return latest

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


def _twice(tensor: Tensor) -> Tensor:
    """The same for both critics: [M, ...] to [2 M, ...]"""
    return tensor.expand(2, *tensor.shape).flatten(0, 1)
