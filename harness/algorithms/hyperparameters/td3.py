"""Hyper-parameters of TD3; the defaults are those of TD3+BC (arXiv 2106.06860, appendix C)."""

from __future__ import annotations

from pydantic import Field

from harness.algorithms.hyperparameters.base import Hyperparameters
from harness.validation import Number, Whole


class TD3Hyperparameters(Hyperparameters):
    """TD3 (arXiv 1802.09477)."""

    algorithm: str = "td3"
    actor_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for the policy."""
    critic_learning_rate: Number = Field(3e-4, gt=0)
    """Adam's learning rate for both critics."""
    discount: Number = Field(0.99, ge=0, le=1)
    """Discount factor of future rewards."""
    tau: Number = Field(0.005, gt=0, le=1)
    """Share of the online weights in each update of the target networks."""
    target_noise: Number = Field(0.2, ge=0)
    """Standard deviation of the noise on target actions, as a fraction of max_action."""
    target_noise_clip: Number = Field(0.5, ge=0)
    """Largest noise on target actions, as a fraction of max_action."""
    policy_freq: Whole = Field(2, ge=1)
    """Gradient steps per update of the policy and the target networks."""
