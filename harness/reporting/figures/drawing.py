"""What every figure is made from, and what it is once drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from harness.reporting.names import dataset_name
from harness.reporting.published import Published
from harness.reporting.published.shared import shared_datasets
from harness.reporting.results import Results
from harness.scores import Score


class NotApplicableError(Exception):
    """This figure cannot be drawn of these results; the message says why."""


@dataclass(frozen=True)
class Material:
    """
    Attributes:
        published: sources whose scores are drawn as dashed levels.
        reference: the algorithm that percent differences are taken to; by default the full TD3+BC.
        behaviour_returns: dataset to the returns of the episodes in it, as far as they are known.
    """

    results: Results
    score: Score = "final"
    published: Sequence[Published] = ()
    reference: str | None = None
    behaviour_returns: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def normalized(self) -> list[str]:
        """The datasets with normalized scores, those of one quality together, as the table has them."""
        metric = self.results.metric
        datasets = [name for name in self.results.datasets if metric[name] == "normalized_score"]
        qualities = [dataset_name(name).quality for name in datasets]
        return sorted(datasets, key=lambda name: qualities.index(dataset_name(name).quality))

    @property
    def datasets(self) -> list[str]:
        """All, in the order of the table's rows: those without normalized scores come last."""
        return list(dict.fromkeys([*self.normalized, *self.results.datasets]))

    @property
    def levels(self) -> list[Published]:
        """The published sources that have a score to draw."""
        ours = self.results.algorithms
        return [one for one in self.published if shared_datasets(self.results, one, one.shown(ours))]

    @property
    def only_published(self) -> list[str]:
        """The published algorithms to draw that the results do not have."""
        shown = [source.shown(self.results.algorithms) for source in self.levels]
        return list(
            dict.fromkeys(theirs for names in shown for theirs, ours in names.items() if ours is None)
        )


def of_several_seeds(results: Results, words: str) -> str:
    """The words of a caption about what one seed has not, such as a deviation, where there are more."""
    cells = results.finished.groupby(["algorithm", "dataset"], observed=True).size()
    return words if (cells > 1).any() else ""


@dataclass(frozen=True)
class Drawing:
    figure: Figure
    caption: str
