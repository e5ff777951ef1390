"""Aggregates over all datasets with their intervals, and performance profiles (Agarwal et al. 2021)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.figures.drawing import Drawing, Material, NotApplicableError
from harness.reporting.figures.style import TEXT_WIDTH, legend_below, looks, name_rows, single
from harness.reporting.names import algorithm_label
from harness.reporting.statistics import (
    AGGREGATES,
    REPETITIONS,
    Matrices,
    aggregate_estimates,
    performance_profile,
    score_matrices,
)

THRESHOLDS = 201


def interval_estimates(material: Material) -> Drawing:
    """IQM, median, mean and optimality gap of every algorithm, each with its 95 % interval."""
    matrices = _matrices(material)
    estimates = aggregate_estimates(material.results, material.score)
    look = looks(material.results.algorithms)
    figure = Figure(figsize=(TEXT_WIDTH, 0.55 + 0.24 * len(estimates)), layout="constrained")
    axes = figure.subplots(1, len(AGGREGATES), sharey=True)
    for index, (axis, name) in enumerate(zip(axes, AGGREGATES, strict=True)):
        for position, algorithm in enumerate(estimates):
            estimate = estimates[algorithm][index]
            if estimate.interval:
                low, high = estimate.interval
                axis.barh(position, high - low, 0.6, left=low, color=look[algorithm].color, alpha=0.45)
            axis.plot([estimate.value] * 2, [position - 0.3, position + 0.3], color="0.1", linewidth=1.4)
            if np.isnan(estimate.value):
                axis.annotate(
                    "NaN", (0.5, position), xycoords=("axes fraction", "data"), va="center", ha="center"
                )
        axis.set_title(name)
        axis.grid(False, axis="y")
        axis.locator_params(axis="x", nbins=4)
        axis.use_sticky_edges = False
        axis.margins(x=0.08)
    name_rows(figure, axes[0], estimates)
    axes[0].set_ylim(len(estimates) - 0.4, -0.6)
    figure.supxlabel("Normalized score", fontsize=8)
    return Drawing(figure, _caption(material, matrices) + " Of the optimality gap less is better.")


def profiles(material: Material) -> Drawing:
    """The share of trials above each normalized score."""
    matrices = _matrices(material)
    scores = np.concatenate([values.ravel() for values in matrices.scores.values()])
    if not np.isfinite(scores).all():
        raise NotApplicableError("some scores are not finite")
    margin = 0.05 * max(1.0, float(np.ptp(scores)))
    thresholds = np.linspace(scores.min() - margin, scores.max() + margin, THRESHOLDS)
    look = looks(material.results.algorithms)
    figure, axis = single(one.label for one in look.values())
    handles = []
    for algorithm, values in matrices.scores.items():
        one = look[algorithm]
        shares, (low, high) = performance_profile(values, thresholds)
        handles += axis.plot(thresholds, shares, color=one.color, linestyle=one.line, label=one.label)
        if len(values) > 1:
            axis.fill_between(thresholds, low, high, color=one.color, alpha=0.18, linewidth=0)
    axis.set_xlabel("Normalized score τ")
    axis.set_ylabel("Share of trials above τ")
    axis.set_ylim(-0.02, 1.02)
    legend_below(figure, handles)
    return Drawing(figure, _caption(material, matrices))


def _matrices(material: Material) -> Matrices:
    try:
        return score_matrices(material.results, material.score)
    except HarnessError as error:
        raise NotApplicableError(str(error).partition(": ")[2]) from None


def _caption(material: Material, matrices: Matrices) -> str:
    left_out = "".join(
        f" {algorithm_label(name)} is left out: {why}." for name, why in matrices.left_out.items()
    )
    count = len(matrices.datasets)
    drawn = any(len(values) > 1 and np.isfinite(values).all() for values in matrices.scores.values())
    intervals = f", with 95 % stratified bootstrap intervals ({REPETITIONS:,} resamples)" if drawn else ""
    seeds = captions.seeds_of([len(values) for values in matrices.scores.values()])
    return (
        f"Over {count} dataset{'s' * (count > 1)} and {seeds}{intervals}; scores: "
        f"{captions.of_trial(material.results, material.score)}.{left_out}"
    )
