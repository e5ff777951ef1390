"""The events that a worker reports to the driver."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import TypedDict

from harness.storage.trial_record import ProgressNote
from harness.storage.trial_state import State


@dataclass(frozen=True)
class Evaluated:
    """Reports an evaluation of a trial."""

    key: str
    """The key of the trial."""
    note: ProgressNote
    metrics: dict[str, float]
    """Every number of the evaluation, for trackers."""


@dataclass(frozen=True)
class Ended:
    """Reports that the attempt at a trial has ended."""

    key: str
    """The key of the trial."""
    state: State
    """`done`, `failed`, `paused` at a rung, or `waiting` if the driver stopped or superseded the attempt."""
    step: int | None = None
    """The gradient step of a checkpoint from which the trial continues, if this attempt committed one."""
    reason: str = ""
    """Why it failed, in one line."""
    fatal: bool = False
    """Whether no other trial could continue either."""


class Report(TypedDict):
    """The events since the previous report, and whether the attempt at the pack has ended."""

    done: bool
    events: list[Evaluated | Ended]
