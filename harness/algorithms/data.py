"""The data that learners train on: transitions, and batches drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

BatchField = Literal["state", "action", "reward", "next_state", "not_terminal", "next_action"]


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

    def state_statistics(self, index: int) -> tuple[Tensor, Tensor]:
        """Return the mean and scale, [S] each, by which the states of a seed are normalised."""
        if self.state_mean.dim() == 1:
            return self.state_mean, self.state_scale
        return self.state_mean[index], self.state_scale[index]


class Batch:
    """n transitions of each of M seeds, with normalised states.

    A terminal stops the bootstrap; a timeout does not.
    """

    def __init__(self, rows: Tensor, observation_size: int, action_size: int) -> None:
        self._rows = rows
        self._states = observation_size
        self._actions = action_size

    @property
    def state(self) -> Tensor:
        """Return the states, [M, n, S]."""
        return self._rows[..., : self._states]

    @property
    def action(self) -> Tensor:
        """Return the actions, [M, n, A]."""
        return self._rows[..., self._states : self._states + self._actions]

    @property
    def state_action(self) -> Tensor:
        """Return state and action concatenated, [M, n, S + A], without a copy."""
        return self._rows[..., : self._states + self._actions]

    @property
    def reward(self) -> Tensor:
        """Return the rewards, [M, n]."""
        return self._rows[..., self._states + self._actions]

    @property
    def next_state(self) -> Tensor:
        """Return the next states, [M, n, S]."""
        start = self._states + self._actions + 1
        return self._rows[..., start : start + self._states]

    @property
    def not_terminal(self) -> Tensor:
        """Return 1 where the next state's value counts, and 0 after a terminal, [M, n]."""
        return self._rows[..., not_terminal_column(self._states, self._actions)]

    @property
    def next_action(self) -> Tensor:
        """Return the dataset's actions in the next states, [M, n, A], if the learner lists it in `fields`."""
        start = not_terminal_column(self._states, self._actions) + 1
        return self._rows[..., start : start + self._actions]


def not_terminal_column(observation_size: int, action_size: int) -> int:
    """Return the column of the terminal flag in a row of transitions."""
    return 2 * observation_size + action_size + 1


def columns_of(fields: Sequence[BatchField], observation_size: int, action_size: int) -> int:
    """Return the number of leading columns of a transition that contain these fields."""
    terminal = not_terminal_column(observation_size, action_size)
    ends: dict[BatchField, int] = {
        "state": observation_size,
        "action": observation_size + action_size,
        "reward": observation_size + action_size + 1,
        "next_state": terminal,
        "not_terminal": terminal + 1,
        "next_action": terminal + 1 + action_size,
    }
    return max(ends[field] for field in fields)
