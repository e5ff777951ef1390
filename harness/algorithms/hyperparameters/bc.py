"""Hyper-parameters of behaviour cloning."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from harness.algorithms.hyperparameters.base import Hyperparameters
from harness.validation import Number


class BCHyperparameters(Hyperparameters):
    """Behaviour cloning: the policy minimises mean (pi(s) - a)^2."""

    networks_per_step: ClassVar[int] = 1
    algorithm: str = "bc"
    actor_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for the policy."""
