"""The resources of running trials. Results do not depend on them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.validation import Number, Settings, Whole


class TrialResources(Settings):
    """The resources of one running trial, and how long it may take between evaluations."""

    cpus: Number | None = Field(None, gt=0)
    """CPU cores."""
    gpus: Number | None = Field(None, ge=0, le=1)
    """GPUs, or a fraction of one that several processes share."""
    memory: Whole | None = Field(None, ge=1)
    """Bytes."""
    interval_seconds: Number | None = Field(None, gt=0)
    """A trial that takes longer than this from one evaluation to the next is considered hung, and ended."""
    pack: Annotated[Whole, Field(ge=1)] | Literal["auto"] | None = None
    """How many trials one process trains side by side; they may differ in seed and dataset. `auto`: one on a
    CPU; on GPUs, enough to keep all of them busy."""
    evaluators: Annotated[Whole, Field(ge=0)] | Literal["auto"] | None = None
    """Processes, with one CPU each, that run the episodes of a pack while it continues to train. `auto`: none
    without a GPU; with a GPU, one for each CPU of its share."""


class ResourceSettings(TrialResources):
    """The resources of every trial; results do not depend on them."""

    cpus: Number = Field(1, gt=0)
    """CPU cores."""
    gpus: Number = Field(0, ge=0, le=1)
    """GPUs, or a fraction of one that several processes share."""
    pack: Annotated[Whole, Field(ge=1)] | Literal["auto"] = "auto"
    evaluators: Annotated[Whole, Field(ge=0)] | Literal["auto"] = "auto"
    checkpoint_seconds: Number = Field(20, ge=0)
    """A checkpoint is written at the first evaluation after this time, and at the end.

    If writing takes more than a twentieth of it, checkpoints are up to 20 times as far apart.
    """
    algorithms: dict[str, TrialResources] = Field(default_factory=dict)
    """Different resources for the trials of a variant, by its name (or the part before its `@`)."""

    def of(self, variant: str) -> TrialResources:
        """Return the resources of a trial of this variant."""
        general = {name: getattr(self, name) for name in TrialResources.model_fields}
        special = self.algorithms.get(variant, self.algorithms.get(variant.partition("@")[0]))
        return TrialResources(**general | (special.model_dump(exclude_none=True) if special else {}))
