"""Hyper-parameters of TD3+BC; the defaults are those of the paper (arXiv 2106.06860, appendix C)."""

from __future__ import annotations

from pydantic import Field

from harness.algorithms.hyperparameters.td3 import TD3Hyperparameters
from harness.validation import Number


class TD3BCHyperparameters(TD3Hyperparameters):
    """TD3+BC (arXiv 2106.06860); the two switches are the ablations of its section 6."""

    algorithm: str = "td3_bc"
    alpha: Number = Field(2.5, ge=0)
    """Weight of the Q term in the policy loss: lambda = alpha / mean |Q|."""
    behaviour_cloning: bool = True
    """Whether the policy loss has the term mean (pi(s) - a)^2."""
    normalize_lambda: bool = True
    """Whether lambda is divided by mean |Q|; if not, lambda = alpha."""
