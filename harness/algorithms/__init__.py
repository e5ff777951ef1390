"""Offline RL algorithms over tensors: no Ray, no environment, no file.

Importing this package does not import torch, so that an experiment can be checked at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness.algorithms.hyperparameters import Hyperparameters
from harness.algorithms.registry import hyperparameters_class, learner_class, resolve

if TYPE_CHECKING:
    from harness.algorithms.autograd import AutogradLearner
    from harness.algorithms.data import Batch, TrainingData
    from harness.algorithms.learner import Learner

__all__ = [
    "AutogradLearner",
    "Batch",
    "Hyperparameters",
    "Learner",
    "TrainingData",
    "hyperparameters_class",
    "learner_class",
    "resolve",
]

_MODULES = {"AutogradLearner": "autograd", "Batch": "data", "Learner": "learner", "TrainingData": "data"}


def __getattr__(name: str) -> Any:
    """Import what needs torch on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
