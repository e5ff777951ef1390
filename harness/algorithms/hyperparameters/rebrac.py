"""Hyper-parameters of ReBRAC.

The defaults are those for Gym-MuJoCo in the appendix of the paper (arXiv 2305.09836) and in its authors' code
(https://github.com/corl-team/CORL, algorithms/offline/rebrac.py).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.algorithms.hyperparameters.base import HiddenSizes, NetworkCounts, StateScale
from harness.algorithms.hyperparameters.td3 import TD3Hyperparameters
from harness.validation import Number, Whole


class ReBRACHyperparameters(TD3Hyperparameters):
    """ReBRAC (arXiv 2305.09836); both penalties are chosen for each dataset (its appendix)."""

    algorithm: str = "rebrac"
    batch_size: Whole = Field(1024, ge=1, le=1_000_000)
    """Transitions in a batch, drawn uniformly with replacement: 256 for AntMaze and Adroit."""
    hidden_sizes: HiddenSizes = (256, 256, 256)
    """Units of the hidden layers of every network."""
    state_normalization: Literal["standardize", "none"] | StateScale = "none"
    """`standardize`: (s - mean) / (std + 1e-3) over the dataset; a list: s divided by it; `none`: s."""
    actor_learning_rate: Number = Field(1e-3, gt=0)
    """Adam's learning rate for the policy: 3e-4 for AntMaze and Adroit."""
    critic_learning_rate: Number = Field(1e-3, gt=0)
    """Adam's learning rate for both critics: 5e-5 for AntMaze, 3e-4 for Adroit."""
    discount: Number = Field(0.99, ge=0, le=1)
    """Discount factor of future rewards: 0.999 for AntMaze."""
    actor_penalty: Number = Field(1.0, ge=0)
    """Weight of |pi(s) - a|^2 in the policy loss (beta_1 in the paper, which uses 0.001 to 0.1)."""
    critic_penalty: Number = Field(1.0, ge=0)
    """Weight of |a' - next action|^2 in the critics' target (beta_2 in the paper, which uses 0 to 0.5)."""
    normalize_lambda: bool = True
    """Whether Q is divided by mean |Q| in the policy loss."""
    actor_layer_norm: bool = False
    """Whether the policy's hidden layers are normalised after their activation."""
    critic_layer_norm: bool = True
    """Whether the critics' hidden layers are normalised after their activation."""

    NETWORKS = NetworkCounts(per_step=8, per_checkpoint=12)
