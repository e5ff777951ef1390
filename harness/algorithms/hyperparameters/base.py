"""The hyper-parameters that every algorithm has."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from harness.validation import Number, Whole

StateScale = Annotated[tuple[Annotated[Number, Field(gt=0)], ...], Field(min_length=1)]
HiddenSizes = Annotated[
    tuple[Annotated[Whole, Field(ge=1, le=10_000)], ...], Field(min_length=1, max_length=100)
]


class NetworkCounts(NamedTuple):
    """The cost of a trial, in networks with the layers of `hidden_sizes`."""

    per_step: int
    """Passes in one gradient step, targets included; used to start the costliest trials first."""
    per_checkpoint: int
    """Copies of the weights: each network's own, its target's, and two moments of Adam."""


class Hyperparameters(BaseModel):
    """The hyper-parameters that all algorithms share; an algorithm adds its own in a subclass.

    Unknown keys, NaN and infinity are rejected. The text after a field is shown by `harness algorithms NAME`.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        validate_default=True,
        use_attribute_docstrings=True,
    )

    algorithm: str = ""
    """The algorithm: a built-in name, the name of an installed plug-in, or `module:Class`."""
    label: str | None = Field(None, min_length=1)
    """The name of the variant in tables and figures. No result depends on it."""
    batch_size: Whole = Field(256, ge=1, le=1_000_000)
    """Transitions in a batch, drawn uniformly with replacement."""
    hidden_sizes: HiddenSizes = (256, 256)
    """Units of the hidden layers of every network."""
    gradient_norm_clip: Number | None = Field(None, gt=0)
    """Largest norm of the gradient of each network; larger gradients are scaled down to it."""
    state_normalization: Literal["standardize", "none"] | StateScale = "standardize"
    """`standardize`: (s - mean) / (std + 1e-3) over the dataset; a list: s divided by it; `none`: s."""
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    """Precision of the factors of matrix products: `tf32` for all layers (GPU only), `bf16` for products
    between hidden layers (fused implementations only). Parameters, gradients and Adam moments are fp32."""
    implementation: Literal["auto", "autograd", "fused"] = "auto"
    """`autograd`: the specification in plain PyTorch; `fused`: hand-written derivatives, where an algorithm
    has them; `auto`: fused where there is one. Both give the same results up to rounding."""

    NETWORKS: ClassVar[NetworkCounts] = NetworkCounts(per_step=5, per_checkpoint=12)
    """The cost of a trial in networks; by default that of TD3."""

    @property
    def network_counts(self) -> NetworkCounts:
        """The cost of a trial in networks, where it depends on hyper-parameters."""
        return self.NETWORKS


class RecordedHyperparameters(Hyperparameters):
    """The recorded hyper-parameters of an algorithm whose code is not available."""

    model_config = ConfigDict(extra="allow")
