"""Batches of transitions in the layout that fused networks take."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.algorithms.fused.buffers import InputBatch, aligned_rows


class Batch:
    """Transitions of M seeds for one or several consecutive steps, in memory that is reused.

    The states are normalised. A terminal stops the bootstrap; a timeout is not a terminal.
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
        """[M, n, A]: space for a policy's actions in the next states, which are not part of the data."""
        self._others = others
        self._state_size = state_size
        self._parts: dict[tuple[int, int], Batch] = {}

    @staticmethod
    def allocate(seeds: int, size: int, state_size: int, action_size: int, device: torch.device) -> Batch:
        """Allocate a batch of `size` transitions of each seed."""
        inputs = aligned_rows(2, seeds, size, 1 + state_size + action_size, device=device)
        others = torch.ones(seeds, size, 2, device=device)
        return Batch(inputs[0], inputs[1], others, state_size)

    def fill(self, rows: Tensor) -> None:
        """Copy rows [M, n, 2 S + A + 2] of (state, action, reward, next state, not terminal) into the batch.

        Rows may end after the action; the remaining parts of these transitions are then undefined.
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
        """Return views of `size` transitions of every seed, starting at `first`; the views are cached."""
        if (first, size) not in self._parts:
            self._parts[first, size] = Batch(
                self.state_action.tensor.narrow(1, first, size),
                self.next_state_action.tensor.narrow(1, first, size),
                self._others.narrow(1, first, size),
                self._state_size,
            )
        return self._parts[first, size]
