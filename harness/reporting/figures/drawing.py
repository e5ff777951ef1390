"""The input of every figure, the reference lines that it gives them, and the drawn figure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting.catalogue import FONT, WIDTH, Score, Spread
from harness.reporting.comparison import default_baseline
from harness.reporting.figures.style import PUBLISHED_LINES, Look, looks
from harness.reporting.names import dataset_name
from harness.reporting.published import Published
from harness.reporting.published.shared import published_score, shared_datasets
from harness.reporting.results import Results
from harness.reporting.selection.hyperparameters import default_sample, listed_numbers
from harness.reporting.statistics import spread
from harness.scores import DDOF

BEHAVIOUR = "Behaviour policy"
RAMP = "YlGnBu"
"""The colours of the values of a sweep, from the smallest to the largest."""
SPREADS = {"sd": f"standard deviation (ddof={DDOF})", "se": "standard error", "ci": "95 % t interval"}


class PublishedLevel(NamedTuple):
    """A published score to draw: its source, the algorithm there, the look it takes, and its line style."""

    source: str
    theirs: str
    look: str
    score: float
    line: Any


@dataclass(frozen=True)
class Material:
    """The results and options that figures are drawn from.

    Attributes:
        published: sources whose scores are drawn as horizontal levels.
        reference: the baseline of differences; by default the full TD3+BC.
        behaviour_returns: the returns of the episodes in each dataset, as far as they are known.
        error: the spread that is drawn around means over seeds.
        width: of the text that the figure is printed in, in inches.
        share_y: whether the panels in a row of learning curves share their scale.
        as_printed: whether differences are in per cent, as in the TD3+BC paper.
    """

    results: Results
    score: Score = "final"
    published: Sequence[Published] = ()
    reference: str | None = None
    behaviour_returns: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    error: Spread = "sd"
    width: float = WIDTH
    font: str = FONT
    share_y: bool = False
    as_printed: bool = False

    @property
    def normalized(self) -> list[str]:
        """The datasets with normalized scores, grouped by quality as in the table."""
        qualities = [dataset_name(name).quality for name in self.results.normalized]
        return sorted(self.results.normalized, key=lambda name: qualities.index(dataset_name(name).quality))

    @property
    def datasets(self) -> list[str]:
        """All datasets in the order of the table's rows; those without normalized scores come last."""
        return list(dict.fromkeys([*self.normalized, *self.results.datasets]))

    @property
    def levels(self) -> list[Published]:
        """The published sources that have a score to draw."""
        ours = self.results.algorithms
        return [one for one in self.published if shared_datasets(self.results, one, one.shown(ours))]

    @property
    def dataset_titles(self) -> list[str]:
        """The titles of the panels of `datasets`."""
        return [self.title(name) for name in self.datasets]

    def published_levels(self, dataset: str) -> Iterator[PublishedLevel]:
        """Yield the published scores on a dataset, with a different line style for each source."""
        for source, line in zip(self.levels, itertools.cycle(PUBLISHED_LINES), strict=False):
            for theirs, ours in source.shown(self.results.algorithms).items():
                if pair := published_score(self.results, source, theirs, dataset):
                    yield PublishedLevel(source.name, theirs, ours or theirs, pair[0], line)

    @property
    def baseline(self) -> str:
        """The variant that others are compared with."""
        return self.reference or default_baseline(self.results)

    @cached_property
    def look(self) -> dict[str, Look]:
        """The look of each algorithm, also of those that only published sources have.

        The values of a sweep, except the default, form a colour ramp.
        """
        algorithms = self.results.algorithms
        shown = [source.shown(algorithms) for source in self.levels]
        others = dict.fromkeys(theirs for names in shown for theirs, ours in names.items() if ours is None)
        found = looks([*algorithms, *others], self.results.titles)
        for search in self.results.searches.values():
            usual = looks([search.name])[search.name]
            numbers, default = listed_numbers(search), default_sample(self.results, search)
            for place, name in enumerate(sorted(numbers, key=lambda name: numbers[name])):
                color = to_hex(mpl.colormaps[RAMP](0.35 + 0.6 * place / max(1, len(numbers) - 1)))
                if name in found:
                    found[name] = found[name]._replace(color=usual.color if name == default else color)
        return found

    def title(self, name: str) -> str:
        """Return the title of a variant or dataset in figures."""
        return self.results.title(name)

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the half-width of the band around the mean over the first axis, of seeds; 0 for one seed."""
        return spread(values, self.error) if len(values) > 1 else np.zeros(values.shape[1:])

    def around(self, words: str = "± ") -> str:
        """Name the spread for a caption, if any cell has several seeds."""
        cells = self.results.finished.groupby(["algorithm", "dataset"], observed=True).size()
        return f", {words}{SPREADS[self.error]}" if (cells > 1).any() else ""

    @property
    def mean_label(self) -> str:
        """Name mean and spread for an axis."""
        error = "95 % CI" if self.error == "ci" else self.error.upper()
        return f"mean ± {error}" if self.around() else "mean"


@dataclass(frozen=True)
class Drawing:
    """Holds a figure and its caption."""

    figure: Figure
    caption: str
    results: Results | None = None
    """What is shown if that is not what was asked for, such as all samples of a search."""


def behaviour_level(line: Callable[..., Line2D], material: Material, dataset: str) -> dict[str, Artist]:
    """Draw the score of the behaviour policy if it is known, and return the line for the legend.

    `line` is `axhline` or `axvline` of the panel, whose scale it extends.
    """
    returns = material.behaviour_returns.get(dataset, np.zeros(0))
    returns = returns[np.isfinite(returns)]
    if not len(returns):
        return {}
    try:
        slope, intercept = material.results.normalizer(dataset)
    except HarnessError:
        return {}
    dotted = (0, (1, 1.2))
    look = {"color": "0.35", "linewidth": 0.9, "linestyle": dotted, "zorder": 0.6, "label": BEHAVIOUR}
    return {BEHAVIOUR: line(slope * float(returns.mean()) + intercept, **look)}


def reference_levels(
    line: Callable[..., Line2D], limits: tuple[float, float], results: Results, dataset: str
) -> None:
    """Draw the normalized scores 0 and 100 if they are within the limits of an axis."""
    if dataset in results.normalized:
        for level in (0, 100):
            if limits[0] <= level <= limits[1]:
                line(level, color="0.55", linewidth=0.6, zorder=0.5)
