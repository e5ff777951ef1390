"""What changes over training: scores, Q-values, lambda."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from harness.reporting import captions
from harness.reporting.figures.drawing import Drawing, Material, NotApplicableError, of_several_seeds
from harness.reporting.figures.style import (
    PUBLISHED_LINES,
    Look,
    label_below,
    label_left,
    legend_below,
    looks,
    panels,
    thousands,
    title,
)
from harness.reporting.published.shared import published_score
from harness.reporting.results import Results
from harness.scores import DDOF


def learning_curves(material: Material) -> Drawing:
    """Draw a panel per dataset: mean and deviation over seeds; published scores as dashed levels."""
    results = material.results
    look = looks([*results.algorithms, *material.only_published])
    figure, axes = panels(len(material.datasets))
    handles: dict[str, Line2D] = {}
    for axis, dataset in zip(axes, material.datasets, strict=True):
        for algorithm, steps, curves in seed_curves(results, dataset, results.metric[dataset]):
            handles[algorithm] = _draw_curve(axis, steps, curves, look[algorithm])
        for label, line in _draw_published(axis, material, dataset, look):
            handles[label] = line
        title(axis, dataset)
        thousands(axis)
    label_left(axes, [measure_label(results, dataset) for dataset in material.datasets])
    label_below(axes, "Gradient steps")
    legend_below(figure, list(handles.values()))
    return Drawing(
        figure,
        f"{captions.measure(results)}: mean over {captions.seeds(results)}{shaded(results)}. "
        + captions.protocol(results)
        + captions.dashed(material.levels, results),
    )


def q_values(material: Material) -> Drawing:
    """A panel per dataset: the critic's mean Q; one that runs away from the returns has diverged."""
    return _metric_curves(material, "q1", "Mean Q₁", "Q-values", symmetric=True)


def lambda_curves(material: Material) -> Drawing:
    """A panel per dataset: the weight of the Q term in the policy's loss."""
    return _metric_curves(material, "lambda", "λ", "The weight λ of the Q term")


def metric_curves(material: Material, metric: str) -> Drawing:
    """Draw a panel per dataset of any metric that learners have recorded, such as a loss."""
    return _metric_curves(material, metric, metric, f"The metric {metric}", symmetric=True)


def seed_curves(
    results: Results, dataset: str, column: str
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """By algorithm: steps [evaluations] and the values of the finished trials [seeds, evaluations]."""
    frame = results.finished_frame
    rows = frame[["algorithm", "seed", "step", column]][frame["dataset"] == dataset]
    for algorithm, trials in rows.groupby("algorithm", observed=True):
        curves = trials[column].to_numpy(np.float64).reshape(trials["seed"].nunique(), -1)
        steps = trials["step"].to_numpy(np.float64)[: curves.shape[1]]  # of all: one protocol
        yield str(algorithm), steps, curves


def recorded_by(results: Results, metric: str) -> list[str]:
    """Return the algorithms that have values of a metric, in the order of the tables."""
    if metric not in results.frame:
        return []
    counts = results.frame.groupby("algorithm", observed=True)[metric].count()
    return [name for name in results.algorithms if counts.get(name, 0) > 0]


def _metric_curves(
    material: Material, column: str, label: str, subject: str, symmetric: bool = False
) -> Drawing:
    results = material.results
    algorithms = recorded_by(results, column)
    if not algorithms:
        raise NotApplicableError(f"no values of {column} are recorded")
    look = looks(results.algorithms)
    figure, axes = panels(len(material.datasets))
    handles: dict[str, Line2D] = {}
    for axis, dataset in zip(axes, material.datasets, strict=True):
        drawn = [item for item in seed_curves(results, dataset, column) if item[0] in algorithms]
        for algorithm, steps, curves in drawn:
            handles[algorithm] = _draw_curve(axis, steps, curves, look[algorithm])
        _scale(axis, [curves for _, _, curves in drawn], symmetric)
        title(axis, dataset)
        thousands(axis)
    label_left(axes, [label] * len(axes))
    label_below(axes, "Gradient steps")
    legend_below(figure, list(handles.values()))
    return Drawing(
        figure,
        f"{subject} over training: mean over {captions.seeds(results)}{shaded(results)}; of the "
        "batch of the latest update before each evaluation.",
    )


def _scale(axis: Axes, curves: list[NDArray[np.float64]], symmetric: bool) -> None:
    """Logarithmic where one algorithm's values dwarf another's, as diverging ones do."""
    sizes = [float(np.nanmax(np.abs(values))) for values in curves if np.isfinite(values).any()]
    if len(sizes) > 1 and max(sizes) > 100 * max(min(sizes), 1e-9):
        if symmetric:
            decade = np.floor(np.log10(max(min(sizes), 1e-9)))
            axis.set_yscale("symlog", linthresh=10.0**decade)
        else:
            axis.set_yscale("log")
        axis.yaxis.set_major_formatter(EngFormatter(sep=""))


def _draw_curve(axis: Axes, steps: NDArray[np.float64], curves: NDArray[np.float64], look: Look) -> Line2D:
    """Where a seed is NaN the mean is, so that the line breaks there."""
    mean = curves.mean(axis=0)
    (line,) = axis.plot(
        steps,
        mean,
        color=look.color,
        linestyle=look.line,
        marker=look.marker,
        markersize=3,
        markevery=(len(steps) // 12, max(1, len(steps) // 6)),
        label=look.label,
    )
    if len(curves) > 1:
        deviation = curves.std(axis=0, ddof=DDOF)
        axis.fill_between(
            steps, mean - deviation, mean + deviation, color=look.color, alpha=0.18, linewidth=0
        )
    return line


def _draw_published(
    axis: Axes, material: Material, dataset: str, look: dict[str, Look]
) -> Iterator[tuple[str, Line2D]]:
    for source, dashes in zip(material.levels, itertools.cycle(PUBLISHED_LINES), strict=False):
        for theirs, ours in source.shown(material.results.algorithms).items():
            pair = published_score(material.results, source, theirs, dataset)
            if pair:
                label = f"{theirs}, {source.name}"
                line = axis.axhline(
                    pair[0], color=look[ours or theirs].color, linestyle=dashes, linewidth=0.9, label=label
                )
                yield label, line


def shaded(results: Results) -> str:
    """For a caption: what is shaded, where anything is."""
    return of_several_seeds(results, f", shaded ± one standard deviation (ddof={DDOF})")


def measure_label(results: Results, dataset: str) -> str:
    return "Normalized score" if results.metric[dataset] == "normalized_score" else "Episode return"
