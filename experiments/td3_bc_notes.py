"""The update of the Pendulum notes that this project started from, which differs from the TD3+BC paper's.

The algorithm of an experiment can be a class like this one, in a file next to the experiment:
`pendulum-notes.yaml` names it `td3_bc_notes:TD3BCNotes`. What differs from TD3+BC (arXiv 2106.06860):

- lambda is alpha / mean |Q_1(s, a)| at the data's actions, as the critics had it before their update;
- the critics see the action divided by its range;
- the target noise and its clip are in units of the action;
- a batch is drawn without replacement.

The notes also count time limits as terminals: `data.time_limits: terminal` in the experiment.

Held against the class in the notes, with the same weights, batches and noise in double precision, no weight
differs by more than 1.8e-14 after 200 steps.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.algorithms import AutogradLearner, Batch
from harness.algorithms.hyperparameters.base import StateScale
from harness.algorithms.hyperparameters.td3 import TD3Hyperparameters
from harness.algorithms.modules import DeterministicActor, Ensemble


class NotesHyperparameters(TD3Hyperparameters):
    """The notes' values."""

    algorithm: str = "td3_bc_notes:TD3BCNotes"
    actor_learning_rate: float = Field(1e-4, gt=0)
    """Adam's learning rate for the policy."""
    critic_learning_rate: float = Field(1e-3, gt=0)
    """Adam's learning rate for both critics."""
    target_noise: float = Field(0.1, ge=0)
    """Standard deviation of the noise on target actions, in units of the action."""
    target_noise_clip: float = Field(0.3, ge=0)
    """Largest noise on target actions, in units of the action."""
    gradient_norm_clip: float | None = Field(1.0, gt=0)
    """Largest norm of the gradient of each network; larger gradients are scaled down to it."""
    state_normalization: Literal["standardize", "none"] | StateScale = (1.0, 1.0, 8.0)
    """What states are divided by: cosine and sine of the angle, and the angular velocity."""
    alpha: float = Field(2.5, ge=0)
    """Weight of the Q term in the policy loss: lambda = alpha / mean |Q_1|."""


class TD3BCNotes(AutogradLearner[NotesHyperparameters]):
    """TD3+BC as the notes have it."""

    targets = ("actor", "critics")
    replacement = False

    def networks(self, observation_size: int, action_size: int) -> dict[str, nn.Module]:
        """Build the policy and two critics."""
        hidden = self.hyperparameters.hidden_sizes
        return {
            "actor": DeterministicActor(observation_size, *hidden, action_size, max_action=self.max_action),
            "critics": Ensemble(2, observation_size + action_size, *hidden, 1),
        }

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Update the critics; every `policy_freq` steps the policy and the target networks as well."""
        settings = self.hyperparameters
        q = self.critics(self.critic_inputs(batch.state, batch.action))
        critic_loss = (q - self.target_value(batch).unsqueeze(-1)).square().sum(-1)
        self.minimize("critics", critic_loss, learning_rate=settings.critic_learning_rate)
        q1, q2 = q.detach().unbind(-1)
        weight = settings.alpha / q1.abs().mean(1)
        metrics = {"q1": q1.mean(1), "q2": q2.mean(1), "lambda": weight, "critic_loss": critic_loss.mean(1)}
        if self.every(settings.policy_freq):
            action = self.actor(batch.state)
            q1 = self.critics[0](self.critic_inputs(batch.state, action))
            actor_loss = -weight * q1.mean(1) + (action - batch.action).square().mean((1, 2))
            self.minimize("actor", actor_loss, learning_rate=settings.actor_learning_rate)
            self.polyak("critics", settings.tau)
            self.polyak("actor", settings.tau)
            metrics["actor_loss"] = actor_loss
        return metrics

    @torch.no_grad()
    def target_value(self, batch: Batch) -> Tensor:
        """Return y = r + discount min_i Q'_i(s', pi'(s') + clipped noise), [M, n]."""
        settings, limit = self.hyperparameters, self.max_action
        noise = self.normal("target action", *batch.action.shape[1:]) * settings.target_noise
        noise = noise.clamp(-settings.target_noise_clip, settings.target_noise_clip)
        next_action = (self.target.actor(batch.next_state) + noise).clamp(-limit, limit)
        next_q = self.target.critics(self.critic_inputs(batch.next_state, next_action)).amin(-1)
        value: Tensor = batch.reward + settings.discount * batch.not_terminal * next_q
        return value

    def critic_inputs(self, state: Tensor, action: Tensor) -> Tensor:
        """Return states, scaled by `state_normalization`, with actions within [-1, 1]: [M, n, S + A]."""
        return torch.cat([state, action / self.max_action], dim=-1)
