"""Which algorithms there are: a name, its hyper-parameters, and the module of its learner."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.algorithms.hyperparameters import BCHyperparameters, TD3BCHyperparameters, TD3Hyperparameters

if TYPE_CHECKING:
    from harness.algorithms.hyperparameters import Hyperparameters
    from harness.algorithms.learner import Learner


class Algorithm(NamedTuple):
    hyperparameters: type[Hyperparameters]
    learner: str  # "module:class", imported only when a learner is built


ALGORITHMS: dict[str, Algorithm] = {
    "td3_bc": Algorithm(TD3BCHyperparameters, "harness.algorithms.td3_bc:TD3BC"),
    "td3": Algorithm(TD3Hyperparameters, "harness.algorithms.td3:TD3"),
    "bc": Algorithm(BCHyperparameters, "harness.algorithms.bc:BC"),
}


def hyperparameters_class(name: str) -> type[Hyperparameters]:
    return ALGORITHMS[name].hyperparameters


def learner_class(name: str) -> type[Learner[Any]]:
    module, _, attribute = ALGORITHMS[name].learner.partition(":")
    found: type[Learner[Any]] = getattr(import_module(module), attribute)
    return found
