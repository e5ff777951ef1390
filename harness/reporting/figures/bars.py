"""Scores and run times as bars."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.figures.drawing import Drawing, Material, NotApplicableError
from harness.reporting.figures.style import (
    COLUMN_WIDTH,
    TEXT_WIDTH,
    Look,
    legend_below,
    looks,
    single,
)
from harness.reporting.names import algorithm_label, dataset_name
from harness.reporting.scores import DDOF, mean_and_deviation
from harness.reporting.tables.run_time import trial_seconds
from harness.reporting.tables.scores import seed_scores

BARS_PER_ROW = 40
PUBLISHED_DASHES = ((0, (2, 1)), (0, (0.7, 0.7)), (0, (4, 0.8, 0.8, 0.8)))
"""Short, so that they can be told apart over the width of a bar."""
BOOTSTRAP_SAMPLES = 1_000


def score_bars(material: Material) -> Drawing:
    """Every dataset with a bar per algorithm: mean over seeds, and its bootstrap interval."""
    results = material.results
    values = seed_scores(results, material.score)
    look = looks(results.algorithms)
    rows = even_rows(results.datasets, max(1, BARS_PER_ROW // len(look)))
    width = COLUMN_WIDTH if len(results.datasets) * len(look) <= 10 else TEXT_WIDTH
    figure = Figure(figsize=(width, 1.9 * len(rows) + 0.4), layout="constrained")
    axes = figure.subplots(len(rows), 1, squeeze=False).ravel()
    for axis, datasets in zip(axes, rows, strict=True):
        cells = {name: [values.get((name, dataset), np.zeros(0)) for dataset in datasets] for name in look}
        heights = {name: [mean_or_none(seeds) for seeds in of] for name, of in cells.items()}
        intervals = {name: [mean_interval(seeds) for seeds in of] for name, of in cells.items()}
        whiskers = {name: _whiskers(heights[name], intervals[name]) for name in look}
        grouped_bars(axis, look, heights, whiskers)
        dataset_ticks(axis, datasets, width)
        axis.set_ylabel(_measure(material))
        _published_levels(axis, material, datasets)
    legend_below(figure, [*bar_handles(look), *_published_handles(material)])
    return Drawing(
        figure,
        f"{captions.measure(results)}: mean over {captions.seeds(results)} of "
        f"{captions.of_trial(results, material.score)}; whiskers: 95 % bootstrap interval of the mean."
        + "".join(f" Dashed, {source.name}: {source.source}." for source in material.published),
    )


def run_time_bars(material: Material) -> Drawing:
    """Seconds of gradient steps and of evaluation, per algorithm."""
    try:
        seconds = trial_seconds(material.results)
    except HarnessError as error:
        raise NotApplicableError(str(error).partition(": ")[2]) from None
    by_algorithm = seconds.groupby("algorithm", observed=True)[["train_seconds", "evaluation_seconds"]]
    mean, deviation = by_algorithm.mean(), by_algorithm.std(ddof=DDOF)
    look = looks(material.results.algorithms)
    figure, axis = single((one.label for one in look.values()), height=0.5 + 0.3 * len(mean))
    positions = np.arange(len(mean))
    axis.barh(
        positions,
        mean["train_seconds"],
        0.65,
        xerr=deviation["train_seconds"],
        color=[look[str(name)].color for name in mean.index],
        error_kw={"linewidth": 0.8},
    )
    axis.barh(
        positions,
        mean["evaluation_seconds"],
        0.65,
        left=mean["train_seconds"],
        color="white",
        edgecolor="0.4",
        hatch="////",
        linewidth=0.6,
    )
    axis.set_yticks(positions, [algorithm_label(str(name)) for name in mean.index])
    axis.invert_yaxis()
    axis.grid(False, axis="y")
    axis.set_xlabel("Seconds per trial")
    legend_below(
        figure,
        [
            Patch(facecolor="0.5", label="Gradient steps"),
            Patch(facecolor="white", edgecolor="0.4", hatch="////", label="Evaluation"),
        ],
    )
    return Drawing(
        figure,
        "Wall-clock time of a trial: mean over the finished trials; whiskers: standard deviation "
        f"(ddof={DDOF}) of the time of the gradient steps. {captions.protocol(material.results)}",
    )


def grouped_bars(
    axis: Axes,
    look: dict[str, Look],
    heights: dict[str, list[float | None]],
    whiskers: dict[str, NDArray[np.float64]],
    limit: float = np.inf,
) -> None:
    """Groups of bars, one bar per algorithm.

    Args:
        heights: by algorithm, one for each group; NaN is written where its bar would stand, None is no bar.
        whiskers: by algorithm, lengths down and up, [2, groups].
        limit: bars beyond it are cut and their number is written at their end.
    """
    width = 0.82 / len(look)
    for index, (name, one) in enumerate(look.items()):
        values = np.array(heights[name], dtype=np.float64)
        positions = np.arange(len(values)) - 0.41 + (index + 0.5) * width
        axis.bar(
            positions,
            np.clip(values, -limit, limit),
            width,
            yerr=np.where(np.abs(values) > limit, np.nan, whiskers[name]) if name in whiskers else None,
            color=one.color,
            hatch=one.hatch,
            edgecolor="white",
            linewidth=0.3,
            error_kw={"linewidth": 0.7, "ecolor": "0.2"},
        )
        for position, value in zip(positions, heights[name], strict=True):
            if value is None:
                continue
            if np.isnan(value):
                _write(axis, "NaN", position, 0.0)
            elif abs(value) > limit:
                _write(axis, f"{value:,.0f}", position, float(np.sign(value) * limit))
    axis.set_xlim(-0.6, max(map(len, heights.values())) - 0.4)
    axis.grid(False, axis="x")
    axis.axhline(0, color="0.3", linewidth=0.6)


def mean_interval(seeds: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean over seeds; NaN for fewer than two."""
    if len(seeds) < 2 or np.isnan(seeds).any():
        return np.nan, np.nan
    generator = np.random.default_rng(0)
    means = generator.choice(seeds, size=(BOOTSTRAP_SAMPLES, len(seeds))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def mean_or_none(seeds: NDArray[np.float64]) -> float | None:
    return mean_and_deviation(seeds)[0] if len(seeds) else None


def even_rows(items: Sequence[str], most: int) -> list[list[str]]:
    """As few rows as can be, of at most `most` items, of the same length but for the last."""
    length = -(-len(items) // -(-len(items) // most))
    return [list(items[first : first + length]) for first in range(0, len(items), length)]


def _whiskers(heights: Sequence[float | None], intervals: list[tuple[float, float]]) -> NDArray[np.float64]:
    low, high = np.array(intervals).T
    middle = np.array(heights, dtype=np.float64)
    return np.stack([middle - low, high - middle]).clip(min=0)


def _write(axis: Axes, text: str, x: float, y: float) -> None:
    axis.annotate(
        text,
        (x, y),
        xytext=(0, 2 if y >= 0 else -2),
        textcoords="offset points",
        ha="center",
        va="bottom" if y >= 0 else "top",
        fontsize=5.5,
        rotation=90,
    )


def bar_handles(look: dict[str, Look]) -> list[Patch]:
    return [
        Patch(facecolor=one.color, edgecolor="white", hatch=one.hatch, label=one.label, linewidth=0)
        for one in look.values()
    ]


def dataset_ticks(axis: Axes, datasets: Sequence[str], width: float) -> None:
    """Task over quality, and the version where there are several; aslant where they would touch.

    Args:
        width: of the figure, in inches.
    """
    parts = [dataset_name(name) for name in datasets]
    several = len({part.version for part in parts}) > 1
    labels = [
        f"{part.task}\n{part.quality}{f'-v{part.version}' if several else ''}" if part.quality else name
        for part, name in zip(parts, datasets, strict=True)
    ]
    longest = max(len(line) for label in labels for line in label.split("\n"))
    axis.set_xticks(range(len(labels)), labels, fontsize=7 if longest * len(labels) < 13 * width else 6)
    if longest * len(labels) > 18 * width:
        for label in axis.get_xticklabels():
            label.set(rotation=40, horizontalalignment="right", rotation_mode="anchor")


def _measure(material: Material) -> str:
    kinds = set(material.results.metric.values())
    if kinds == {"normalized_score"}:
        return "Normalized score"
    return "Episode return" if kinds == {"return_mean"} else "Score or return"


def _published_levels(axis: Axes, material: Material, datasets: Sequence[str]) -> None:
    """A dashed level over the bar of the algorithm that it was published for."""
    algorithms = material.results.algorithms
    width = 0.82 / len(algorithms)
    for source, dashes in zip(material.published, itertools.cycle(PUBLISHED_DASHES), strict=False):
        for index, algorithm in enumerate(algorithms):
            theirs = source.algorithm(algorithm)
            for position, dataset in enumerate(datasets):
                pair = source.scores[theirs].get(dataset) if theirs else None
                if pair and material.results.metric[dataset] == "normalized_score":
                    left = position - 0.41 + index * width
                    axis.plot(
                        [left, left + width], [pair[0]] * 2, color="0.1", linewidth=1.2, linestyle=dashes
                    )


def _published_handles(material: Material) -> list[Line2D]:
    return [
        Line2D([], [], color="0.1", linewidth=1.2, linestyle=dashes, label=source.name)
        for source, dashes in zip(material.published, itertools.cycle(PUBLISHED_DASHES), strict=False)
    ]
