"""Scores and run times as bars."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.figures.curves import measure_label
from harness.reporting.figures.drawing import Drawing, Material, NotApplicableError, of_several_seeds
from harness.reporting.figures.style import (
    COLUMN_WIDTH,
    LONGEST_IN_COLUMN,
    TEXT_WIDTH,
    Look,
    legend_below,
    looks,
    name_rows,
    single,
)
from harness.reporting.measures import dataset_label
from harness.reporting.names import dataset_name
from harness.reporting.published.shared import published_score
from harness.reporting.tables.run_time import trial_seconds
from harness.reporting.tables.scores import seed_scores
from harness.scores import DDOF

BARS_IN_COLUMN, BARS_PER_ROW, GROUPS_PER_ROW = 10, 40, 15
LONGEST_LINE = 18
"""Characters of a dataset's name in a row below the bars."""
PUBLISHED_DASHES = (
    *((0, (2, 1)), (0, (0.7, 0.7)), (0, (4, 0.8, 0.8, 0.8))),
    *((0, (6, 1.5)), (0, (1, 2)), (0, (2, 0.6, 0.6, 0.6, 0.6, 0.6)), (0, (0.7, 0.7, 0.7, 2))),
)
"""Short, so that they can be distinguished over the width of a bar."""
BOOTSTRAP_SAMPLES = 1_000

Item = TypeVar("Item")


def score_bars(material: Material) -> Drawing:
    """Every dataset with a bar per algorithm: mean over seeds, and its bootstrap interval."""
    results = material.results
    values = seed_scores(results, material.score)
    look, datasets = looks(results.algorithms), material.datasets
    bars = {name: [_score_bar(values.get((name, dataset))) for dataset in datasets] for name in look}
    mixed = len(set(results.metric.values())) > 1
    groups = [dataset_label(results, name) if mixed else name for name in datasets]
    labels = [measure_label(results, name) for name in datasets]
    figure, rows = bar_figure(look, groups, bars, _published_handles(material), kinds=labels)
    for axis, part in rows:
        axis.set_ylabel(labels[part.start])
        _published_levels(axis, material, datasets[part])
    whiskers = of_several_seeds(results, "; whiskers: 95 % bootstrap interval of the mean")
    return Drawing(
        figure,
        f"{captions.measure(results)}: mean over {captions.seeds(results)} of "
        f"{captions.of_trial(results, material.score)}{whiskers}."
        + captions.dashed(material.levels, results),
    )


def run_time_bars(material: Material) -> Drawing:
    """Seconds of gradient steps and of evaluation, per algorithm."""
    try:
        seconds = trial_seconds(material.results)
    except HarnessError as error:
        raise NotApplicableError(str(error).partition(": ")[2]) from None
    timed = seconds.dropna(subset="train_seconds")
    if timed.empty:
        raise NotApplicableError("no trial has the times of all its evaluations")
    by_algorithm = timed.groupby("algorithm", observed=True)
    mean = by_algorithm[["train_seconds", "evaluation_seconds"]].mean()
    training, evaluation = mean.to_numpy().T
    deviation = by_algorithm["train_seconds"].std(ddof=DDOF).to_numpy()
    names = [str(name) for name in mean.index]
    look = looks(material.results.algorithms)
    figure, axis = single((one.label for one in look.values()), height=0.5 + 0.3 * len(names))
    positions = np.arange(len(names))
    axis.barh(
        positions,
        training,
        0.65,
        xerr=[np.minimum(deviation, training), np.zeros(len(names))],  # within its own part
        color=[look[name].color for name in names],
        error_kw={"linewidth": 0.8, "capsize": 2},
    )
    axis.barh(
        positions,
        evaluation,
        0.65,
        left=training,
        color="white",
        edgecolor="0.4",
        hatch="////",
        linewidth=0.6,
    )
    name_rows(figure, axis, names)
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
    whiskers = (
        f"; whiskers, to the left alone: standard deviation (ddof={DDOF}) of that of the gradient steps"
    )
    return Drawing(
        figure,
        "Wall-clock time of a trial: mean over the finished trials"
        f"{'' if len(timed) == len(seconds) else ' whose times are all recorded'}"
        f"{whiskers if (deviation > 0).any() else ''}. {captions.protocol(material.results)}",
    )


