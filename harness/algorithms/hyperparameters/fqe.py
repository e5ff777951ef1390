"""Hyper-parameters of fitted Q evaluation."""

from __future__ import annotations

from pydantic import Field

from harness.algorithms.hyperparameters.base import Hyperparameters
from harness.validation import Number


class FQEHyperparameters(Hyperparameters):
    """Fitted Q evaluation (FQE) of trained policies."""

    discount: Number = Field(0.99, ge=0, lt=1)
    tau: Number = Field(0.005, gt=0, le=1)
    """Share of the online weights in each update of the target network, one per gradient step."""
    learning_rate: Number = Field(3e-4, gt=0)
