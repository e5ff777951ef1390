"""The score against a swept hyper-parameter, such as alpha."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import (
    Drawing,
    Material,
)
from harness.reporting.names import hyperparameter_label
from harness.reporting.results import Results
from harness.reporting.selection.hyperparameters import default_sample, listed_numbers
from harness.search import Search

ENDS = {"alpha": (("bc", "\N{GREEK SMALL LETTER ALPHA} → 0"), ("td3", "\N{GREEK SMALL LETTER ALPHA} → ∞"))}
"""Limits of an axis: TD3+BC becomes BC as alpha approaches 0, and TD3 as it grows without bound."""

LOG_FROM = 20
"""Values that span more than this factor are drawn on a logarithmic axis."""


def sensitivity(material: Material) -> Drawing:
    """Draw the score against the first list of values of a hyper-parameter."""
    return _list(material)


def sensitivity_differences(material: Material) -> Drawing:
    """Draw the difference of each value in a list to the default value, paired by seed."""
    return _list(material, differences=True)


def _list(material: Material, differences: bool = False) -> Drawing:
    """Draw a panel per dataset: the score against the values of the first list of values.

    Args:
        differences: to the default value, paired by seed, in place of scores.
    """
    results = material.results
    search = _swept(results)
    numbers, default = listed_numbers(search), default_sample(results, search)
    places = numbers or {name: float(place) for place, name in enumerate(search.samples)}
    if differences and default is None:
        raise HarnessError("the default value is not among the swept values")
    path, values = search.paths[0], results.seed_scores(material.score)
    figure, axes = layout.panels(len(material.datasets))
    handles: dict[str, Artist] = {}
    for axis, dataset in zip(axes, material.datasets, strict=True):
        names = sorted((name for name in places if (name, dataset) in values), key=lambda name: places[name])
        scores = {name: values[name, dataset] for name in names}
        if differences:
            of_default = scores.get(str(default))
            scores = {} if of_default is None else {n: _paired(s, of_default) for n, s in scores.items()}
        means = {name: float(seeds.mean(skipna=False)) for name, seeds in scores.items()}
        axis.plot([places[name] for name in means], list(means.values()), color="0.6", linewidth=0.8)
        for name, seeds in scores.items():
            one, is_default = material.look[name], name == default
            error = float(material.spread(np.asarray(seeds, dtype=np.float64)))
            axis.errorbar(
                places[name], means[name], error, color=one.color, marker="D" if is_default else "o",
                markersize=5 if is_default else 3.5, capsize=2, linewidth=1, zorder=3,
            )  # fmt: skip
        ends = [(name, words) for name, words in ENDS.get(path, ()) if (name, dataset) in values]
        for name, words in () if differences else ends:
            one = material.look[name]
            handles[name] = axis.axhline(
                values[name, dataset].mean(skipna=False),
                color=one.color,
                linestyle=one.line,
                label=f"{one.label} ({words})",
            )
        if differences:
            axis.axhline(0, color="0.3", linewidth=0.6)
        _scale_values(axis, [places[name] for name in names] if numbers else [])
        if not numbers:
            axis.set_xticks(list(places.values()), [str(sample[path]) for sample in search.samples.values()])
        layout.title(axis, material.title(dataset))
    symbol = hyperparameter_label(path)
    about = "difference" if differences else ""
    labels = [results.measure(dataset) for dataset in material.datasets]
    layout.label_left(axes, [f"{about.capitalize() or label}\n({material.mean_label})" for label in labels])
    layout.label_below(axes, symbol)
    if default:
        usual = material.look[default].color
        label = f"Default ({search.samples[default][path]:g})"
        handles["default"] = Line2D([], [], color=usual, marker="D", markersize=5, linestyle="", label=label)
    layout.legend_below(figure, list(handles.values()))
    what = (
        f"Difference to the default value of {symbol}, paired by seed"
        if differences
        else f"Sensitivity to {symbol}"
    )
    return Drawing(
        figure,
        f"{what}. {captions.measure(results)}: mean over {captions.seeds(results)}{material.around()}, of "
        f"{captions.of_trial(results, material.score)}.",
    )


def _paired(scores: pd.Series[float], of_default: pd.Series[float]) -> pd.Series[float]:
    """Return the differences of the seeds that both have; a NaN score makes a NaN."""
    seeds = scores.index.intersection(of_default.index)
    return scores[seeds] - of_default[seeds]


def _swept(results: Results) -> Search:
    """Return the first grid of a single hyper-parameter.

    Raises:
        HarnessError: if nothing was swept.
    """
    grids = [each for each in results.searches.values() if not each.drawn and len(each.paths) == 1]
    if not grids:
        raise HarnessError("no hyper-parameter was swept on its own")
    return grids[0]


def _scale_values(axis: Axes, numbers: Sequence[float]) -> None:
    """Make the x axis logarithmic where positive values span a large factor."""
    if numbers and min(numbers) > 0 and max(numbers) >= LOG_FROM * min(numbers):
        axis.set_xscale("log")
        layout.plain_numbers(axis.xaxis)
