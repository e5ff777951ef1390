"""The hyper-parameters of every built-in algorithm. Importing them does not import torch."""

from harness.algorithms.hyperparameters.base import Hyperparameters

__all__ = ["Hyperparameters"]
