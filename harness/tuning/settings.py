"""The resources of running trials. No result depends on it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.settings import Settings
from harness.validation import Number, Whole


class TrialResources(Settings):
    """The resources of one running trial, and how long it may take between evaluations."""

    cpus: Number | None = Field(None, gt=0)
    """CPU cores."""
    gpus: Number | None = Field(None, ge=0, le=1)
    """GPUs, or a fraction of one that several processes share."""
    memory: Whole | None = Field(None, ge=1)
    """Bytes."""
    interval_seconds: Number | None = Field(None, gt=0)
    """A trial that needs longer than this from one evaluation to the next is taken to hang, and ended."""
    pack: Annotated[Whole, Field(ge=1)] | Literal["auto"] | None = None
    """How many trials one process trains side by side, in the place of one; they may differ in seed and
    dataset. `auto`: one where there is no GPU, on a GPU as many as keep all GPUs busy."""
    evaluators: Annotated[Whole, Field(ge=0)] | Literal["auto"] | None = None
    """Processes, with a CPU each, that run the episodes of a pack while it trains on. `auto`: none where
    there is no GPU, with a GPU one for each CPU of its share."""


class ResourceSettings(TrialResources):
    """For every trial; no result depends on it."""

    cpus: Number = Field(1, gt=0)
    """CPU cores."""
    gpus: Number = Field(0, ge=0, le=1)
    """GPUs, or a fraction of one that several processes share."""
    pack: Annotated[Whole, Field(ge=1)] | Literal["auto"] = "auto"
    evaluators: Annotated[Whole, Field(ge=0)] | Literal["auto"] = "auto"
    checkpoint_seconds: Number = Field(20, ge=0)
    """A checkpoint is written at the first evaluation after this time, and at the end.

    Where writing takes more than a twentieth of it, up to 20 times as long passes between two.
    """
    algorithms: dict[str, TrialResources] = Field(default_factory=dict)
    """By column (or by the name before its `@`): what is different for its trials."""

    def of(self, column: str) -> TrialResources:
        """Return the resources of a trial of this column."""
        general = {name: getattr(self, name) for name in TrialResources.model_fields}
        special = self.algorithms.get(column, self.algorithms.get(column.partition("@")[0]))
        return TrialResources(**general | (special.model_dump(exclude_none=True) if special else {}))
