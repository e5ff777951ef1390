"""Offline RL algorithms over tensors: no Ray, no environment, no file.

Each algorithm is a module of its name, such as `iql`; its hyper-parameters are in `hyperparameters/`, and
`registry` finds both. Importing this package does not import torch, so that an experiment can be checked at
once.

What algorithms are made of:
    autograd                the base class of learners whose losses are plain PyTorch
    modules                 networks of one seed (seed_modules: those of all seeds, called side by side)
    data                    the batch that an update gets (sampling: draws it)
    adam                    the optimizer
    noise, streams          random numbers by seed, name and gradient step
    fused/                  BC, TD3 and TD3+BC with hand-written derivatives

Around them:
    learner                 the contract between a learner and the code that trains it
    contract                checks of a user's algorithm (made_up_data: what it is tried on)
    cuda_graphs, numerics   how gradient steps run on a device
    policy, export          policies made of networks; TorchScript and ONNX
    fqe                     fitted Q evaluation, which `selection` in an experiment requests
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
