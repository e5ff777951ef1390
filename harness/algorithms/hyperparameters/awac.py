"""Hyper-parameters of AWAC (arXiv 2006.09359); the defaults are CORL's for D4RL's locomotion tasks."""

from __future__ import annotations

from pydantic import Field

from harness.algorithms.hyperparameters.base import HiddenSizes, Hyperparameters, NetworkCounts
from harness.validation import Number


class AWACHyperparameters(Hyperparameters):
    """AWAC (arXiv 2006.09359).

    Sources: `examples/awac` of the authors' code (rail-berkeley/rlkit) and `configs/offline/awac` of CORL.
    `docs/algorithms/awac.md` has the settings for each group of datasets.
    """

    algorithm: str = "awac"
    hidden_sizes: HiddenSizes = (256, 256, 256)
    """Units of the hidden layers of every network: 3 x 256 (CORL); 4 x 256 (authors' policy)."""
    temperature: Number = Field(0.3333, gt=0)
    """Lambda of the paper, the divisor of advantages: 0.3333 (CORL); 2 (authors' MuJoCo example)."""
    largest_weight: Number = Field(100.0, gt=0)
    """Upper bound of the weights exp(A / lambda): 100 (CORL); the authors normalise them per batch."""
    actor_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for the policy: 3e-4 (authors' code, CORL)."""
    critic_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for both critics: 3e-4 (authors' code, CORL)."""
    discount: Number = Field(0.99, ge=0, le=1)
    """Discount factor of future rewards: 0.99 (authors' code, CORL)."""
    tau: Number = Field(0.005, gt=0, le=1)
    """Share of the online weights in each update of the target critics: 0.005 (authors' code, CORL)."""

    NETWORKS = NetworkCounts(per_step=10, per_checkpoint=11)
