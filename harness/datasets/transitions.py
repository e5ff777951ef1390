"""From the steps of a file to transitions: the same ones, in the same order, as `d4rl.qlearning_dataset`.

D4RL pairs each step with the next row's observation, leaves out the last step of an episode that was cut
(the next row is another episode's start), and the file's last row. Behind a terminal that next observation is
another episode's too; no bootstrap sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.datasets.hdf5 import D4RLFile, each
from harness.datasets.layout import episode_returns
from harness.datasets.settings import DataSettings
from harness.errors import HarnessError

ROWS_AT_ONCE = 2048
RETURN_RANGE_SCALE = 1000.0  # D4RL's longest episode, as in IQL (arXiv 2110.06169) and CORL


@dataclass(frozen=True)
class Plan:
    """Which of a file's N rows become transitions, and what becomes of their rewards."""

    kept: NDArray[np.bool_]
    """[N]"""
    terminals: NDArray[np.bool_]
    """[N]"""
    reward_scale: np.float32 | None
    reward_shift: np.float32 | None
    successors: Literal["next_row", "next_row_checked", "stored"]
    """Where next observations are taken from: the next row's observations (held against those that the file
    has), or those that the file has."""


def plan(
    file: D4RLFile,
    settings: DataSettings,
    max_episode_steps: int | None,
    continuing: bool = False,
    trusted: bool = False,
) -> Plan:
    """
    Args:
        max_episode_steps: where episodes end in a file that has no `timeouts`.
        continuing: whether a file without any end of an episode is as it should be.
        trusted: whether rows are known to follow each other as they should, as in D4RL's own files.

    Raises:
        HarnessError: when the file does not bear these settings.
    """
    terminals = file.flags("terminals")
    if "timeouts" not in file.arrays and max_episode_steps is None:
        raise HarnessError(
            f"{file.path}: has no timeouts, so the environment must say how long an episode lasts; "
            "name one with a step limit (environment: GYMNASIUM-ID)"
        )
    cuts = (
        file.flags("timeouts") if "timeouts" in file.arrays else d4rl_cuts(terminals, max_episode_steps or 0)
    )
    if not (terminals.any() or cuts.any() or continuing):
        raise HarnessError(
            f"{file.path}: no episode ever ends (terminals and timeouts are all false); "
            "mark the ends of its episodes"
        )
    keep = settings.timeout_steps == "keep"
    if keep and "next_observations" not in file.arrays:
        raise HarnessError(
            f"{file.path}: has no next_observations, so what follows a timeout is unknown; "
            "use data.timeout_steps=drop"
        )
    kept = np.ones_like(terminals) if keep else ~cuts
    kept[-1] = keep
    if not kept.any():
        raise HarnessError(
            f"{file.path}: no transition is left once the last steps of cut episodes are left out"
        )
    checked = "next_observations" in file.arrays and not trusted
    successors: Literal["next_row", "next_row_checked", "stored"] = (
        "stored" if keep else "next_row_checked" if checked else "next_row"
    )
    scale, shift = _reward_change(file, settings, max_episode_steps)
    return Plan(kept, terminals, scale, shift, successors=successors)


def d4rl_cuts(terminals: NDArray[np.bool_], max_episode_steps: int) -> NDArray[np.bool_]:
    """Where D4RL takes an episode of a file without `timeouts` for cut.

    D4RL counts a terminal step as the first of the episode behind it as well (unless it left that step out as
    a cut), so that such an episode is cut one step early. The published scores stand on this, so it is kept.
    """
    after = np.flatnonzero(terminals[:-1]) + 1
    lengths = np.diff(after, prepend=0)
    head_start = np.ones(len(after), np.intp)
    for segment in np.flatnonzero((lengths + 1) % max_episode_steps <= 1):
        own = head_start[segment - 1] if segment else 0
        if (lengths[segment] + own) % max_episode_steps == 0:  # D4RL leaves the terminal out as a cut
            head_start[segment] = 0
    steps = _steps_since_terminal(terminals)
    counted = steps + np.repeat(
        np.concatenate([[0], head_start]), np.diff(after, prepend=0, append=len(terminals))
    )
    cuts: NDArray[np.bool_] = counted % max_episode_steps == max_episode_steps - 1
    return cuts


