"""Settings for some trials of an experiment, such as hyper-parameters published for one dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field, model_validator

from harness.algorithms.hyperparameters import Hyperparameters
from harness.datasets.settings import DataSettings
from harness.errors import HarnessError
from harness.trial import read_hyperparameters
from harness.validation import Settings, validate


class Override(Settings):
    """Different settings for the trials of an algorithm, on a dataset, or both."""

    algorithm: str | None = None
    """A variant, or the name before the `@` of all variants of a sweep; by default all algorithms."""
    dataset: str | None = None
    """The name of a dataset; by default all datasets."""
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    """Hyper-parameters that replace those in `algorithms`."""
    data: dict[str, Any] = Field(default_factory=dict)
    """Settings that replace those in `data`."""

    @model_validator(mode="after")
    def _changes_something(self) -> Override:
        if not self.hyperparameters and not self.data:
            raise ValueError("it changes nothing; give hyperparameters or data")
        if "algorithm" in self.hyperparameters:
            raise ValueError("the algorithm cannot be overridden; add a variant to algorithms")
        if "label" in self.hyperparameters:
            raise ValueError("a label belongs to a whole variant; set it in algorithms")
        return self

    def applies_to(self, variant: str) -> bool:
        """Return whether trials of a variant are affected."""
        return self.algorithm in (None, variant, variant.partition("@")[0])


def overridden(
    overrides: Sequence[Override],
    variant: str,
    dataset: str,
    hyperparameters: Hyperparameters,
    data: DataSettings,
) -> tuple[Hyperparameters, DataSettings]:
    """Return hyper-parameters and data settings of a variant on a dataset; later overrides win."""
    for index, override in enumerate(overrides):
        if not override.applies_to(variant) or override.dataset not in (None, dataset):
            continue
        where = f"overrides.{index}"
        if override.hyperparameters:
            changed = hyperparameters.model_dump() | override.hyperparameters
            hyperparameters = read_hyperparameters(changed, f"{where}.hyperparameters")
        try:
            data = validate(DataSettings, data.model_dump() | override.data, f"{where}.data")
        except HarnessError as error:
            raise ValueError(str(error)) from error
    return hyperparameters, data
