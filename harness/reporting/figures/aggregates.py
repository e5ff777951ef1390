"""Aggregates over all datasets with their intervals, and performance profiles (Agarwal et al. 2021)."""

from __future__ import annotations

import numpy as np

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.statistics import (
    AGGREGATES,
    REPETITIONS,
    Matrices,
    aggregate_estimates,
    improvement_estimate,
    performance_profile,
    score_matrices,
)

THRESHOLDS, MARK_EVERY = 201, 25
MOST_INSIDE, LONGEST_INSIDE = 5, 16
"""The largest legend inside a panel: its entries, and the characters of each."""


def interval_estimates(material: Material) -> Drawing:
    """Draw IQM, median, mean and optimality gap of every algorithm, each with its 95 % interval."""
    matrices = score_matrices(material.results, material.score)
    estimates = aggregate_estimates(material.results, material.score)
    names = [material.title(name) for name in estimates]
    figure, axes = layout.row_panels(AGGREGATES, names, 4)
    for index, axis in enumerate(axes):
        for position, algorithm in enumerate(estimates):
            estimate = estimates[algorithm][index]
            if estimate.interval:
                low, high = estimate.interval
                color = material.look[algorithm].color
                axis.barh(position, high - low, 0.6, left=low, color=color, alpha=0.45)
            axis.plot([estimate.value] * 2, [position - 0.3, position + 0.3], color="0.1", linewidth=1.4)
            if np.isnan(estimate.value):
                layout.write_in_row(axis, position, "NaN")
        axis.locator_params(axis="x", nbins=3)
        axis.use_sticky_edges = False
    figure.supxlabel("Normalized score (95 % CI)")
    return Drawing(figure, _caption(material, matrices) + " Of the optimality gap less is better.")


def profiles(material: Material) -> Drawing:
    """Draw the share of trials above each normalized score."""
    matrices = score_matrices(material.results, material.score)
    scores = np.concatenate([values.ravel() for values in matrices.scores.values()])
    if not np.isfinite(scores).all():
        raise HarnessError("some scores are not finite")
    margin = 0.05 * max(1.0, float(np.ptp(scores)))
    thresholds = np.linspace(scores.min() - margin, scores.max() + margin, THRESHOLDS)
    figure, axis = layout.single()
    handles = []
    for place, (algorithm, values) in enumerate(matrices.scores.items()):
        one = material.look[algorithm]
        shares, (low, high) = performance_profile(values, thresholds)
        marks = (4 * place % MARK_EVERY, MARK_EVERY)
        handles += axis.plot(thresholds, shares, **one.curve, markersize=3, markevery=marks)
        if len(values) > 1:
            axis.fill_between(thresholds, low, high, color=one.color, alpha=0.18, linewidth=0)
    axis.set_xlabel("Normalized score τ")
    axis.set_ylabel("Share of trials above τ")
    axis.set_ylim(-0.02, 1.02)
    longest = max(len(str(handle.get_label())) for handle in handles)
    if len(handles) <= MOST_INSIDE and longest <= LONGEST_INSIDE:
        axis.legend(handles=handles, loc="best")
    else:
        layout.legend_below(figure, handles)
    return Drawing(figure, _caption(material, matrices))


def improvement(material: Material) -> Drawing:
    """Draw the probability that a seed of each algorithm scores above one of the reference."""
    matrices, reference = score_matrices(material.results, material.score), material.baseline
    others = [name for name in matrices.scores if name != reference]
    if not others or reference not in matrices.scores:
        raise HarnessError("it needs every seed on every dataset of two algorithms")
    figure, axis = layout.single(0.5 + 0.19 * len(others))
    for row, name in enumerate(others):
        estimate = improvement_estimate(matrices.scores[name], matrices.scores[reference])
        one = material.look[name]
        if estimate.interval:
            axis.plot(estimate.interval, [row] * 2, color=one.color, linewidth=1.3)
        axis.plot(estimate.value, row, one.marker, color=one.color, markersize=4.5)
    axis.axvline(0.5, color="0.3", linewidth=0.8)
    layout.name_rows(axis, [material.title(name) for name in others])
    axis.set_xlim(-0.03, 1.03)
    label = f"P(X > {material.title(reference)}) (95\N{NO-BREAK SPACE}%\N{NO-BREAK SPACE}CI)"
    label = layout.wrapped(label, 0.65 * figure.get_figwidth(), 8)
    axis.set_xlabel(label)
    figure.set_figheight(figure.get_figheight() + layout.LINE * label.count("\n"))
    return Drawing(
        figure,
        f"Probability that a seed of the algorithm scores above one of {material.title(reference)}, mean "
        f"over datasets, ties counted half. {_caption(material, matrices)}",
    )


def _caption(material: Material, matrices: Matrices) -> str:
    count = len(matrices.datasets)
    drawn = any(len(values) > 1 and np.isfinite(values).all() for values in matrices.scores.values())
    intervals = f", with 95 % stratified bootstrap intervals ({REPETITIONS:,} resamples)" if drawn else ""
    seeds = captions.seeds_of([len(values) for values in matrices.scores.values()])
    sentence = (
        f"Over {count} dataset{'s' * (count > 1)} and {seeds}{intervals}; scores: "
        f"{captions.of_trial(material.results, material.score)}."
    )
    return " ".join([sentence, *matrices.left_out])
