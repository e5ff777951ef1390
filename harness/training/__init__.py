"""Trains and evaluates trials, without Ray, so that it also runs in a plain script.

settings                when a trial is trained, evaluated and saved, and how policies are selected
pack                    trains trials side by side (protocols: what the code that schedules it may use)
trainer                 a pack of one trial, for scripts
loading                 the datasets of trials
packed_data             the same as tensors (normalization: their statistics)
evaluation              runs the episodes of an evaluation (environment: makes and checks environments)
kept_policies           the policies that a trial saves
policy_evaluation       evaluates saved policies
fitted_q                estimates the values of policies from data alone
"""

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
