"""The worst episode and the worst evaluation of each trial against the mean."""

from __future__ import annotations

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
from harness.reporting.figures.percent import Pairs, percent_bars
from harness.reporting.figures.scores import dataset_panels
from harness.reporting.results import Results
from harness.scores import FINAL_EVALUATIONS, TRIAL


def worst_episode(material: Material) -> Drawing:
    """Draw the worst episode of the last evaluation against the mean of all (the paper's figure 2)."""
    results = material.results
    pairs = worst_episodes(results) if "episode_returns" in results.frame else {}
    if not pairs:
        raise HarnessError("no returns of the last evaluation's episodes (column episode_returns)")
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
        return percent_bars(material, pairs, material.datasets, caption)
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
    return Drawing(
        figure,
        f"{captions.measure(material.results)}: the {what} and their mean, averaged over "
        f"{captions.seeds(material.results)}{paired}.",
    )


def _dumbbell(axis: Axes, row: int, pairs: NDArray[np.float64], material: Material, name: str) -> None:
    """Draw a thin line from mean to worst, and around the worst the spread of the difference over seeds."""
    look = material.look[name]
    worst, mean = pairs.mean(axis=0)
    if np.isnan(mean):
        layout.write_in_row(axis, row, "NaN")
        return
    error = float(material.spread(pairs[:, 0] - pairs[:, 1]))
    axis.plot([worst, mean], [row] * 2, color=look.color, linewidth=0.8)
    axis.plot([worst - error, worst + error], [row] * 2, color=look.color, linewidth=2.4, alpha=0.5)
    axis.plot(worst, row, "|", color=look.color, markersize=6, markeredgewidth=1.4)
    axis.plot(mean, row, look.marker, color=look.color, markersize=4)


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
