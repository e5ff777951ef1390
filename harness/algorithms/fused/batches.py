"""Transitions as the networks take them."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.algorithms.fused.buffers import InputBatch, aligned_rows


class Batch:
    """Transitions of M seeds, one after the other for one or several steps, in memory that is kept.

    The states are normalised. A terminal stops the bootstrap; a timeout is no terminal.
    """

    def __init__(
        self, state_action: Tensor, next_state_action: Tensor, others: Tensor, state_size: int
    ) -> None:
        self.state_action = InputBatch(state_action)
        """[M, n, 1 + S + A]"""
        self.state = InputBatch(state_action[..., : 1 + state_size])
        """[M, n, 1 + S]"""
        self.action = state_action[..., 1 + state_size :]
        """[M, n, A]"""
        self.reward = others[..., :1]
        """[M, n, 1]"""
        self.not_terminal = others[..., 1:]
        """[M, n, 1]: 1.0 where the next state's value counts, 0.0 where there is none"""
        self.next_state_action = InputBatch(next_state_action)
        """[M, n, 1 + S + A]"""
        self.next_state = InputBatch(next_state_action[..., : 1 + state_size])
        """[M, n, 1 + S]"""
        self.next_action = next_state_action[..., 1 + state_size :]
        """[M, n, A]: room for what a policy does in the next states; the data holds no such thing."""
        self._others = others
        self._state_size = state_size
        self._parts: dict[tuple[int, int], Batch] = {}

    @staticmethod
    def allocate(seeds: int, size: int, state_size: int, action_size: int, device: torch.device) -> Batch:
        """For so many transitions of each seed."""
        inputs = aligned_rows(2, seeds, size, 1 + state_size + action_size, device=device)
        others = torch.ones(seeds, size, 2, device=device)
        return Batch(inputs[0], inputs[1], others, state_size)

    def fill(self, rows: Tensor) -> None:
        """Take over rows [M, n, 2 S + A + 2] of (state, action, reward, next state, not terminal).

        They may end after the action: what else there is of these transitions is then undefined.
        """
        state_action_size = self.state_action.tensor.shape[2] - 1
        self.state_action.tensor[..., 1:].copy_(rows[..., :state_action_size])
        if rows.shape[2] == state_action_size:
            return
        rest = rows[..., state_action_size:]
        reward, next_state, not_terminal = torch.split_with_sizes(rest, (1, self._state_size, 1), dim=2)
        self.next_state.tensor[..., 1:].copy_(next_state)
        self.reward.copy_(reward)
        self.not_terminal.copy_(not_terminal)

    def part(self, first: int, size: int) -> Batch:
        """`size` transitions of every seed, from `first` on: the same views whenever they are asked for."""
        if (first, size) not in self._parts:
            self._parts[first, size] = Batch(
                self.state_action.tensor.narrow(1, first, size),
                self.next_state_action.tensor.narrow(1, first, size),
                self._others.narrow(1, first, size),
                self._state_size,
            )
        return self._parts[first, size]
