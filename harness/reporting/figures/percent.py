"""Differences in per cent, as the TD3+BC paper prints them: the figures with `--as-printed`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.figures.style import SMALLEST

LIMIT = 150.0
"""Bars longer than this (in per cent) are cut, and their number is written."""
ALL = "All"

Pairs = dict[tuple[str, str], NDArray[np.float64]]
"""(algorithm, dataset) to value and reference, such as worst and mean, of each finished trial [trials, 2]."""


def percent_differences(material: Material) -> Drawing:
    """Draw how far each variant is from the full algorithm in per cent (the paper's figures 1 and 5)."""
    results, reference = material.results, material.baseline
    means = {cell: float(np.mean(seeds)) for cell, seeds in results.score_arrays(material.score).items()}
    datasets = [name for name in material.datasets if (reference, name) in means]
    summed = [name for name in material.normalized if name in datasets]
    for name in results.algorithms:
        if len(summed) > 1 and all((name, dataset) in means for dataset in summed):
            means[name, ALL] = sum(means[name, dataset] for dataset in summed)
    pairs = {
        (name, dataset): np.array([[mean, means[reference, dataset]]])
        for (name, dataset), mean in means.items()
        if name != reference and (reference, dataset) in means
    }
    if not pairs:
        raise HarnessError("a difference requires at least two algorithms")
    rows = [*datasets, ALL] if any(dataset == ALL for _, dataset in pairs) else datasets
    in_all = f"; {ALL}: of the sums over the {len(summed)} datasets with normalized scores" * (ALL in rows)
    caption = (
        f"Per cent difference to {material.title(reference)}: 100 (score - reference) / |reference|, of "
        f"means over {captions.seeds(results)} of {captions.of_trial(results, material.score)}{in_all}"
    )
    return percent_bars(material, pairs, rows, caption)


def percent_bars(material: Material, pairs: Pairs, datasets: Sequence[str], caption: str) -> Drawing:
    """Draw a panel per algorithm with a bar per dataset, cut at `LIMIT` with its number inside."""
    names = [name for name in material.results.algorithms if any(name == algorithm for algorithm, _ in pairs)]
    rows = [ALL if name == ALL else material.title(name) for name in datasets]
    figure, axes = layout.row_panels([material.look[name].label for name in names], rows)
    for axis, name in zip(axes, names, strict=True):
        for row, dataset in enumerate(datasets):
            if (name, dataset) not in pairs:
                continue
            percents = np.array([percent_difference(*pair) for pair in pairs[name, dataset]])
            mean = float(percents.mean())
            error = float(material.spread(percents[:, None])[0]) if abs(mean) <= LIMIT else 0.0
            axis.barh(row, np.clip(mean, -LIMIT, LIMIT), 0.6, color=material.look[name].color,
                      xerr=error, error_kw={"linewidth": 0.7, "ecolor": "0.2"})  # fmt: skip
            if not abs(mean) <= LIMIT:
                _write_at_end(axis, row, mean)
        axis.axvline(0, color="0.3", linewidth=0.6)
        axis.set_xlim(-1.05 * LIMIT, 1.05 * LIMIT)
    layout.label_below(axes, "Per cent difference")
    return Drawing(
        figure,
        f"{caption}. Bars beyond ±{LIMIT:.0f} % are cut and numbered. "
        "Differences to numbers near 0 are large in per cent, whatever they mean.",
    )


def _write_at_end(axis: Axes, row: int, percent: float) -> None:
    """Write the number of a bar that is cut inside its end, or NaN."""
    axis.annotate(
        f"{percent:,.0f}" if np.isfinite(percent) else "NaN",
        (float(np.clip(np.nan_to_num(percent), -LIMIT, LIMIT)), row),
        xytext=(-3 if percent > 0 else 3, 0),
        textcoords="offset points",
        ha="right" if percent > 0 else "left",
        va="center_baseline",
        fontsize=SMALLEST,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
    )


def percent_difference(value: float, reference: float) -> float:
    """Return 100 (value - reference) / |reference|; NaN where the reference is 0."""
    return 100.0 * (value - reference) / abs(reference) if reference else float("nan")
