"""Curves over training: scores, Q-values, lambda and other metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material, behaviour_level, reference_levels
from harness.reporting.figures.style import Look
from harness.reporting.results import Curve, Results
from harness.reporting.statistics import CURVE_REPETITIONS, iqm_curve
from harness.scores import TRIAL

MOST_STEPS = 100
"""The most evaluations in an aggregate curve; each of them is resampled."""


def learning_curves(material: Material) -> Drawing:
    """Draw a panel per dataset: the mean over seeds, and published scores as dashed levels."""
    results = material.results
    labels = [results.measure(dataset) for dataset in material.datasets]
    figure, axes = layout.panels(len(labels))
    handles: dict[str, Artist] = {}
    for axis, dataset in zip(axes, material.datasets, strict=True):
        handles |= _draw_curves(axis, results.curves(dataset, results.score_column(dataset)), material)
        handles |= _draw_published(axis, material, dataset)
        handles |= behaviour_level(axis.axhline, material, dataset)
    if material.share_y:
        layout.share_rows(axes, labels)
    for axis, dataset in zip(axes, material.datasets, strict=True):
        reference_levels(axis.axhline, axis.get_ylim(), results, dataset)
    labels = [f"{label}\n({material.mean_label})" for label in labels]
    layout.label_panels(figure, axes, material.dataset_titles, labels, "Gradient steps", handles)
    return Drawing(
        figure,
        f"{captions.measure(results)}: mean over {captions.seeds(results)}{material.around('shaded ± ')}."
        + captions.dashed(material.levels, results),
    )


def iqm_curves(material: Material) -> Drawing:
    """Draw the interquartile mean over all seeds and datasets at each evaluation (Agarwal et al. 2021)."""
    results = material.results
    by_dataset = {dataset: results.curves(dataset, "normalized_score") for dataset in material.normalized}
    if not by_dataset:
        raise HarnessError("it needs normalized scores; there are none")
    figure, axis = layout.single()
    handles, left_out = [], []
    for place, name in enumerate(results.algorithms):
        curves = [by_algorithm[name] for by_algorithm in by_dataset.values() if name in by_algorithm]
        if len(curves) < len(by_dataset) or len({(len(seeds), *steps) for steps, seeds in curves}) > 1:
            why = "seeds or evaluations differ between datasets"
            left_out.append(f" {material.title(name)} is left out: {why}.")
            continue
        kept = np.unique(np.linspace(0, len(curves[0][0]) - 1, MOST_STEPS).round().astype(np.intp))
        values, interval = iqm_curve(np.stack([seeds[:, kept] for _, seeds in curves], axis=1))
        look = material.look[name]
        handles.append(_draw_curve(axis, curves[0][0][kept], values, interval, look, place=place))
    if not handles:
        raise HarnessError("no algorithm has the same seeds and evaluations on every dataset")
    layout.thousands(axis)
    axis.set(xlabel="Gradient steps", ylabel="IQM of normalized scores")
    layout.legend_below(figure, handles)
    count = len(by_dataset)
    shaded = f", shaded: 95 % stratified bootstrap intervals ({CURVE_REPETITIONS} resamples)"
    return Drawing(
        figure,
        f"Interquartile mean of the normalized scores of all seeds on {count} dataset{'s' * (count > 1)} "
        f"({captions.seeds(results)}){shaded * (results.expected_seeds > 1)}.{''.join(left_out)}",
    )


def q_values(material: Material) -> Drawing:
    """Draw a panel per dataset: the critic's mean Q and, where it is recorded, the weight λ of the Q term."""
    results = material.results
    figure, axes = layout.panels(len(material.datasets))
    handles: dict[str, Artist] = {}
    has_lambda = "lambda" in results.metrics
    for axis, dataset in zip(axes, material.datasets, strict=True):
        q = _curves(results, dataset, "q1").items()
        handles |= _draw_curves(axis, {name: (at, np.abs(values)) for name, (at, values) in q}, material)
        weights = _curves(results, dataset, "lambda") if has_lambda else {}
        for name, (steps, values) in weights.items():
            look, every = material.look[name], max(1, len(steps) // 4)
            dotted = {**look.curve, "linestyle": ":", "linewidth": 1.0, "markersize": 2.5, "markevery": every}
            axis.plot(steps, values.mean(axis=0), **dotted)
        axis.set_yscale("log")
        layout.plain_numbers(axis.yaxis)
    label = "mean |Q|" + " and λ" * has_lambda
    if has_lambda:
        handles["λ"] = Line2D([], [], color="0.3", linestyle=":", linewidth=1.0, label="λ (dotted)")
    layout.label_panels(figure, axes, material.dataset_titles, label, "Gradient steps", handles)
    weight = (
        "; dotted: the weight λ of the Q term, which is alpha / mean |Q| where it is normalized" * has_lambda
    )
    return Drawing(
        figure,
        f"Size of the critic's mean Q over training{weight}: mean over {captions.seeds(results)}"
        f"{material.around('shaded ± ')}; of the batch of the latest update before each evaluation. A critic "
        "that leaves the scale of the returns has diverged.",
    )


def metric_curves(material: Material, metric: str) -> Drawing:
    """Draw a panel per dataset of any metric that learners have recorded, such as a loss."""
    figure, axes = layout.panels(len(material.datasets))
    handles: dict[str, Artist] = {}
    for axis, dataset in zip(axes, material.datasets, strict=True):
        curves = _curves(material.results, dataset, metric)
        handles |= _draw_curves(axis, curves, material)
        symlog_where_needed(axis, [values for _, values in curves.values()])
    layout.label_panels(figure, axes, material.dataset_titles, metric, "Gradient steps", handles)
    return Drawing(
        figure,
        f"The metric {metric} over training: mean over {captions.seeds(material.results)}"
        f"{material.around('shaded ± ')}; of the batch of the latest update before each evaluation.",
    )


def predicted_values(material: Material) -> Drawing:
    """Draw a panel per dataset: predicted Q against the return of the last evaluation, a point per trial."""
    results = material.results
    names = _recorded(results, "q1")
    figure, axes = layout.panels(len(material.datasets))
    handles: dict[str, Artist] = {}
    last = results.finished_frame.groupby(TRIAL, observed=True).tail(1)
    for axis, dataset in zip(axes, material.datasets, strict=True):
        drawn = []
        for name in names:
            rows = last[(last["dataset"] == dataset) & (last["algorithm"] == name)]
            look = material.look[name]
            q = rows["q1"].to_numpy(np.float64)
            returns = rows["return_mean" if rows["return_mean"].notna().any() else "normalized_score"]
            (handles[name],) = axis.plot(
                returns.to_numpy(np.float64), q, look.marker, color=look.color, label=look.label,
                markersize=4, alpha=0.8, markeredgewidth=0,
            )  # fmt: skip
            drawn.append(q)
        symlog_where_needed(axis, drawn)
        axis.locator_params(axis="x", nbins=4)
    layout.label_panels(figure, axes, material.dataset_titles, "Predicted Q", "Return obtained", handles)
    return Drawing(
        figure,
        "Predicted Q (mean over the batch of the last update, discounted) against the undiscounted return of "
        "the last evaluation: a point per trial. A critic that predicts more where less is obtained "
        "overestimates.",
    )


def _recorded(results: Results, metric: str) -> list[str]:
    """Return the algorithms that have values of a metric, in the order of the tables."""
    if metric not in results.metrics:
        raise HarnessError(f"no values of {metric} are recorded")
    counts = results.frame.groupby("algorithm", observed=True)[metric].count()
    return [name for name in results.algorithms if counts.get(name, 0) > 0]


def _curves(results: Results, dataset: str, metric: str) -> dict[str, Curve]:
    names = _recorded(results, metric)
    return {name: curve for name, curve in results.curves(dataset, metric).items() if name in names}


def symlog_where_needed(axis: Axes, values: Sequence[NDArray[np.float64]]) -> None:
    """Make the y axis logarithmic if one algorithm's values dwarf another's, as after divergence."""
    sizes = [float(np.nanmax(np.abs(each))) for each in values if np.isfinite(each).any()]
    if len(sizes) > 1 and max(sizes) > 100 * max(min(sizes), 1e-9):
        axis.set_yscale("symlog", linthresh=10.0 ** np.floor(np.log10(max(min(sizes), 1e-9))))
        axis.yaxis.set_major_formatter(EngFormatter(sep=""))


def _draw_curves(axis: Axes, curves: dict[str, Curve], material: Material) -> dict[str, Artist]:
    """Draw means over seeds; later lines are thinner and dashed, so that earlier ones stay visible."""
    drawn: dict[str, Artist] = {}
    for place, (name, (steps, values)) in enumerate(curves.items()):
        mean, error = values.mean(axis=0), material.spread(values)
        band = np.stack([mean - error, mean + error])
        width = 2.0 - 1.0 * place / max(1, len(curves) - 1)
        drawn[name] = _draw_curve(axis, steps, mean, band, material.look[name], width, place)
    layout.thousands(axis)
    return drawn


def _draw_curve(
    axis: Axes,
    steps: NDArray[np.float64],
    mean: NDArray[np.float64],
    band: NDArray[np.float64],
    look: Look,
    width: float = 1.2,
    place: int = 0,
) -> Line2D:
    """Draw a line with a band, with a gap in both where a seed is NaN."""
    every = max(1, len(steps) // 5)
    marks = (place * every // 4 % every, every)
    (line,) = axis.plot(steps, mean, **look.curve, linewidth=width, markersize=3, markevery=marks)
    if (np.ptp(band, axis=0) > 0).any():
        axis.fill_between(steps, *band, color=look.color, alpha=0.15, linewidth=0)
    return line


def _draw_published(axis: Axes, material: Material, dataset: str) -> Iterator[tuple[str, Artist]]:
    for level in material.published_levels(dataset):
        label = f"{level.theirs}, {level.source}"
        color = material.look[level.look].color
        yield label, axis.axhline(level.score, color=color, linestyle=level.line, linewidth=0.9, label=label)