class Bar(NamedTuple):
    """
    Attributes:
        height: NaN is written where its bar would be.
        down, up: lengths of its whiskers.
        note: is written at its foot.
    """

    height: float
    down: float = np.nan
    up: float = np.nan
    note: str = ""


Bars = dict[str, list[Bar | None]]
"""By algorithm, one for each group."""


def bar_figure(
    look: dict[str, Look],
    groups: Sequence[str],
    bars: Bars,
    more_handles: Sequence[Artist] = (),
    limit: float = np.inf,
    kinds: Sequence[str] = (),
) -> tuple[Figure, list[tuple[Axes, slice]]]:
    """A group of bars per dataset, in rows that leave room for bars and names.

    Args:
        more_handles: follow the algorithms in the legend.
        limit: bars beyond it are cut and their number is written at their end.
        kinds: what each group measures; a row, with one axis, holds one kind.

    Returns:
        The figure, and for each row its axes and the groups in it.
    """
    handles = [*bar_handles(look), *more_handles]
    longest = max(len(str(handle.get_label())) for handle in handles)
    few = len(groups) * len(look) <= BARS_IN_COLUMN and longest <= LONGEST_IN_COLUMN
    most = min(GROUPS_PER_ROW, max(1, BARS_PER_ROW // len(look)))
    alike = itertools.groupby(range(len(groups)), lambda index: kinds[index] if kinds else "")
    rows = [row for _, indices in alike for row in even_rows(list(indices), most)]
    labels = dataset_labels(groups)
    parts = [slice(row[0], row[-1] + 1) for row in rows]
    width = max(map(len, rows))
    figure = Figure(
        figsize=(COLUMN_WIDTH if few else TEXT_WIDTH, 1.9 * len(rows) + 0.4), layout="constrained"
    )
    axes = figure.subplots(len(rows), 1, squeeze=False).ravel()
    for axis, part in zip(axes, parts, strict=True):
        _grouped_bars(axis, look, {name: of[part] for name, of in bars.items()}, limit)
        axis.set_xlim(-0.6, width - 0.4)  # so that bars are as wide in a row of few
        _name_below(axis, labels[part], width)
    legend_below(figure, handles)
    return figure, list(zip(axes, parts, strict=True))


def _grouped_bars(axis: Axes, look: dict[str, Look], bars: Bars, limit: float) -> None:
    width = 0.82 / len(look)
    for index, (name, one) in enumerate(look.items()):
        heights, down, up = np.array([bar[:3] if bar else [np.nan] * 3 for bar in bars[name]]).T
        positions = np.arange(len(heights)) - 0.41 + (index + 0.5) * width
        axis.bar(
            positions,
            np.clip(heights, -limit, limit),
            width,
            yerr=np.where(np.abs(heights) > limit, np.nan, [down, up]),
            color=one.color,
            hatch=one.hatch,
            edgecolor="white",
            linewidth=0.3,
            error_kw={"linewidth": 0.7, "ecolor": "0.2"},
        )
        for position, bar in zip(positions, bars[name], strict=True):
            if bar is None:
                continue
            if np.isnan(bar.height):
                _write(axis, "NaN", position, 0.0, above=True)
            elif abs(bar.height) > limit:
                _write(axis, f"{bar.height:,.0f}", position, np.sign(bar.height) * limit, bar.height > 0)
            if bar.note:
                clear = {"facecolor": "white", "edgecolor": "none", "pad": 0.2}  # of whiskers
                _write(axis, bar.note, position, 0.0, bar.height <= 0, fontsize=8, rotation=0, bbox=clear)
    axis.grid(False, axis="x")
    axis.axhline(0, color="0.3", linewidth=0.6)


def _score_bar(seeds: NDArray[np.float64] | None) -> Bar | None:
    if seeds is None:
        return None
    mean, (low, high) = float(np.mean(seeds)), mean_interval(seeds)
    return Bar(mean, float(np.maximum(mean - low, 0)), float(np.maximum(high - mean, 0)))


def mean_interval(seeds: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean over seeds; NaN for fewer than two."""
    if len(seeds) < 2 or np.isnan(seeds).any():
        return np.nan, np.nan
    generator = np.random.default_rng(0)
    means = generator.choice(seeds, size=(BOOTSTRAP_SAMPLES, len(seeds))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def even_rows(items: Sequence[Item], most: int) -> list[list[Item]]:
    """As few rows as can be, of at most `most` items, of the same length but for the last."""
    length = -(-len(items) // -(-len(items) // most))
    return [list(items[first : first + length]) for first in range(0, len(items), length)]


def _write(axis: Axes, text: str, x: float, y: float, above: bool, **look: Any) -> None:
    axis.annotate(
        text,
        (x, y),
        xytext=(0, 2 if above else -2),
        textcoords="offset points",
        ha="center",
        va="bottom" if above else "top",
        **{"fontsize": 5.5, "rotation": 90, **look},
    )


def bar_handles(look: dict[str, Look]) -> list[Patch]:
    return [
        Patch(facecolor=one.color, edgecolor="white", hatch=one.hatch, label=one.label, linewidth=0)
        for one in look.values()
    ]


def dataset_labels(datasets: Sequence[str]) -> list[list[str]]:
    """Lines: the task, then the quality, with the version where there are several; long ones are broken."""
    parts = [dataset_name(name) for name in datasets]
    several = len({part.version for part in parts if part.version}) > 1
    names = [
        (part.task, f"{part.quality}-v{part.version}" if several else part.quality)
        if part.quality
        else (name.removeprefix("minari:"),)
        for part, name in zip(parts, datasets, strict=True)
    ]
    return [[line for part in name for line in textwrap.wrap(part, LONGEST_LINE)] for name in names]


def _name_below(axis: Axes, labels: list[list[str]], places: int) -> None:
    """Aslant where they would touch; the figure grows to hold them."""
    longest = max(len(line) for lines in labels for line in lines)
    figure = axis.get_figure(root=True)
    assert figure is not None
    room = figure.get_figwidth() / places
    aslant = longest > 18 * room
    axis.set_xticks(range(len(labels)), map("\n".join, labels), fontsize=7 if longest < 13 * room else 6)
    if aslant:
        for label in axis.get_xticklabels():
            label.set(rotation=40, horizontalalignment="right", rotation_mode="anchor")
    height = 0.1 * max(map(len, labels)) + (0.035 * longest if aslant else 0.0)
    figure.set_figheight(figure.get_figheight() + max(0.0, height - 0.3))


def _published_levels(axis: Axes, material: Material, datasets: Sequence[str]) -> None:
    """Draw a dashed level over the bar of its algorithm, or over all bars where it has none."""
    algorithms = material.results.algorithms
    look = looks([*algorithms, *material.only_published])
    width = 0.82 / len(algorithms)
    for source, dashes in zip(material.levels, itertools.cycle(PUBLISHED_DASHES), strict=False):
        for theirs, ours in source.shown(algorithms).items():
            first = algorithms.index(ours) * width if ours else 0.0
            across, color = (width, "0.1") if ours else (0.82, look[theirs].color)
            for position, dataset in enumerate(datasets):
                pair = published_score(material.results, source, theirs, dataset)
                if pair:
                    left = position - 0.41 + first
                    axis.plot(
                        [left, left + across], [pair[0]] * 2, color=color, linewidth=1.2, linestyle=dashes
                    )


def _published_handles(material: Material) -> list[Line2D]:
    """Name a source once for the levels over our bars, and each algorithm that has no bar."""
    algorithms = material.results.algorithms
    look = looks([*algorithms, *material.only_published])
    handles = []
    for source, dashes in zip(material.levels, itertools.cycle(PUBLISHED_DASHES), strict=False):
        shown = source.shown(algorithms)
        labels = {source.name: "0.1"} if any(shown.values()) else {}
        labels |= {
            f"{theirs}, {source.name}": look[theirs].color for theirs, ours in shown.items() if ours is None
        }
        handles += [
            Line2D([], [], color=color, linewidth=1.2, linestyle=dashes, label=label)
            for label, color in labels.items()
        ]
    return handles
