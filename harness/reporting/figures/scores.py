"""Scores as points: a panel per dataset with a row per algorithm, and a dot per seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from harness.reporting import captions
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material, behaviour_level, reference_levels


def score_points(material: Material) -> Drawing:
    """Draw a panel per dataset: for each algorithm a dot per seed, and their mean with its spread."""
    results = material.results
    values = results.score_arrays(material.score)
    look = material.look

    def draw(axis: Axes, dataset: str) -> dict[str, Artist]:
        for row, name in enumerate(look):
            if (name, dataset) in values:
                draw_mean(axis, row, values[name, dataset], material, name)
        return dict(_draw_published(axis, material, dataset))

    figure, handles = dataset_panels(material, list(look), draw)
    dots = Line2D([], [], color="0.4", marker="o", markersize=2.5, linestyle="", alpha=0.6, label="One seed")
    mean = Line2D([], [], color="0.2", marker="o", markersize=4, label="Mean")
    layout.legend_below(figure, [mean, dots, *handles.values()])
    return Drawing(
        figure,
        f"{captions.measure(results)}: mean over {captions.seeds(results)}{material.around()}, and a dot per "
        f"seed, of {captions.of_trial(results, material.score)}." + captions.dashed(material.levels, results),
    )


def dataset_panels(
    material: Material, names: list[str], draw: Callable[[Axes, str], dict[str, Artist]]
) -> tuple[Figure, dict[str, Artist]]:
    """Create a panel per dataset with a row per algorithm, on one scale if all have normalized scores.

    `draw` fills the panel of a dataset, and returns what the legend shows.
    """
    results, datasets = material.results, material.datasets
    figure, axes = layout.row_panels(
        [material.title(name) for name in datasets], [material.look[name].label for name in names]
    )
    handles: dict[str, Artist] = {}
    for axis, dataset in zip(axes, datasets, strict=True):
        handles |= draw(axis, dataset)
        handles |= behaviour_level(axis.axvline, material, dataset)
    kinds = [results.measure(dataset) for dataset in datasets]
    is_shared = len(set(kinds)) == 1
    if is_shared:
        layout.share_scale(axes)
    else:  # each panel has a label and numbers below it
        more = 3 * layout.LINE * ((len(axes) - 1) // layout.across(axes))
        figure.set_figheight(figure.get_figheight() + more)
    for axis, dataset, kind in zip(axes, datasets, kinds, strict=True):
        reference_levels(axis.axvline, axis.get_xlim(), results, dataset)
        if not is_shared or axis in axes[-layout.across(axes) :]:
            axis.set_xlabel(f"{kind}\n({material.mean_label})")
    return figure, handles


def draw_mean(axis: Axes, row: int, seeds: NDArray[np.float64], material: Material, name: str) -> None:
    """Draw a dot per seed below, and the mean with its spread above."""
    look = material.look[name]
    if not np.isfinite(seeds).all():
        layout.write_in_row(axis, row, "NaN")
        return
    axis.plot(seeds, np.full(len(seeds), row + 0.22), "o", color=look.color, markersize=2.2, alpha=0.6, mew=0)
    mean, error = float(seeds.mean()), float(material.spread(seeds))
    axis.plot([mean - error, mean + error], [row - 0.12] * 2, color=look.color, linewidth=1.2)
    axis.plot(mean, row - 0.12, look.marker, color=look.color, markersize=4)


def _draw_published(axis: Axes, material: Material, dataset: str) -> Iterator[tuple[str, Artist]]:
    """Mark published scores as ticks across the row of their algorithm."""
    rows = list(material.look)
    for level in material.published_levels(dataset):
        row = rows.index(level.look)
        line = {"color": "0.1", "linewidth": 1.2, "linestyle": level.line, "label": level.source}
        (drawn,) = axis.plot([level.score] * 2, [row - 0.42, row + 0.42], **line)
        yield level.source, drawn
