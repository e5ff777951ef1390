"""Hyper-parameters of EDAC and SAC-N (arXiv 2110.01548)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from typing_extensions import override

from harness.algorithms.hyperparameters.base import HiddenSizes, Hyperparameters, NetworkCounts, StateScale
from harness.validation import Number, Whole


class EDACHyperparameters(Hyperparameters):
    """EDAC (arXiv 2110.01548); with eta 0 it is SAC-N.

    Sources: `scripts/sac.py` of the authors' code (snu-mllab/EDAC), which CORL agrees with.
    `docs/algorithms/edac.md` has N and eta for each dataset.
    """

    algorithm: str = "edac"
    hidden_sizes: HiddenSizes = (256, 256, 256)
    """Units of the hidden layers of every network: 3 x 256 (authors' code)."""
    state_normalization: Literal["standardize", "none"] | StateScale = "none"
    """`standardize`: (s - mean) / (std + 1e-3) over the dataset; a list: s divided by it; `none`: s, as the
    authors do."""
    critics: Whole = Field(10, ge=2, le=1000)
    """N, the number of critics: 10 for most tasks, 50 for Hopper (EDAC); up to 500 (SAC-N)."""
    eta: Number = Field(1.0, ge=0)
    """Weight of the diversity term: 1 for most datasets, 5 for medium-expert data; 0 is SAC-N."""
    actor_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for the policy: 3e-4 (authors' code)."""
    critic_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for the critics: 3e-4 (authors' code)."""
    alpha_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for the entropy temperature: the policy's (authors' code)."""
    discount: Number = Field(0.99, ge=0, le=1)
    """Discount factor of future rewards: 0.99 (authors' code)."""
    tau: Number = Field(0.005, gt=0, le=1)
    """Share of the online weights in each update of the target critics: 0.005 (authors' code)."""

    @property
    @override
    def network_counts(self) -> NetworkCounts:
        return NetworkCounts(per_step=4 * self.critics, per_checkpoint=3 + 4 * self.critics)
