"""Training one trial and evaluating it: no Ray, so that it runs alone in a plain script."""

from harness.training.evaluation import Evaluation, Evaluator
from harness.training.pack import Pack
from harness.training.policy import Policy
from harness.training.trainer import Trainer

__all__ = ["Evaluation", "Evaluator", "Pack", "Policy", "Trainer"]
