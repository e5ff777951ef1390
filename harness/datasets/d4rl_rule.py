"""Truncated episodes exactly as in `d4rl.qlearning_dataset` (d4rl/__init__.py, version 1.1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.datasets.episode_marks import Flags


def d4rl_cuts(terminals: Flags, max_episode_steps: int) -> Flags:
    """Return [N] where D4RL considers an episode of a file without `timeouts` as truncated.

    D4RL counts a terminal step as the first one of the next episode as well (unless it omitted that step as
    truncated), so that such an episode is truncated one step early. Published scores depend on this.
    """
    after = np.flatnonzero(terminals[:-1]) + 1
    lengths = np.diff(after, prepend=0)
    head_start = np.ones(len(after), np.intp)
    for segment in np.flatnonzero((lengths + 1) % max_episode_steps <= 1):
        own = head_start[segment - 1] if segment else 0
        if (lengths[segment] + own) % max_episode_steps == 0:  # D4RL omits the terminal as truncated
            head_start[segment] = 0
    counted = steps_since_end(terminals) + np.repeat(
        np.concatenate([[0], head_start]), np.diff(after, prepend=0, append=len(terminals))
    )
    cuts: Flags = counted % max_episode_steps == max_episode_steps - 1
    return cuts


def at_step_limit(ends: Flags, max_episode_steps: int | None) -> Flags:
    """Return [N] which rows are at a multiple of the step limit, counted from the previous end."""
    if max_episode_steps is None:
        return np.zeros_like(ends)
    at_limit: Flags = steps_since_end(ends) % max_episode_steps == max_episode_steps - 1
    return at_limit


def steps_since_end(ends: Flags) -> NDArray[np.intp]:
    """Return [N] the number of rows between each row and the first row after the previous end."""
    starts = np.zeros(len(ends), np.intp)
    after = np.flatnonzero(ends[:-1]) + 1
    starts[after] = after
    steps: NDArray[np.intp] = np.arange(len(ends)) - np.maximum.accumulate(starts)
    return steps
