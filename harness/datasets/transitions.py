"""Converts recorded steps to transitions.

D4RL (`d4rl.qlearning_dataset`) pairs each step with the next row's observation and drops the last step of a
truncated episode, since the next row starts another one, and the file's last row. After a terminal, the next
observation also belongs to another episode, but no bootstrap uses it. Recordings that are not D4RL's own
follow the same rule, except that recorded next observations are used, that a terminal in the last row is
kept, and that every transition is used if rows are not in chronological order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.datasets.episode_ends import EpisodeEnds
from harness.datasets.episode_marks import Flags
from harness.datasets.recording import Recording
from harness.datasets.settings import DataSettings, RewardScaling
from harness.errors import HarnessError

ROWS_AT_ONCE = 2048
RETURN_RANGE_SCALE = 1000.0  # D4RL's longest episode, as in IQL (arXiv 2110.06169) and CORL
SMALL_SHARE = 0.02
"""The share of rows that is dropped without a note."""

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Selection:
    """The steps among N recorded ones that become transitions, and how they end."""

    rows: Rows
    """[K]"""
    terminals: Flags
    """[N]"""
    notes: tuple[str, ...]
    """One line for everything that was dropped or interpreted."""


def select(recording: Recording, settings: DataSettings) -> Selection:
    """Select the steps that become transitions.

    Raises:
        HarnessError: if the recording lacks data that the settings require, or no step remains.
    """
    ends, keep = recording.ends, settings.timeout_steps == "keep"
    if keep and settings.time_limits == "bootstrap" and recording.next_observations is None:
        raise HarnessError(
            f"{recording.source}: has no next_observations, so the observation after a timeout is unknown; "
            "use data.timeout_steps=drop"
        )
    terminals, timeouts = ends.terminals, ends.timeouts
    if settings.time_limits == "terminal":
        terminals, timeouts = terminals | timeouts, np.zeros_like(timeouts)
    kept = _with_successor(recording, terminals)
    if ends.ordered and not keep:
        kept &= ~timeouts
        kept[-1] &= ends.last[-1] and not (ends.d4rl and settings.time_limits == "bootstrap")
    notes = (*recording.notes, *ends.notes, *_note_on_dropped(kept, ends, keep))
    if settings.best_episodes is not None:
        kept &= _in_best_episodes(recording, settings.best_episodes)
    if not kept.any():
        raise HarnessError(
            f"{recording.source}: no transitions remain after dropping the last step of each truncated "
            f"episode{'' if keep else '; set data.timeout_steps=keep, or data.time_limits=terminal'}"
        )
    return Selection(np.flatnonzero(kept), terminals, notes)


def build_transitions(
    recording: Recording, chosen: Selection, rewards: Literal["as_is", "return_range"] | RewardScaling
) -> NDArray[np.float32]:
    """Return the transitions [K, 2 S + A + 2], in the columns of `OfflineDataset`.

    Raises:
        HarnessError: if the range of episode returns is required but unknown.
    """
    size, action = recording.observations.shape[1], recording.actions.shape[1]
    reward = size + action
    built = np.empty((len(chosen.rows), reward + size + 2), np.float32)
    for start in range(0, len(built), ROWS_AT_ONCE):  # few, so that they stay in the processor's cache
        rows, into = chosen.rows[start : start + ROWS_AT_ONCE], built[start : start + ROWS_AT_ONCE]
        into[:, :size] = recording.observations.take(rows, axis=0)
        into[:, size:reward] = recording.actions.take(rows, axis=0)
        into[:, reward] = recording.rewards[rows]
        into[:, reward + 1 : -1] = _following(recording, rows)
        into[:, -1] = chosen.terminals[rows]
    if isinstance(rewards, RewardScaling):
        built[:, reward] *= np.float32(rewards.scale)
        built[:, reward] += np.float32(rewards.shift)
    elif rewards == "return_range":
        built[:, reward] *= _return_range_factor(recording)
    return built


def build_next_actions(recording: Recording, chosen: Selection) -> NDArray[np.float32]:
    """Return the recorded action [K, A] of the step after each transition.

    As in ReBRAC's reader (CORL, `algorithms/offline/rebrac.py`) it is the next row's action, even after a
    terminal, where no bootstrap uses it. ReBRAC drops the last step of a truncated episode; if settings keep
    it, its own action is repeated. Rows must be in chronological order.
    """
    _require_order(recording, "the next actions that this algorithm requires are")
    ends = recording.ends
    unknown = (ends.timeouts if ends.d4rl else ends.last) & ~chosen.terminals
    unknown[-1] = True
    return recording.actions[chosen.rows + ~unknown[chosen.rows]]


def _with_successor(recording: Recording, terminals: Flags) -> Flags:
    """Return [N] whether the next observation is known, or irrelevant because the step is terminal."""
    ends = recording.ends
    known = np.ones_like(terminals) if ends.d4rl else terminals | ~ends.last
    known[-1] = terminals[-1]
    return known | ends.complete


def _following(recording: Recording, rows: Rows) -> NDArray[np.float32]:
    if recording.next_observations is not None:
        return recording.next_observations.take(rows, axis=0)
    return recording.observations.take(np.minimum(rows + 1, len(recording) - 1), axis=0)


def _in_best_episodes(recording: Recording, share: float) -> Flags:
    """Return [N] whether a step is in one of the best episodes; their share is rounded down to at least one.

    The rounding is that of CORL's 10%BC (`algorithms/offline/any_percent_bc.py`).
    """
    _require_order(recording, "data.best_episodes requires episode returns, which are")
    ends = np.flatnonzero(recording.ends.last)
    if not len(ends):
        raise HarnessError(f"{recording.source}: no episode ends, so data.best_episodes has nothing to rank")
    count = max(1, int(share * len(ends) + 1e-9))
    best = np.argsort(-recording.episode_returns(), kind="stable")[:count]
    chosen = np.zeros(len(recording), np.bool_)
    for start, end in zip(np.append(-1, ends)[best] + 1, ends[best] + 1, strict=True):
        chosen[start:end] = True
    return chosen


def _return_range_factor(recording: Recording) -> np.float32:
    _require_order(recording, "data.rewards=return_range requires episode returns, which are")
    returns = recording.episode_returns()
    if not len(returns) or returns.max() == returns.min():
        raise HarnessError(
            f"{recording.source}: all complete episodes have the same return, so rewards cannot be divided "
            "by the range of returns; use data.rewards=as_is"
        )
    return np.float32(RETURN_RANGE_SCALE / (returns.max() - returns.min()))


def _require_order(recording: Recording, what: str) -> None:
    if not recording.ends.ordered:
        raise HarnessError(
            f"{recording.source}: {what} unknown, because its rows are not in chronological order; "
            "store the steps of each episode one after the other"
        )


def _note_on_dropped(kept: Flags, ends: EpisodeEnds, keep: bool) -> tuple[str, ...]:
    dropped = len(kept) - int(kept.sum())
    if dropped <= SMALL_SHARE * len(kept):
        return ()
    if not keep and int((~kept & ends.complete).sum()) > dropped / 2:
        reason, setting = "", "data.timeout_steps=keep keeps them"
    else:
        reason = ", and their next observations are not recorded"
        setting = "data.time_limits=terminal keeps them as terminals"
    return (
        f"{dropped:,} of {len(kept):,} steps are dropped: they are the last steps of truncated "
        f"episodes{reason}; {setting}",
    )
