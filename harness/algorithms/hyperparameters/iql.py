"""Hyper-parameters of IQL (arXiv 2110.06169); the defaults are those for D4RL's locomotion tasks."""

from __future__ import annotations

from pydantic import Field

from harness.algorithms.hyperparameters.base import Hyperparameters, NetworkCounts
from harness.validation import Number


class IQLHyperparameters(Hyperparameters):
    """IQL (arXiv 2110.06169).

    Sources: the paper's appendix B, `configs/*.py` of the authors' code (ikostrikov/implicit_q_learning) and
    `configs/offline/iql` of CORL. `docs/algorithms/iql.md` has the settings for each group of datasets.
    """

    algorithm: str = "iql"
    expectile: Number = Field(0.7, gt=0, lt=1)
    """Expectile of Q that V regresses to: 0.7; AntMaze 0.9 (paper, appendix B)."""
    beta: Number = Field(3.0, ge=0)
    """Inverse temperature of the advantage weights: 3; AntMaze 10; Kitchen and Adroit 0.5 (appendix B)."""
    largest_weight: Number = Field(100.0, gt=0)
    """Upper bound of the weights exp(beta A): 100 (authors' code, `actor.py`)."""
    deterministic_policy: bool = False
    """Whether the policy is deterministic and minimises w |pi(s) - a|^2, as in two CORL files."""
    actor_dropout: Number = Field(0.0, ge=0, lt=1)
    """Dropout rate of the policy's hidden units: 0; Kitchen and Adroit 0.1 (appendix B)."""
    actor_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for the policy: 3e-4 (appendix B)."""
    actor_learning_rate_schedule: bool = True
    """Whether that rate falls to 0 along a cosine over the whole training (appendix B)."""
    critic_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for both critics: 3e-4 (appendix B)."""
    value_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for V: 3e-4 (appendix B)."""
    discount: Number = Field(0.99, ge=0, le=1)
    """Discount factor of future rewards: 0.99 (authors' code)."""
    tau: Number = Field(0.005, gt=0, le=1)
    """Share of the online weights in each update of the target critics: 0.005 (authors' code)."""

    NETWORKS = NetworkCounts(per_step=7, per_checkpoint=14)
