"""What the driver sends to a worker, and what the worker reports."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from harness.storage.trial_record import ProgressNote
from harness.storage.trial_state import State
from harness.trial import Trial


class Assignment(BaseModel):
    """Describes one pack of trials, and how a worker trains it; sent as JSON."""

    model_config = ConfigDict(frozen=True)

    trials: tuple[Trial, ...] = Field(min_length=1)
    store: str
    experiment: str = ""
    """The name of the experiment, for the files of policies."""
    driver: int
    """The number of the driver's lease."""
    versions: dict[str, str]
    device: str = "cpu"
    evaluators: int = 0
    """The number of separate processes that run the episodes; with 0 the worker runs them."""
    until: int | None = None
    """The gradient step at which the trials pause until their samples are compared; None for the end."""
    checkpoint_seconds: float = 20
    interval_seconds: float | None = None
    pack: str
    """`module:class` of the pack that trains them."""


@dataclass(frozen=True)
class Evaluated:
    """Reports an evaluation of a trial."""

    key: str
    note: ProgressNote
    metrics: dict[str, float]
    """Every number of the evaluation, for trackers."""


@dataclass(frozen=True)
class Ended:
    """Reports that the attempt at a trial has ended."""

    key: str
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
