"""The samples of a search: their scores against each hyper-parameter, and against all at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from harness.reporting import captions
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.figures.style import Look, looks
from harness.reporting.names import hyperparameter_label
from harness.reporting.selection.candidates import all_candidates
from harness.reporting.selection.hyperparameters import Hyperparameter, varied
from harness.reporting.statistics import spread

MOST_BINS, FEWEST_IN_BIN = 6, 4
COLORS = "viridis"
MOST_SIDE_BY_SIDE = 4
"""The most hyper-parameters with which two panels fit side by side."""
ABOVE_ENDS = 13
"""Points between an axis and its title, as room for the largest values."""
LONGEST_NAME = 10
"""Characters of a name below its axis; a longer one is broken into lines at its spaces."""


def responses(material: Material) -> Drawing:
    """Draw a panel per hyper-parameter of each search: scores of samples, and their mean with an interval."""
    results = material.results.ungrouped
    candidates = all_candidates(results, material.score)
    by_search = {name: list(own) for name, own in groupby(candidates, attrgetter("search"))}
    drawn = [
        (search, path, own) for search, own in by_search.items() for path in results.searches[search].paths
    ]
    figure, axes = layout.panels(len(drawn))
    look = looks(results.datasets, results.titles)
    handles: dict[str, Artist] = {}
    for axis, (search, path, own) in zip(axes, drawn, strict=True):
        for each in own:
            found = {one.path: one for one in varied(results, search, each.names)}
            if path in found:
                handles[each.dataset] = _draw_response(axis, found[path], each.means, look[each.dataset])
                _scale(axis, found[path])
        axis.set_xlabel(hyperparameter_label(path))
        layout.title(axis, results.title(search))
    layout.label_left(axes, [results.measure(own[0].dataset) for _, _, own in drawn])
    layout.legend_below(figure, list(handles.values()))
    return Drawing(
        figure,
        "Response to each hyper-parameter: a point per sample, and the mean with its 95 % t interval of the "
        "samples with one value or, where values are drawn, of bins of equally many samples. "
        f"{captions.of_sample(results, material.score)}",
        results,
    )


def parallel_coordinates(material: Material) -> Drawing:
    """Draw a panel per search and dataset: a line per sample through its values, coloured by its score."""
    results = material.results.ungrouped
    candidates = all_candidates(results, material.score)
    widest = max(len(results.searches[each.search].paths) for each in candidates)
    figure, axes = layout.panels(len(candidates), 2.2, 1 if widest > MOST_SIDE_BY_SIDE else 2)
    for axis, each in zip(axes, candidates, strict=True):
        hyperparameters = varied(results, each.search, each.names)
        _draw_parallel(axis, hyperparameters, each.means, results.measure(each.dataset))
        axis.set_title(f"{results.title(each.dataset)}, {results.title(each.search)}", pad=ABOVE_ENDS)
    return Drawing(
        figure,
        "Samples of a search: a line per sample through its hyper-parameters, each axis from the smallest to "
        "the largest value (logarithmic where values are drawn or listed so), to its score, which also gives "
        f"its colour; the thick line is the best. {captions.of_sample(results, material.score)}",
        results,
    )


def _draw_response(
    axis: Axes, hyperparameter: Hyperparameter, scores: NDArray[np.float64], look: Look
) -> Artist:
    at = hyperparameter.numbers
    axis.plot(at, scores, color=look.color, marker=look.marker, markersize=2.5, linestyle="", alpha=0.35)
    centers, means, errors = [], [], []
    for rows in _bins(hyperparameter):
        is_log = hyperparameter.logarithmic
        centers.append(float(np.exp(np.log(at[rows]).mean()) if is_log else at[rows].mean()))
        means.append(float(scores[rows].mean()))
        errors.append(float(np.nan_to_num(spread(scores[rows], "ci"))))
    axis.errorbar(centers, means, errors, color=look.color, linestyle="", capsize=2)
    (line,) = axis.plot(centers, means, **look.curve, markersize=4)
    return line


def _scale(axis: Axes, hyperparameter: Hyperparameter) -> None:
    """Make the x axis logarithmic, or label its ticks if the values are not numbers."""
    if hyperparameter.logarithmic:
        axis.set_xscale("log")
        layout.plain_numbers(axis.xaxis)
    elif not hyperparameter.is_numeric:
        axis.set_xticks(range(len(hyperparameter.choices)), hyperparameter.choices)
        axis.margins(x=0.15)
    else:
        axis.locator_params(axis="x", nbins=5)


def _bins(hyperparameter: Hyperparameter) -> list[NDArray[np.intp]]:
    """Group samples by listed values, or by few drawn ones; else into bins of equally many."""
    at = hyperparameter.numbers
    values = np.unique(at)
    if not hyperparameter.drawn or len(values) <= MOST_BINS:
        return [np.flatnonzero(at == value) for value in values]
    count = max(1, min(MOST_BINS, len(at) // FEWEST_IN_BIN))
    return list(np.array_split(np.argsort(at, kind="stable"), count))


def _draw_parallel(
    axis: Axes, hyperparameters: Sequence[Hyperparameter], scores: NDArray[np.float64], label: str
) -> None:
    heights = np.stack([*map(_heights, hyperparameters), _scaled(scores)])
    colors = ScalarMappable(Normalize(scores.min(), scores.max()), mpl.colormaps[COLORS])
    positions = np.arange(len(heights))
    order = np.argsort(scores, kind="stable")
    for sample in order:
        width, alpha = (2.2, 1.0) if sample == order[-1] else (0.9, 0.75)
        color = colors.to_rgba(scores[sample])
        axis.plot(positions, heights[:, sample], color=color, linewidth=width, alpha=alpha)
    axis.grid(False)
    axis.set_ylim(-0.02, 1.02)
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)
    names = [*(hyperparameter_label(each.path) for each in hyperparameters), label]
    axis.set_xticks(
        positions, [name if len(name) <= LONGEST_NAME else name.replace(" ", "\n") for name in names]
    )
    axis.tick_params(axis="x", length=0, pad=10)
    ends = [*map(_ends, hyperparameters), (f"{scores.min():.1f}", f"{scores.max():.1f}")]
    for position, (low, high) in enumerate(ends):
        axis.axvline(position, color="0.75", linewidth=0.8, zorder=0)
        for text, height, points, side in ((low, 0, -3, "top"), (high, 1, 3, "bottom")):
            axis.annotate(
                text, (position, height), xytext=(0, points), textcoords="offset points",
                ha="center", va=side, fontsize=7, color="0.3",
            )  # fmt: skip


def _heights(hyperparameter: Hyperparameter) -> NDArray[np.float64]:
    """Return where the values are on their axis, from 0 to 1."""
    numbers = hyperparameter.numbers
    return _scaled(np.log(numbers) if hyperparameter.logarithmic else numbers)


def _scaled(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    width = np.ptp(numbers)
    scaled: NDArray[np.float64] = (numbers - numbers.min()) / width if width else np.full(len(numbers), 0.5)
    return scaled


def _ends(hyperparameter: Hyperparameter) -> tuple[str, str]:
    """Return the values at the two ends of an axis."""
    if hyperparameter.is_numeric:
        return f"{hyperparameter.numbers.min():.3g}", f"{hyperparameter.numbers.max():.3g}"
    return hyperparameter.choices[0], hyperparameter.choices[-1]
