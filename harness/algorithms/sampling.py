"""Drawing batches: for each seed uniformly with replacement, from a stream of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.algorithms.data import TrainingData, not_terminal_column
from harness.algorithms.streams import CHUNK, Stream

SAMPLED_AT_ONCE = 8
"""Gradient steps whose batches are gathered together; it divides CHUNK."""


class Sampler:
    """Gathers the normalised transitions of the next gradient steps of M seeds.

    Args:
        columns: how many leading columns of the transitions are needed; the others are not even loaded.
    """

    def __init__(
        self, data: TrainingData, seeds: Sequence[int], batch_size: int, columns: int, device: torch.device
    ) -> None:
        self._transitions = data.transitions.to(device)[:, :columns]
        self._rows = data.rows or [range(len(data.transitions))] * len(seeds)
        self._batch_size = batch_size
        self._device = device
        self._gathered = self._transitions.new_empty(
            len(seeds) * SAMPLED_AT_ONCE * batch_size, self._transitions.shape[1]
        )
        terminal = not_terminal_column(data.observation_size, data.action_size)
        self._terminal_column = terminal if terminal < columns else None
        self._mean = _by_column(data, data.state_mean, 0.0)[..., :columns].to(device)
        self._scale = _by_column(data, data.state_scale, 1.0)[..., :columns].to(device)
        self.indices = Stream("batches", seeds, device, self._draw)

    def rows(self, indices: Tensor) -> Tensor:
        """Gather transitions [M, n, columns] at `indices` [M, n]; the next call overwrites them.

        States are normalised, and the terminal flag has become 1 - terminal.
        """
        flat = indices.reshape(-1)
        gathered = torch.index_select(self._transitions, 0, flat, out=self._gathered[: len(flat)])
        rows = gathered.view(*indices.shape, -1).sub_(self._mean).div_(self._scale)
        if self._terminal_column is not None:
            terminal = rows[..., self._terminal_column]
            torch.sub(1, terminal, out=terminal)
        return rows

    def _draw(self, index: int, generator: torch.Generator) -> Tensor:
        rows, count = self._rows[index], CHUNK * self._batch_size
        return torch.randint(rows.start, rows.stop, (count,), generator=generator, device=self._device)


def _by_column(data: TrainingData, by_state: Tensor, others: float) -> Tensor:
    """From numbers for the states [M, S] or [S], numbers for all columns [M or 1, 1, all columns]."""
    states = by_state.to("cpu", data.transitions.dtype).reshape(-1, 1, data.observation_size)
    between, after = (
        states.new_full((len(states), 1, size), others)
        for size in (data.action_size + 1, 1 + data.action_size)
    )
    return torch.cat([states, between, states, after], dim=2)
