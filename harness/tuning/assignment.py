"""The work that the driver assigns to a worker: one pack of trials, sent as JSON."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from harness.trial import Trial


class Assignment(BaseModel):
    """Describes one pack of trials, and how a worker trains it."""

    model_config = ConfigDict(frozen=True)

    trials: tuple[Trial, ...] = Field(min_length=1)
    """The trials that are trained side by side."""
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
