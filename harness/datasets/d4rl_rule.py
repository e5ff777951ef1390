"""Where `d4rl.qlearning_dataset` (d4rl/__init__.py, version 1.1) takes episodes as cut, to the bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.datasets.episode_marks import Flags


def d4rl_cuts(terminals: Flags, max_episode_steps: int) -> Flags:
    """Return [N] where D4RL takes an episode of a file without `timeouts` as cut.

    D4RL counts a terminal step as the first one of the next episode as well (unless it left that step out as
    a cut), so that such an episode is cut one step early. Published scores depend on this, so it is kept.
    """
    after = np.flatnonzero(terminals[:-1]) + 1
    lengths = np.diff(after, prepend=0)
    head_start = np.ones(len(after), np.intp)
    for segment in np.flatnonzero((lengths + 1) % max_episode_steps <= 1):
        own = head_start[segment - 1] if segment else 0
        if (lengths[segment] + own) % max_episode_steps == 0:  # D4RL leaves the terminal out as a cut
            head_start[segment] = 0
    counted = steps_since_end(terminals) + np.repeat(
        np.concatenate([[0], head_start]), np.diff(after, prepend=0, append=len(terminals))
    )
    cuts: Flags = counted % max_episode_steps == max_episode_steps - 1
    return cuts


def at_step_limit(ends: Flags, max_episode_steps: int | None) -> Flags:
    """Return [N] which rows are at a multiple of the step limit, counted from the last end before them."""
    if max_episode_steps is None:
        return np.zeros_like(ends)
    at_limit: Flags = steps_since_end(ends) % max_episode_steps == max_episode_steps - 1
    return at_limit


def steps_since_end(ends: Flags) -> NDArray[np.intp]:
    """Return [N] how many rows lie between each row and the row after the last end before it."""
    starts = np.zeros(len(ends), np.intp)
    after = np.flatnonzero(ends[:-1]) + 1
    starts[after] = after
    steps: NDArray[np.intp] = np.arange(len(ends)) - np.maximum.accumulate(starts)
    return steps
