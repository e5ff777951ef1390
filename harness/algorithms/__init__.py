"""TD3+BC, TD3 and BC over explicit tensors: no Ray, no environment, no file.

Importing this package does not import torch, so that an experiment can be checked in an instant;
`learner_class` does.
"""

from harness.algorithms.registry import ALGORITHMS, hyperparameters_class, learner_class

__all__ = ["ALGORITHMS", "hyperparameters_class", "learner_class"]
