"""The data that learners train on: transitions, and batches drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Literal

from torch import Tensor

from harness.errors import HarnessError

BatchField = Literal["state", "action", "reward", "next_state", "not_terminal", "next_action"]


def columns_of(observation_size: int, action_size: int) -> dict[BatchField, slice]:
    """Return the columns of each field in a row of transitions, in their order."""
    sizes: dict[BatchField, int] = {
        "state": observation_size,
        "action": action_size,
        "reward": 1,
        "next_state": observation_size,
        "not_terminal": 1,
        "next_action": action_size,
    }
    ends = accumulate(sizes.values())
    return {field: slice(end - size, end) for (field, size), end in zip(sizes.items(), ends, strict=True)}


@dataclass(frozen=True)
class TrainingData:
    """The transitions that M seeds train on, and the sizes that their networks depend on.

    Attributes:
        transitions: [N, 2 S + A + 2] (state, action, reward, next state, terminal), followed by the next
            action [A] where a learner asks for it; states as they were recorded.
        observation_size: S
        action_size: A
        max_action: actions are within [-max_action, max_action].
        state_mean: [S] for all seeds or [M, S]; states are normalised to (s - mean) / scale.
        state_scale: as `state_mean`.
        rows: the transitions that each seed draws from; None for all.
        gradient_steps: the total length of training, for schedules.
    """

    transitions: Tensor
    observation_size: int
    action_size: int
    max_action: float
    state_mean: Tensor
    state_scale: Tensor
    rows: Sequence[range] | None = None
    gradient_steps: int = 1_000_000

    @cached_property
    def columns(self) -> dict[BatchField, slice]:
        """The columns of each field in a row of `transitions`."""
        return columns_of(self.observation_size, self.action_size)

    def state_statistics(self, index: int) -> tuple[Tensor, Tensor]:
        """Return the mean and scale, [S] each, by which the states of a seed are normalised."""
        if self.state_mean.dim() == 1:
            return self.state_mean, self.state_scale
        return self.state_mean[index], self.state_scale[index]


class Batch:
    """n transitions of each of M seeds, with normalised states.

    A terminal stops the bootstrap; a timeout does not.

    Args:
        rows: transitions [M, n, columns], with at least the fields that a learner lists in `fields`.
        columns: those of each field, from `columns_of`.
    """

    def __init__(self, rows: Tensor, columns: Mapping[BatchField, slice]) -> None:
        self._rows = rows
        self._columns = columns

    @property
    def state(self) -> Tensor:
        """Return the states, [M, n, S]."""
        return self._field("state")

    @property
    def action(self) -> Tensor:
        """Return the actions, [M, n, A]."""
        return self._field("action")

    @property
    def state_action(self) -> Tensor:
        """Return state and action concatenated, [M, n, S + A], without a copy."""
        return self._rows[..., : self._columns["action"].stop]

    @property
    def reward(self) -> Tensor:
        """Return the rewards, [M, n]."""
        return self._field("reward").squeeze(-1)

    @property
    def next_state(self) -> Tensor:
        """Return the next states, [M, n, S]."""
        return self._field("next_state")

    @property
    def not_terminal(self) -> Tensor:
        """Return 1 where the next state's value counts, and 0 after a terminal, [M, n]."""
        return self._field("not_terminal").squeeze(-1)

    @property
    def next_action(self) -> Tensor:
        """Return the dataset's actions in the next states, [M, n, A], if the learner lists it in `fields`."""
        return self._field("next_action")

    def _field(self, name: BatchField) -> Tensor:
        columns = self._columns[name]
        if columns.stop > self._rows.shape[-1]:
            raise HarnessError(f"batches have no {name}; add {name!r} to the `fields` of the algorithm")
        return self._rows[..., columns]
