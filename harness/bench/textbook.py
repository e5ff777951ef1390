"""TD3, TD3+BC and BC as a textbook writes them in PyTorch: what `harness bench` compares with.

Separate modules, numpy arrays from which each step copies a batch into tensors, a default Adam for the actor
and one for the critics, a loop over the parameters for the targets.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

Array = NDArray[np.float32]


class Actor(nn.Module):
    def __init__(self, states: int, actions: int, max_action: float, hidden: int = 256) -> None:
        super().__init__()
        self.layer_1 = nn.Linear(states, hidden)
        self.layer_2 = nn.Linear(hidden, hidden)
        self.layer_3 = nn.Linear(hidden, actions)
        self.max_action = max_action

    def forward(self, state: Tensor) -> Tensor:
        hidden = functional.relu(self.layer_1(state))
        hidden = functional.relu(self.layer_2(hidden))
        return self.max_action * torch.tanh(self.layer_3(hidden))


class Critic(nn.Module):
    """Both critics."""

    def __init__(self, states: int, actions: int, hidden: int = 256) -> None:
        super().__init__()
        self.layer_1 = nn.Linear(states + actions, hidden)
        self.layer_2 = nn.Linear(hidden, hidden)
        self.layer_3 = nn.Linear(hidden, 1)
        self.layer_4 = nn.Linear(states + actions, hidden)
        self.layer_5 = nn.Linear(hidden, hidden)
        self.layer_6 = nn.Linear(hidden, 1)

    def first(self, state: Tensor, action: Tensor) -> Tensor:
        hidden = functional.relu(self.layer_1(torch.cat([state, action], 1)))
        hidden = functional.relu(self.layer_2(hidden))
        value: Tensor = self.layer_3(hidden)
        return value

    def forward(self, state: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        hidden = functional.relu(self.layer_4(torch.cat([state, action], 1)))
        hidden = functional.relu(self.layer_5(hidden))
        return self.first(state, action), self.layer_6(hidden)


class ReplayBuffer:
    """Normalised transitions in numpy arrays."""

    def __init__(self, transitions: Array, states: int, actions: int) -> None:
        ends = np.cumsum([states, actions, 1, states])
        self.columns = [np.ascontiguousarray(part) for part in np.split(transitions, ends, axis=1)]
        self.random = np.random.default_rng(0)

    def sample(self, batch_size: int) -> list[Tensor]:
        """state, action, reward, next state, terminal"""
        rows = self.random.integers(len(self.columns[0]), size=batch_size)
        return [torch.FloatTensor(column[rows]) for column in self.columns]


class TextbookTD3:
    """TD3; with `alpha`, TD3+BC."""

    def __init__(
        self, transitions: Array, states: int, actions: int, max_action: float, alpha: float | None = None
    ) -> None:
        self.buffer = ReplayBuffer(transitions, states, actions)
        self.actor = Actor(states, actions, max_action)
        self.target_actor = copy.deepcopy(self.actor)
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=3e-4)
        self.critic = Critic(states, actions)
        self.target_critic = copy.deepcopy(self.critic)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=3e-4)
        self.max_action = max_action
        self.alpha = alpha
        self.step = 0

    def train(self, steps: int) -> None:
        for _ in range(steps):
            self.update()

    def update(self) -> None:
        self.step += 1
        state, action, reward, next_state, terminal = self.buffer.sample(256)
        with torch.no_grad():
            noise = (torch.randn_like(action) * 0.2 * self.max_action).clamp(
                -0.5 * self.max_action, 0.5 * self.max_action
            )
            next_action = (self.target_actor(next_state) + noise).clamp(-self.max_action, self.max_action)
            next_q1, next_q2 = self.target_critic(next_state, next_action)
            target = reward + (1 - terminal) * 0.99 * torch.min(next_q1, next_q2)

        q1, q2 = self.critic(state, action)
        critic_loss = functional.mse_loss(q1, target) + functional.mse_loss(q2, target)
        self.critic_optimizer.zero_grad()
        critic_loss.backward()  # type: ignore[no-untyped-call]
        self.critic_optimizer.step()

        if self.step % 2 == 0:
            policy_action = self.actor(state)
            q = self.critic.first(state, policy_action)
            if self.alpha is None:
                actor_loss = -q.mean()
            else:
                lambda_ = self.alpha / q.abs().mean().detach()
                actor_loss = -lambda_ * q.mean() + functional.mse_loss(policy_action, action)
            self.actor_optimizer.zero_grad()
            actor_loss.backward()  # type: ignore[no-untyped-call]
            self.actor_optimizer.step()
            for network, target_network in (
                (self.critic, self.target_critic),
                (self.actor, self.target_actor),
            ):
                for weight, slow in zip(network.parameters(), target_network.parameters(), strict=True):
                    slow.data.copy_(0.005 * weight.data + 0.995 * slow.data)


class TextbookBC:
    """Behaviour cloning."""

    def __init__(self, transitions: Array, states: int, actions: int, max_action: float) -> None:
        self.buffer = ReplayBuffer(transitions, states, actions)
        self.actor = Actor(states, actions, max_action)
        self.optimizer = torch.optim.Adam(self.actor.parameters(), lr=3e-4)

    def train(self, steps: int) -> None:
        for _ in range(steps):
            state, action, *_ = self.buffer.sample(256)
            loss = functional.mse_loss(self.actor(state), action)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()


def textbook(
    algorithm: str, transitions: Array, states: int, actions: int, max_action: float
) -> TextbookTD3 | TextbookBC:
    """The textbook form of an algorithm at the paper's settings."""
    if algorithm == "bc":
        return TextbookBC(transitions, states, actions, max_action)
    return TextbookTD3(transitions, states, actions, max_action, 2.5 if algorithm == "td3_bc" else None)


def textbook_evaluation(
    environment: gymnasium.Env[Array, Array],
    actor: Actor,
    mean: Array,
    scale: Array,
    seeds: Sequence[int],
) -> tuple[list[float], int]:
    """One episode after the other, one state at a time: the returns, and how many steps they took."""
    returns, steps = [], 0
    for seed in seeds:
        state, _ = environment.reset(seed=seed)
        done, episode_return = False, 0.0
        while not done:
            normalized = (np.array(state).reshape(1, -1) - mean) / scale
            action = actor(torch.FloatTensor(normalized)).cpu().data.numpy().flatten()
            state, reward, terminated, truncated, _ = environment.step(action)
            episode_return += float(reward)
            steps += 1
            done = terminated or truncated
        returns.append(episode_return)
    return returns, steps
