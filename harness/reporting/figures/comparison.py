"""Every variant against a baseline: the difference on each dataset with its interval."""

from __future__ import annotations

import math

from matplotlib.axes import Axes

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.comparison import Difference, compare_with_baseline
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.figures.percent import percent_differences

MOST_ACROSS = 4
"""Panels in a row: their numbers can be read, and 15 datasets with 8 variants fit on a page."""


def comparison(material: Material) -> Drawing:
    """Draw a panel per variant with a row per dataset, and the mean over all datasets below a line."""
    if material.as_printed:
        return percent_differences(material)
    results, baseline = material.results, material.baseline
    compared = compare_with_baseline(results, baseline, material.score)
    drawn = (None, *material.normalized)
    shown = [one for one in compared.differences if one.verdict != "unknown" and one.dataset in drawn]
    variants = list(dict.fromkeys(one.variant for one in shown))
    if not variants:
        raise HarnessError("it needs three seeds of two variants on a dataset with normalized scores")
    datasets = [*material.normalized, *([None] if any(one.dataset is None for one in shown) else [])]
    every = "Selected datasets" if "dataset" in results.only else "All datasets"
    names = [every if dataset is None else material.title(dataset) for dataset in datasets]
    figure, axes = layout.row_panels([material.title(variant) for variant in variants], names, MOST_ACROSS)
    for axis, variant in zip(axes, variants, strict=True):
        rows = {one.dataset: one for one in shown if one.variant == variant}
        _draw(axis, [rows.get(dataset) for dataset in datasets], material.look[variant].color)
        if datasets[-1] is None:
            axis.axhline(len(datasets) - 1.5, color="0.5", linewidth=0.5)
    layout.share_scale(axes)
    label = f"Normalized score minus that of {material.title(baseline)} (95 % CI)"
    figure.supxlabel(layout.wrapped(label, figure.get_figwidth() - 0.2, 8))
    return Drawing(
        figure,
        f"Each variant minus {material.title(baseline)}: normalized score, "
        f"{captions.of_trial(results, material.score)}, over {captions.seeds(results)}, with the 95 % t "
        f"interval{' of pairs of seeds' if compared.paired else ''}. Filled: better or worse (p of both the "
        "t-test and the bootstrap below 0.05, corrected by Holm); hollow: no difference found.",
    )


def _draw(axis: Axes, rows: list[Difference | None], color: str) -> None:
    axis.axvline(0, color="0.3", linewidth=0.8)
    for position, one in enumerate(rows):
        if one is None:
            layout.write_in_row(axis, position, "-")
            continue
        if math.isfinite(one.interval[0]):
            axis.plot(one.interval, [position] * 2, color=color, linewidth=1.3)
        face = color if one.verdict in ("better", "worse") else "white"
        axis.plot(one.difference, position, "o", color=color, markersize=4.5, markerfacecolor=face)
