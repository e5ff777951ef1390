"""Finds where the episodes of a dataset end: one rule for every format that is read or imported.

Collectors mark ends under many names and with different meanings. `find_episode_ends` converts these marks
to terminals (bootstrapping stops) and timeouts (the episode is truncated and bootstrapping continues):

- A step that is marked as terminal and as timeout is terminal. The exception is `dones` of which some but
  not all are timeouts, as in replay buffers of stable-baselines3: there timeouts prevail.
- Terminals at exactly the task's step limit are time limits unless the data shows that time limits are not
  among them: a step that is not terminal is marked as timeout, or ends an episode at the step limit; or there
  are other terminals too, and some episode is longer than the task allows, or timeouts are recorded next to
  `terminals`.
- If arrays mark only terminals, episodes also end at the task's step limit, as in D4RL's v0 files.
- If there are next observations, each is compared with the next row's observation. If more than a tenth
  differ, rows are not in chronological order: every transition is complete, but its episode is unknown. If
  fewer differ, an episode ends there, marked or not.

D4RL's own files follow D4RL's rule exactly instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.d4rl_rule import at_step_limit, d4rl_cuts
from harness.datasets.episode_marks import DONES, TIMEOUTS, EpisodeMarks, Flags, read_marks
from harness.errors import HarnessError

UNORDERED_SHARE = 0.1
"""Rows are in order if at most this share of those without a marked end lacks its successor."""


@dataclass(frozen=True)
class EpisodeEnds:
    """Where episodes end, for each of a dataset's N rows."""

    terminals: Flags
    """[N] Where the bootstrap stops."""
    timeouts: Flags
    """[N] Where an episode is truncated and the bootstrap continues; at a terminal only in D4RL's files."""
    last: Flags
    """[N] The last row of each whole episode, marked or found. All false if not `ordered`."""
    complete: Flags
    """[N] Whether the row's next observation is recorded and is not the first one of the next episode."""
    ordered: bool
    """Whether rows are in chronological order, so that episodes and their returns are known."""
    notes: tuple[str, ...] = ()
    """One line for each interpretation, without the name of the dataset."""
    d4rl: bool = False
    """Whether D4RL's rule was followed."""


def find_episode_ends(
    arrays: Mapping[str, NDArray[Any]], max_episode_steps: int | None, *, source: object, d4rl: bool = False
) -> EpisodeEnds:
    """Find where episodes end from the arrays that mark it.

    Args:
        arrays: `observations` [N, ...], the arrays that mark ends, under any of `episode_marks.NAMES`, and
            `next_observations` [N, ...] if they are known. Others are ignored.
        max_episode_steps: the step limit of the task, if it has one.
        source: the file or dataset, for messages.
        d4rl: follow D4RL's rule exactly; only for D4RL's own, registered files.

    Raises:
        HarnessError: if nothing marks terminals, if a mark does not fit the number of rows, or if it is
            unknown where episodes are truncated.
    """
    count = len(arrays["observations"])
    marks = read_marks(arrays, count, source)
    if d4rl:
        return _by_d4rl(marks, max_episode_steps, "next_observations" in arrays, source)
    follows = _follows(arrays, marks.ends)
    if follows is None:
        if max_episode_steps is None and (marks.cuts_name is None or not marks.ends.any()):
            raise HarnessError(
                f"{source}: nothing marks where episodes are truncated (such as timeouts), so the "
                "step limit of the task is needed; name a task that has one (environment: GYMNASIUM-ID)"
            )
        breaks, complete = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    else:
        breaks, complete = ~follows, np.ones(count, np.bool_)
        breaks[-1] = False
    ends = marks.ends | breaks
    at_limit = at_step_limit(ends, max_episode_steps)
    unexplained = int((breaks & ~marks.ends & ~at_limit).sum())
    if unexplained > UNORDERED_SHARE * (~marks.ends).sum():
        return _without_order(marks, unexplained)

    limits = _time_limits_among_terminals(marks, ends, at_limit, max_episode_steps)
    terminals = marks.terminals & ~limits
    timeouts = marks.ends & ~terminals
    notes = _note_on_limits(marks, limits)
    if not timeouts.any():
        timeouts = at_limit & ~terminals & (breaks if follows is not None else True)
        if timeouts.any() and marks.cuts_name is not None:
            notes += (
                f"{marks.cuts_name} marks no time limit, so episodes are truncated at the task's limit of "
                f"{max_episode_steps:,} steps ({timeouts.sum():,} times)",
            )
    unmarked = breaks & ~terminals & ~timeouts
    if unmarked.any():
        notes += (
            f"{unmarked.sum():,} rows are not followed by their next observation although nothing marks an "
            "end; they are read as ends of episodes",
        )
    last = terminals | timeouts | unmarked
    if follows is not None:
        complete &= ~(last & follows)
    return EpisodeEnds(terminals, timeouts, last, complete, True, notes)


