"""Divergence of training: metrics of a learner, such as losses and Q-values, that are not finite."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from harness.errors import HarnessError


class DivergedError(HarnessError):
    """Training diverged in an experiment with `training.on_divergence: fail`."""


def non_finite(metrics: Mapping[str, float]) -> str | None:
    """Return the names of the metrics that are NaN or infinite, joined by commas; None for no such metric."""
    return ", ".join(name for name, value in metrics.items() if not math.isfinite(value)) or None


def first_divergence(rows: Iterable[Mapping[str, Any]]) -> str | None:
    """Return at which step training diverged, from the ordered rows of evaluations; None if it did not.

    For example `critic_loss not finite from step 5,000`.
    """
    row = next((row for row in rows if row.get("non_finite")), None)
    return None if row is None else divergence(row["non_finite"], row["step"])


def divergence(metrics: str, step: int) -> str:
    """Return the note that these metrics are not finite from this gradient step."""
    return f"{metrics} not finite from step {step:,}"
