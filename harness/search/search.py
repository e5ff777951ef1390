"""The variants of one algorithm that differ only in swept hyper-parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "bool | int | float | str | tuple[Value, ...] | list[Value] | None"
"""A value of a hyper-parameter."""


@dataclass(frozen=True)
class Search:
    """Holds the hyper-parameters of the samples of a search.

    Attributes:
        name: the searched variant, such as `td3_bc`.
        samples: by the name of each sample, which is a variant too, its values by the path of the
            hyper-parameter below the algorithm, such as `alpha`.
        drawn: whether values were drawn from ranges; False for a grid of lists, whose variants have their own
            columns in tables.
    """

    name: str
    samples: Mapping[str, Mapping[str, Value]]
    drawn: bool = True

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the hyper-parameters that differ between samples, in the order of the experiment."""
        return tuple(dict.fromkeys(path for values in self.samples.values() for path in values))

    def mark(self, sample: str) -> str:
        """Return the part of a sample's name that identifies it, such as `s07` of `td3_bc@s07`."""
        return sample.rpartition("@")[2].rpartition(",")[2]

    def describe(self, sample: str) -> str:
        """Return the mark of a sample and its values, such as `s07: alpha=0.31, tau=0.005`."""
        values = ", ".join(f"{path}={value}" for path, value in self.samples[sample].items())
        return f"{self.mark(sample)}: {values}"


def searches_in(variants: Iterable[str]) -> dict[str, Search]:
    """Return the grids described by names of variants such as `td3_bc@alpha=2.5`, by algorithm.

    For results without an experiment, such as a CSV file.
    """
    grids: dict[str, dict[str, Mapping[str, Value]]] = {}
    for variant in variants:
        name, at, setting = variant.partition("@")
        pairs = [part.partition("=") for part in setting.split(",")]
        if at and all(path and equals for path, equals, _ in pairs):
            grids.setdefault(name, {})[variant] = {path: _value(text) for path, _, text in pairs}
    return {name: Search(name, samples, drawn=False) for name, samples in grids.items()}


def _value(text: str) -> Value:
    try:
        return float(text)
    except ValueError:
        return text
