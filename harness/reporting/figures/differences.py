"""Worst episodes, worst evaluations, and differences in per cent as the TD3+BC paper prints them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.figures.scores import dataset_panels
from harness.reporting.figures.style import SMALLEST
from harness.reporting.results import Results
from harness.scores import FINAL_EVALUATIONS, TRIAL

LIMIT = 150.0
"""Bars longer than this (in per cent) are cut, and their number is written."""
ALL = "All"

Pairs = dict[tuple[str, str], NDArray[np.float64]]
"""(algorithm, dataset) to value and reference, such as worst and mean, of each finished trial [trials, 2]."""


def worst_episode(material: Material) -> Drawing:
    """Draw the worst episode of the last evaluation against the mean of all (the paper's figure 2)."""
    results = material.results
    if "episode_returns" not in results.frame:
        raise HarnessError("the returns of single episodes are not recorded (column episode_returns)")
    pairs = worst_episodes(results)
    if not pairs:
        raise HarnessError("no trial has the returns of its last evaluation's episodes")
    what = f"worst of the {captions.episodes(results)} episodes of the last evaluation"
    return _instability(material, pairs, what)


def worst_evaluation(material: Material) -> Drawing:
    """Draw the worst of the final evaluations against their mean (the paper's figure 3)."""
    what = f"worst of each trial's {captions.final_evaluations(material.results)}"
    return _instability(material, worst_evaluations(material.results), what)


def _instability(material: Material, pairs: Pairs, what: str) -> Drawing:
    if material.as_printed:
        over = f"{captions.seeds(material.results)}{material.around()}"
        caption = f"Per cent difference of the {what} to their mean; mean over {over}"
        return _percent_bars(material, pairs, material.datasets, caption)
    names = [name for name in material.results.algorithms if any(name == algorithm for algorithm, _ in pairs)]

    def draw(axis: Axes, dataset: str) -> dict[str, Artist]:
        for row, name in enumerate(names):
            if (name, dataset) in pairs:
                _dumbbell(axis, row, pairs[name, dataset], material, name)
        return {}

    figure, handles = dataset_panels(material, names, draw)
    ends = [
        Line2D([], [], color="0.3", marker="o", markersize=4, linestyle="", label="Mean"),
        Line2D([], [], color="0.3", marker="|", markersize=6, linestyle="", label="Worst"),
    ]
    layout.legend_below(figure, [*ends, *handles.values()])
    spread = material.around("around the worst: ± ")
    paired = f"{spread} over seeds of its difference to the mean" if spread else ""
    results = material.results
    return Drawing(
        figure,
        f"{captions.measure(results)}: the {what} and their mean, averaged over "
        f"{captions.seeds(results)}{paired}.",
    )


def _dumbbell(axis: Axes, row: int, pairs: NDArray[np.float64], material: Material, name: str) -> None:
    """Draw a thin line from mean to worst, and around the worst the spread of the difference over seeds."""
    look = material.look[name]
    worst, mean = pairs.mean(axis=0)
    error = float(material.spread(pairs[:, 0] - pairs[:, 1]))
    axis.plot([worst, mean], [row] * 2, color=look.color, linewidth=0.8)
    axis.plot([worst - error, worst + error], [row] * 2, color=look.color, linewidth=2.4, alpha=0.5)
    axis.plot(worst, row, "|", color=look.color, markersize=6, markeredgewidth=1.4)
    axis.plot(mean, row, look.marker, color=look.color, markersize=4)


def percent_differences(material: Material) -> Drawing:
    """Draw how far each variant is from the full algorithm in per cent (the paper's figures 1 and 5)."""
    results = material.results
    reference = material.baseline
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
    return _percent_bars(material, pairs, rows, caption)


def _percent_bars(material: Material, pairs: Pairs, datasets: Sequence[str], caption: str) -> Drawing:
    """Draw a panel per algorithm with a bar per dataset, cut at `LIMIT` with its number inside."""
    names = [name for name in material.results.algorithms if any(name == algorithm for algorithm, _ in pairs)]
    rows = [ALL if name == ALL else material.title(name) for name in datasets]
    figure, axes = layout.row_panels([material.look[name].label for name in names], rows)
    for axis, name in zip(axes, names, strict=True):
        for row, dataset in enumerate(datasets):
            percents = np.array([percent_difference(*pair) for pair in pairs.get((name, dataset), ())])
            if not len(percents):
                continue
            mean = float(percents.mean())
            error = float(material.spread(percents[:, None])[0]) if abs(mean) <= LIMIT else 0.0
            axis.barh(row, np.clip(mean, -LIMIT, LIMIT), 0.6, color=material.look[name].color,
                      xerr=error, error_kw={"linewidth": 0.7, "ecolor": "0.2"})  # fmt: skip
            if not abs(mean) <= LIMIT:
                _write_at_end(axis, row, mean)
        axis.axvline(0, color="0.3", linewidth=0.6)
        axis.set_xlim(-1.05 * LIMIT, 1.05 * LIMIT)
        axis.set_xlabel("Per cent difference")
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


def worst_evaluations(results: Results) -> Pairs:
    """Return the worst and the mean of the final evaluations."""
    pairs = {}
    for dataset in results.datasets:
        for name, (_, curves) in results.curves(dataset, results.score_column(dataset)).items():
            final = curves[:, -FINAL_EVALUATIONS:]
            pairs[name, dataset] = np.stack([final.min(axis=1), final.mean(axis=1)], axis=1)
    return pairs


def worst_episodes(results: Results) -> Pairs:
    """Return the worst and the mean of the episodes of the last evaluation."""
    scale = {name: results.normalizer(name) for name in results.datasets}
    last = results.finished_frame.groupby(TRIAL, observed=True, sort=False).tail(1)
    rows = last[["algorithm", "dataset", "episode_returns"]].itertuples(index=False)
    pairs: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for algorithm, dataset, episodes in rows:
        if episodes is pd.NA or not len(episodes):
            continue
        slope, intercept = scale[dataset]
        scores = slope * np.asarray(episodes, dtype=np.float64) + intercept
        pairs.setdefault((algorithm, dataset), []).append((float(np.min(scores)), float(np.mean(scores))))
    return {cell: np.array(trials) for cell, trials in pairs.items()}
