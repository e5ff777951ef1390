"""How long a trial is trained, and how its policy is evaluated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.settings import STEPS_LIMIT, Seed, Settings
from harness.validation import Whole


class TrainingSettings(Settings):
    """How long a trial is trained."""

    gradient_steps: Whole = Field(1_000_000, ge=1, le=STEPS_LIMIT)
    on_divergence: Literal["mark", "fail"] = "mark"
    """What happens when a loss or Q-value is not finite at an evaluation: the trial continues and is marked
    wherever its scores are shown, or it fails. No score depends on it."""
    save_policy: Literal["final", "best", "none"] | Annotated[str, Field(pattern=r"^every [1-9]\d*$")] = (
        "final"
    )
    """Which policies a trial keeps: the `final` one; the `best` by the normalized score of its evaluations,
    a choice that uses the environment; those at `every N` gradient steps and the final one; or `none`. No
    score depends on it."""


class EvaluationSettings(Settings):
    """Says when and how often policies are evaluated."""

    interval: Whole = Field(5_000, ge=1, le=STEPS_LIMIT)
    """Gradient steps between evaluations; the last step is always evaluated."""
    episodes: Whole = Field(10, ge=1, le=10_000)
    seed: Seed = 100
    """With the trial's seed it fixes the starts of the episodes, the same at every evaluation."""
