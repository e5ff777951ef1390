"""Draws batches uniformly, for each seed from a separate stream."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.algorithms.data import TrainingData
from harness.algorithms.streams import CHUNK, Stream
from harness.errors import HarnessError

SAMPLED_AT_ONCE = 8
"""Gradient steps whose batches are gathered together; it divides CHUNK."""


class Sampler:
    """Gathers the normalised transitions of the next gradient steps of M seeds, from their first `columns`.

    Without `replacement`, no transition occurs twice in a batch.

    Raises:
        HarnessError: without replacement, when a batch is larger than a dataset.
    """

    def __init__(
        self,
        data: TrainingData,
        seeds: Sequence[int],
        batch_size: int,
        columns: int,
        device: torch.device,
        replacement: bool = True,
    ) -> None:
        self._transitions = data.transitions.to(device)[:, :columns]
        self._rows = data.rows or [range(len(data.transitions))] * len(seeds)
        self._batch_size = batch_size
        self._replacement = replacement
        smallest = min(map(len, self._rows))
        if not replacement and batch_size > smallest:
            raise HarnessError(
                f"a batch of {batch_size} transitions without replacement needs at least as many in the "
                f"dataset, which has {smallest}; use a smaller batch_size"
            )
        self._device = device
        self._gathered = self._transitions.new_empty(
            len(seeds) * SAMPLED_AT_ONCE * batch_size, self._transitions.shape[1]
        )
        terminal = data.columns["not_terminal"].start
        self._terminal_column = terminal if terminal < columns else None
        self._mean = _by_column(data, data.state_mean, 0.0)[..., :columns].to(device)
        self._scale = _by_column(data, data.state_scale, 1.0)[..., :columns].to(device)
        self.indices = Stream("batches", seeds, device, self._draw)

    def rows(self, indices: Tensor) -> Tensor:
        """Gather transitions [M, n, columns] at `indices` [M, n]; the next call overwrites them.

        States are normalised, and the terminal flag is replaced by 1 - terminal.
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
        drawn = torch.randint(rows.start, rows.stop, (count,), generator=generator, device=self._device)
        if not self._replacement:
            self._redraw_repeated(drawn.view(CHUNK, self._batch_size), rows, generator)
        return drawn

    @staticmethod
    def _redraw_repeated(batches: Tensor, rows: range, generator: torch.Generator) -> None:
        """Redraw rows that repeat within a batch until none do; all sets of rows are equally likely."""
        while True:
            batches.copy_(batches.sort(dim=1).values)
            repeated = torch.zeros_like(batches, dtype=torch.bool)
            torch.eq(batches[:, 1:], batches[:, :-1], out=repeated[:, 1:])
            count = int(repeated.sum())
            if not count:
                return
            batches[repeated] = torch.randint(
                rows.start, rows.stop, (count,), generator=generator, device=batches.device
            )


def _by_column(data: TrainingData, by_state: Tensor, others: float) -> Tensor:
    """Expand numbers for the states [M, S] or [S] to all columns, [M or 1, 1, all columns]."""
    states = by_state.to("cpu", data.transitions.dtype).reshape(-1, 1, data.observation_size)
    numbers = states.new_full((len(states), 1, data.columns["next_action"].stop), others)
    for field in ("state", "next_state"):
        numbers[..., data.columns[field]] = states
    return numbers
