"""What can be set of each algorithm; every default is the paper's (arXiv 2106.06860, appendix C)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.validation import Number, Whole

StateScale = Annotated[tuple[Annotated[Number, Field(gt=0)], ...], Field(min_length=1)]


class Hyperparameters(BaseModel):
    """What every algorithm has."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    networks: ClassVar[int] = 1
    """A gradient step goes through so many, targets among them."""

    algorithm: str
    batch_size: Whole = Field(256, ge=1, le=1_000_000)
    hidden_sizes: Annotated[
        tuple[Annotated[Whole, Field(ge=1, le=10_000)], ...], Field(min_length=1, max_length=100)
    ] = (256, 256)
    actor_learning_rate: Number = Field(3e-4, gt=0)
    gradient_norm_clip: Number | None = Field(None, gt=0)
    state_normalization: Literal["standardize", "none"] | StateScale = "standardize"
    """`standardize`: (s - mean) / (std + 1e-3) over the dataset; a list: s divided by it, as it stands."""
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    """Of the factors of products: of all in tf32 (on GPUs alone), of those between hidden layers in bf16.
    Parameters, their gradients and their moments are fp32 always."""


class BCHyperparameters(Hyperparameters):
    """Behaviour cloning: mean (pi(s) - a)^2 alone."""

    algorithm: Literal["bc"] = "bc"


class TD3Hyperparameters(Hyperparameters):
    """TD3 (arXiv 1802.09477); noises are in units of the largest action."""

    networks: ClassVar[int] = 5
    algorithm: str = "td3"
    critic_learning_rate: Number = Field(3e-4, gt=0)
    discount: Number = Field(0.99, ge=0, le=1)
    tau: Number = Field(0.005, gt=0, le=1)
    target_noise: Number = Field(0.2, ge=0)
    target_noise_clip: Number = Field(0.5, ge=0)
    policy_freq: Whole = Field(2, ge=1)


class TD3BCHyperparameters(TD3Hyperparameters):
    """TD3+BC; the two switches are the paper's ablations (section 6)."""

    algorithm: Literal["td3_bc"] = "td3_bc"
    alpha: Number = Field(2.5, ge=0)
    behaviour_cloning: bool = True
    """False drops the term mean (pi(s) - a)^2."""
    normalize_lambda: bool = True
    """False uses lambda = alpha as it stands, not divided by mean |Q|."""
