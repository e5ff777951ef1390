"""The variants of an experiment: its algorithms, with sweeps expanded, and overrides for some trials."""

from __future__ import annotations

import itertools
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, model_validator

from harness.algorithms.hyperparameters import Hyperparameters
from harness.datasets.settings import DataSettings
from harness.errors import HarnessError
from harness.search import Search, Value
from harness.search.axes import Axes, ranges
from harness.search.sampling import sample_name
from harness.search.spaces import Space
from harness.trial import read_hyperparameters, slug
from harness.validation import Settings, validate


@dataclass(frozen=True)
class Variants:
    """The variants of every algorithm; that of an algorithm without a sweep has the algorithm's name."""

    hyperparameters: Mapping[str, Hyperparameters]
    """By variant."""
    swept: Mapping[str, Mapping[str, Mapping[str, Value]]]
    """The values that a sweep sets, by algorithm, variant and hyper-parameter."""

    def searches(self, drawn: Container[str]) -> dict[str, Search]:
        """Return the searches for hyper-parameters by algorithm; those in `drawn` have samples of ranges."""
        found = {}
        for algorithm, variants in self.swept.items():
            samples = {
                variant: {path: getattr(self.hyperparameters[variant], path) for path in values}
                for variant, values in variants.items()
                if values
            }
            if samples:
                found[algorithm] = Search(algorithm, samples, drawn=algorithm in drawn)
        return found


def expand(
    algorithms: Mapping[str, Hyperparameters],
    axes: Axes,
    sampled: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Variants:
    """Return one variant for each combination of listed values and each sample of ranges.

    Hyper-parameters must accept these values, and the limits of ranges.
    """
    for algorithm, spaces in ranges(axes).items():
        for path, space in spaces.items():
            for value in space.to_check:
                _with_values(algorithms, algorithm, {path: value})
    swept = {name: _settings(name, own, sampled.get(name, ({},))) for name, own in axes.items()}
    hyperparameters: dict[str, Hyperparameters] = {}
    for algorithm, variants in swept.items():
        for variant, values in variants.items():
            if variant in hyperparameters:
                raise ValueError(f"two variants would have the name {variant}; rename one of them")
            hyperparameters[variant] = _with_values(algorithms, algorithm, values)
    return Variants(hyperparameters, swept)


def _settings(
    algorithm: str, axes: Mapping[str, Any], samples: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Value]]:
    """Return the values of each variant of an algorithm."""
    lists = {path: values for path, values in axes.items() if not isinstance(values, Space)}
    grid = [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]
    return {
        _name(algorithm, listed, index if sample else None): {**listed, **sample}
        for listed in grid
        for index, sample in enumerate(samples)
    }


def _with_values(
    algorithms: Mapping[str, Hyperparameters], algorithm: str, values: Mapping[str, Any]
) -> Hyperparameters:
    raw = {**algorithms[algorithm].model_dump(), **values}
    try:
        return read_hyperparameters(raw, f"sweep.algorithms.{algorithm}")
    except ValueError as error:
        hint = "; integers and log_integers draw whole numbers" if "whole number" in str(error) else ""
        raise ValueError(f"{error}{hint}") from None


def _name(algorithm: str, listed: Mapping[str, Any], sample: int | None) -> str:
    parts = [f"{path}={slug(str(value))}" for path, value in listed.items()]
    parts += [] if sample is None else [sample_name(sample)]
    return f"{algorithm}@{','.join(parts)}" if parts else algorithm


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