def _by_d4rl(
    marks: EpisodeMarks, max_episode_steps: int | None, complete: bool, source: object
) -> EpisodeEnds:
    if marks.cuts_name is not None:
        timeouts, last = marks.timeouts, marks.ends
    elif max_episode_steps is not None:
        timeouts = d4rl_cuts(marks.terminals, max_episode_steps)
        last = marks.terminals | at_step_limit(marks.terminals, max_episode_steps)
    else:
        raise HarnessError(f"{source}: no timeouts, and the step limit of its task is unknown")
    return EpisodeEnds(marks.terminals, timeouts, last, np.full(len(last), complete), True, d4rl=True)


def _without_order(marks: EpisodeMarks, unexplained: int) -> EpisodeEnds:
    nowhere = np.zeros_like(marks.ends)
    limits = _time_limits_among_terminals(marks, marks.ends, nowhere, None)
    terminals = marks.terminals & ~limits
    notes = (
        f"{unexplained:,} of {len(nowhere):,} rows are not followed by their next observation, so rows "
        "are not in chronological order: every transition is used; episodes and returns are unknown",
        *_note_on_limits(marks, limits),
    )
    if marks.terminals_name in DONES and terminals.any() and (terminals == marks.ends).all():
        notes += (
            f"{marks.terminals_name} may include time limits, which are unknown without chronological order: "
            f"all {terminals.sum():,} are read as terminals; store timeouts that mark time limits alone",
        )
    return EpisodeEnds(terminals, marks.ends & ~terminals, nowhere, ~nowhere, False, notes)


def _follows(arrays: Mapping[str, NDArray[Any]], ends: Flags) -> Flags | None:
    """Return [N] whether each next observation is the next row's observation (for the last: the first).

    None if there are no next observations, or if they are the observations shifted by one row, even at the
    ends of episodes, so that they carry no information about these.
    """
    observations, following = arrays["observations"], arrays.get("next_observations")
    if following is None:
        return None
    follows: Flags = np.empty(len(ends), np.bool_)
    follows[:-1] = _close(following[:-1], observations[1:])
    follows[-1:] = _close(following[-1:], observations[:1])
    shifted = follows[:-1].all() and (follows[-1] or ends[:-1].any())
    return None if shifted else follows


def _close(first: NDArray[Any], second: NDArray[Any]) -> Flags:
    """Return [n] whether rows are equal up to the rounding of single precision."""
    close: Flags = (first == second).reshape(len(first), -1).all(axis=1)
    others = np.flatnonzero(~close)
    near = np.isclose(first[others], second[others], rtol=1e-5, atol=1e-6)
    close[others] = near.reshape(len(others), math.prod(first.shape[1:])).all(axis=1)
    return close


def _time_limits_among_terminals(
    marks: EpisodeMarks, ends: Flags, at_limit: Flags, max_episode_steps: int | None
) -> Flags:
    """Return [N] which of the terminals are time limits, given all ends, marked or not."""
    none, timeouts = np.zeros_like(at_limit), int(marks.timeouts.sum())
    if ((marks.timeouts | (ends & at_limit)) & ~marks.terminals).any():
        return none
    if marks.terminals_name in DONES and 0 < timeouts < marks.terminals.sum():
        return marks.timeouts | (marks.terminals & at_limit)
    if (marks.terminals & ~at_limit).any():
        lengths = np.diff(np.flatnonzero(ends), prepend=-1, append=len(none) - 1)
        excluded = max_episode_steps is not None and (lengths > max_episode_steps).any()
        if excluded or (marks.cuts_name in TIMEOUTS and marks.terminals_name not in DONES):
            return none
    return marks.terminals & at_limit


def _note_on_limits(marks: EpisodeMarks, limits: Flags) -> tuple[str, ...]:
    if not limits.any():
        return ()
    return (
        f"{limits.sum():,} of {marks.terminals.sum():,} steps that {marks.terminals_name} marks are time "
        "limits, so they are read as timeouts; data.time_limits=terminal makes every timeout a terminal",
    )