def episode_ends(
    terminals: NDArray[np.bool_], timeouts: NDArray[np.bool_] | None, max_episode_steps: int | None
) -> NDArray[np.intp]:
    """The last row of every whole episode."""
    if timeouts is None:
        if max_episode_steps is None:
            timeouts = np.zeros_like(terminals)
        else:
            timeouts = _steps_since_terminal(terminals) % max_episode_steps == max_episode_steps - 1
    return np.flatnonzero(terminals | timeouts)


def pack(file: D4RLFile, plan: Plan) -> NDArray[np.float32]:
    """The transitions [N, 2 S + A + 2], in the columns of `OfflineDataset`."""
    observations, actions, rewards = (file.read(key) for key in ("observations", "actions", "rewards"))
    successors, behind = observations, 1
    if plan.successors == "next_row_checked":
        _check_successors(file, plan, observations)
    elif plan.successors == "stored":
        successors, behind = file.read("next_observations"), 0
    kept = np.flatnonzero(plan.kept)
    reward = file.observation_size + file.action_size
    packed = np.empty((len(kept), reward + file.observation_size + 2), np.float32)

    def fill(start: int) -> None:
        """A few rows at a time, so that they stay in the processor's cache for all of their columns."""
        rows, into = kept[start : start + ROWS_AT_ONCE], packed[start : start + ROWS_AT_ONCE]
        into[:, : file.observation_size] = observations.take(rows, axis=0)
        into[:, file.observation_size : reward] = actions.take(rows, axis=0)
        into[:, reward] = rewards[rows]
        into[:, reward + 1 : -1] = successors.take(rows + behind, axis=0)
        into[:, -1] = plan.terminals[rows]

    each(fill, range(0, len(kept), ROWS_AT_ONCE))
    if plan.reward_scale is not None:
        packed[:, reward] *= plan.reward_scale
    if plan.reward_shift is not None:
        packed[:, reward] += plan.reward_shift
    return packed


def _check_successors(file: D4RLFile, plan: Plan, observations: NDArray[np.float32]) -> None:
    """Hold the next rows' observations against the next observations that the file has."""
    differ = (file.read("next_observations")[:-1] != observations[1:]).any(axis=1)
    wrong = np.flatnonzero(differ & (plan.kept & ~plan.terminals)[:-1])
    if len(wrong):
        raise HarnessError(
            f"{file.path}: the next observation of row {wrong[0]} is not the observation of the "
            "row behind it, though no episode ends there; mark it in timeouts, or use "
            "data.timeout_steps=keep"
        )


def _reward_change(
    file: D4RLFile, settings: DataSettings, max_episode_steps: int | None
) -> tuple[np.float32 | None, np.float32 | None]:
    if settings.rewards == "as_is":
        return None, None
    if settings.rewards == "minus_one":
        return None, np.float32(-1)
    timeouts = file.flags("timeouts") if "timeouts" in file.arrays else None
    ends = episode_ends(file.flags("terminals"), timeouts, max_episode_steps)
    returns = episode_returns(file.read("rewards"), ends)
    if not len(returns) or returns.max() == returns.min():
        raise HarnessError(
            f"{file.path}: all whole episodes have the same return, so rewards cannot be divided by the "
            "range of returns; use data.rewards=as_is"
        )
    return np.float32(RETURN_RANGE_SCALE / (returns.max() - returns.min())), None


def _steps_since_terminal(terminals: NDArray[np.bool_]) -> NDArray[np.intp]:
    """For each row how many rows lie between it and the row behind the last terminal before it."""
    starts = np.zeros(len(terminals), np.intp)
    behind = np.flatnonzero(terminals[:-1]) + 1
    starts[behind] = behind
    steps: NDArray[np.intp] = np.arange(len(terminals)) - np.maximum.accumulate(starts)
    return steps
