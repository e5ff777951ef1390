"""The hyper-parameters that a search varies, as axes of figures and of models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.reporting.results import Results
from harness.search.search import Value
from harness.search.spaces import Integers, LogIntegers, LogUniform, Uniform

DECADE = 10.0
"""The ratio of the largest to the smallest listed value from which an axis is taken as logarithmic."""


@dataclass(frozen=True)
class Hyperparameter:
    """What samples of a search have for one hyper-parameter.

    Attributes:
        path: its name.
        values: one for each sample.
        logarithmic: whether the logarithms of its values are even rather than the values.
    """

    path: str
    values: tuple[Value, ...]
    logarithmic: bool

    @property
    def is_numeric(self) -> bool:
        """Whether all values are numbers; true and false are not."""
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in self.values)

    @property
    def choices(self) -> tuple[str, ...]:
        """Its different values as texts: numbers by size, others as they come."""
        if self.is_numeric:
            return tuple(f"{number:.6g}" for number in np.unique(self.numbers))
        return tuple(dict.fromkeys(map(str, self.values)))

    @property
    def numbers(self) -> NDArray[np.float64]:
        """[n] The values, or of others than numbers their places among the choices."""
        if self.is_numeric:
            return np.array(self.values, np.float64)
        choices = self.choices
        return np.array([choices.index(str(value)) for value in self.values], np.float64)


def varied(results: Results, search: str, names: Sequence[str]) -> list[Hyperparameter]:
    """Return the hyper-parameters with several values among these samples of a search."""
    of = results.searches[search]
    found = []
    for path in of.paths:
        values = tuple(of.samples[name].get(path) for name in names)
        if len(set(map(repr, values))) > 1:
            found.append(Hyperparameter(path, values, _is_logarithmic(results, search, path, values)))
    return found


def _is_logarithmic(results: Results, search: str, path: str, values: tuple[Value, ...]) -> bool:
    """Return what the range says or, of listed values, whether they are positive and span a decade."""
    sweep = results.experiment.sweep if results.experiment else {}
    axis = sweep.get(f"algorithms.{search}.{path}")
    if isinstance(axis, LogUniform | LogIntegers | Uniform | Integers):
        return isinstance(axis, LogUniform | LogIntegers)
    listed = Hyperparameter(path, values, logarithmic=False)
    return listed.is_numeric and 0 < min(listed.numbers) <= max(listed.numbers) / DECADE
