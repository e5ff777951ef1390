"""The values of hyper-parameters in the samples of a search, as axes of figures and of models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.reporting.results import Results
from harness.search.search import Search, Value
from harness.search.spaces import Integers, LogIntegers, LogUniform, Uniform

DECADE = 10.0
"""The ratio of the largest to the smallest listed value from which an axis is logarithmic."""


@dataclass(frozen=True)
class Hyperparameter:
    """The values of one hyper-parameter, one for each sample of a search."""

    path: str
    values: tuple[Value, ...]
    drawn: bool = False
    """Whether the values are drawn from a range; if not, they are listed."""
    logarithmic: bool = False
    """Whether the values are spread evenly on a logarithmic scale."""

    @property
    def is_numeric(self) -> bool:
        """Whether all values are numbers; true and false are not."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)

    @property
    def choices(self) -> tuple[str, ...]:
        """Its distinct values as text: numbers in ascending order, others in order of appearance."""
        if self.is_numeric:
            return tuple(f"{number:.6g}" for number in np.unique(self.numbers))
        return tuple(dict.fromkeys(map(str, self.values)))

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The values, [n]; for values that are not numbers, their positions among the choices."""
        if self.is_numeric:
            return np.array(self.values, np.float64)
        return np.array([self.choices.index(str(value)) for value in self.values], np.float64)


def varied(results: Results, search: str, names: Sequence[str]) -> list[Hyperparameter]:
    """Return the hyper-parameters with several values among these samples of a search."""
    searched = results.searches[search]
    sweep = results.experiment.sweep if results.experiment else {}
    found = []
    for path in searched.paths:
        values = tuple(searched.samples[name].get(path) for name in names)
        if len(set(map(repr, values))) > 1:
            axis = sweep.get(f"algorithms.{search}.{path}")
            logarithmic = isinstance(axis, LogUniform | LogIntegers)
            one = Hyperparameter(path, values, logarithmic or isinstance(axis, Uniform | Integers))
            if not one.drawn and one.is_numeric:
                logarithmic = 0 < min(one.numbers) <= max(one.numbers) / DECADE
            found.append(replace(one, logarithmic=bool(logarithmic)))
    return found


def listed_numbers(search: Search) -> dict[str, float]:
    """Map the samples of a grid of one hyper-parameter to its numbers; empty for other searches."""
    if search.drawn or len(search.paths) != 1:
        return {}
    (path,) = search.paths
    values = tuple(sample[path] for sample in search.samples.values())
    axis = Hyperparameter(path, values)
    return dict(zip(search.samples, axis.numbers.tolist(), strict=True)) if axis.is_numeric else {}


def default_sample(results: Results, search: Search) -> str | None:
    """Return the sample of a search that has the default values of its hyper-parameters."""
    variants = results.experiment.variants() if results.experiment else {}
    for name, values in search.samples.items():
        fields = type(variants[name]).model_fields if name in variants else {}
        if all(path in fields and fields[path].default == value for path, value in values.items()):
            return name
    return None
