"""Hyper-parameters of fitted Q evaluation."""

from __future__ import annotations

from pydantic import Field

from harness.algorithms.hyperparameters.base import Hyperparameters
from harness.validation import Number


class FQEHyperparameters(Hyperparameters):
    """Fitted Q evaluation (FQE) of policies that are trained already."""

    discount: Number = Field(0.99, ge=0, lt=1)
    tau: Number = Field(0.005, gt=0, le=1)
    """Share of the critic that its target network takes over in each gradient step."""
    learning_rate: Number = Field(3e-4, gt=0)
