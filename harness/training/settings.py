"""Settings of training, evaluation and selection."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.algorithms.hyperparameters.base import HiddenSizes
from harness.validation import STEPS_LIMIT, Number, Seed, Settings, Whole


class TrainingSettings(Settings):
    """How long a trial is trained."""

    gradient_steps: Whole = Field(1_000_000, ge=1, le=STEPS_LIMIT)
    """Gradient steps of every trial."""
    on_divergence: Literal["mark", "fail"] = "mark"
    """What happens if a loss or Q-value is not finite at an evaluation: the trial continues and is marked
    wherever its scores are shown, or it fails. Scores do not depend on it."""
    save_policy: Literal["final", "best", "none"] | Annotated[str, Field(pattern=r"^every [1-9]\d*$")] = (
        "final"
    )
    """Which policies a trial keeps: the `final` one; the `best` by the normalized score of its evaluations,
    a choice that uses the environment; those at `every N` gradient steps and the final one; or `none`. Scores
    do not depend on it."""


class EvaluationSettings(Settings):
    """When and over how many episodes policies are evaluated."""

    interval: Whole = Field(5_000, ge=1, le=STEPS_LIMIT)
    """Gradient steps between evaluations; the last step is always evaluated."""
    episodes: Whole = Field(10, ge=1, le=10_000)
    """Episodes in each evaluation."""
    seed: Seed = 100
    """Determines the start states of every evaluation, together with the seed of the trial."""


class SelectionSettings(Settings):
    """How the values of trained policies are estimated from data alone, to select among them.

    Scores do not depend on it. All policies of a dataset are evaluated with the same initial critic and the
    same batches, so that differences between estimates are due to the policies only.
    """

    method: Literal["fqe"] = "fqe"
    """Fitted Q evaluation (arXiv 1903.08738) of the final policy of each trial."""
    gradient_steps: Whole = Field(100_000, ge=1, le=STEPS_LIMIT)
    """Gradient steps of the critic of each policy."""
    discount: Number = Field(0.99, ge=0, lt=1)
    tau: Number = Field(0.005, gt=0, le=1)
    """Share of the online weights in each update of the target network. A critic that takes few steps needs a
    larger one: values propagate back one step of an episode in about 1 / tau gradient steps."""
    learning_rate: Number = Field(3e-4, gt=0)
    batch_size: Whole = Field(256, ge=1, le=1_000_000)
    hidden_sizes: HiddenSizes = (256, 256)
    seed: Seed = 0
    """The seed of the critic and its batches."""
