"""Trains and evaluates trials, without Ray, so that it also runs in a plain script."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.training.evaluation import Evaluation, Evaluator
    from harness.training.pack import Pack
    from harness.training.policy_evaluation import evaluate_policy
    from harness.training.trainer import Trainer

__all__ = ["Evaluation", "Evaluator", "Pack", "Trainer", "evaluate_policy"]

_MODULES = {
    "Evaluation": "evaluation",
    "Evaluator": "evaluation",
    "Pack": "pack",
    "Trainer": "trainer",
    "evaluate_policy": "policy_evaluation",
}


def __getattr__(name: str) -> Any:
    """Import on first access, so that processes that only run episodes do not load torch."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
