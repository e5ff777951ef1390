"""The score against a swept hyper-parameter, such as alpha, or the share of a dataset in a mixture."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.lines import Line2D

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.names import dataset_titles, hyperparameter_label
from harness.reporting.results import Results
from harness.reporting.selection.hyperparameters import default_sample, listed_numbers

ENDS = {"alpha": (("bc", "\N{GREEK SMALL LETTER ALPHA} → 0"), ("td3", "\N{GREEK SMALL LETTER ALPHA} → ∞"))}
"""Limits of an axis: TD3+BC becomes BC as alpha approaches 0, and TD3 as it grows without bound."""

LOG_FROM = 20
"""Values that span more than this factor are drawn on a logarithmic axis."""


def sensitivity(material: Material) -> Drawing:
    """Draw the score against the first list of values of a hyper-parameter."""
    return _list(material, differences=False)


def sensitivity_differences(material: Material) -> Drawing:
    """Draw the difference of each value in a list to the default value, paired by seed."""
    return _list(material, differences=True)


def _list(material: Material, differences: bool) -> Drawing:
    """Draw a panel per dataset: scores, or their differences to the default, of the first list of values."""
    results = material.results
    grids = [each for each in results.searches.values() if not each.drawn and len(each.paths) == 1]
    if not grids:
        raise HarnessError("no hyper-parameter was swept on its own")
    search = grids[0]
    numbers, default = listed_numbers(search), default_sample(results, search)
    places = numbers or {name: float(place) for place, name in enumerate(search.samples)}
    if differences and default is None:
        raise HarnessError("the default value is not among the swept values, or not known")
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
        ends = () if differences else ENDS.get(path, ())
        for name, words in (end for end in ends if (end[0], dataset) in values):
            one = material.look[name]
            handles[name] = axis.axhline(
                values[name, dataset].mean(skipna=False),
                color=one.color,
                linestyle=one.line,
                label=f"{one.label} ({words})",
            )
        if differences:
            axis.axhline(0, color="0.3", linewidth=0.6)
        here = [places[name] for name in names]
        if not numbers:
            axis.set_xticks(list(places.values()), [str(sample[path]) for sample in search.samples.values()])
        elif here and min(here) > 0 and max(here) >= LOG_FROM * min(here):
            axis.set_xscale("log")
            layout.plain_numbers(axis.xaxis)
    symbol, what = hyperparameter_label(path), "Sensitivity to {}"
    labels = [results.measure(dataset) for dataset in material.datasets]
    if differences:
        labels, what = ["Difference"] * len(axes), "Difference to the default value of {}, paired by seed"
    if default:
        usual = material.look[default].color
        label = f"Default ({search.samples[default][path]:g})"
        handles["default"] = Line2D([], [], color=usual, marker="D", markersize=5, linestyle="", label=label)
    labels = [f"{label}\n({material.mean_label})" for label in labels]
    layout.label_panels(figure, axes, material.dataset_titles, labels, symbol, handles)
    return Drawing(
        figure,
        f"{what.format(symbol)}. {captions.measure(results)}: mean over {captions.seeds(results)}"
        f"{material.around()}, of {captions.of_trial(results, material.score)}.",
    )


def _paired(scores: pd.Series[float], of_default: pd.Series[float]) -> pd.Series[float]:
    """Return the differences of the seeds that both have; a NaN score makes a NaN."""
    seeds = scores.index.intersection(of_default.index)
    return scores[seeds] - of_default[seeds]


def mixture_shares(material: Material) -> Drawing:
    """Draw mean and deviation over seeds against the share."""
    results = material.results
    part, shares = shares_of_last_part(results)
    values = results.score_arrays(material.score)
    figure, axis = layout.single()
    handles = []
    for name, look in material.look.items():
        known = [dataset for dataset in shares if (name, dataset) in values]
        if not known:
            continue
        means = np.array([values[name, dataset].mean() for dataset in known])
        errors = np.array([float(material.spread(values[name, dataset])) for dataset in known])
        positions = [100 * shares[dataset] for dataset in known]
        band = means - errors, means + errors
        handles += axis.plot(positions, means, **look.curve, markersize=4)
        axis.fill_between(positions, *band, color=look.color, alpha=0.18, linewidth=0)
    axis.set_xlabel(f"Share of {part} [%]")
    axis.set_ylabel(f"{results.measure(next(iter(shares)))}\n({material.mean_label})")
    layout.legend_below(figure, handles)
    return Drawing(
        figure,
        f"{captions.measure(results)} against the share of {part} in the data: mean over "
        f"{captions.seeds(results)} of {captions.of_trial(results, material.score)}"
        f"{material.around('shaded ± ')}.",
    )


def shares_of_last_part(results: Results) -> tuple[str, dict[str, float]]:
    """Return the title of the second part of the mixtures, and its share in each dataset, ascending.

    Raises:
        HarnessError: where the datasets are not mixtures of the same two datasets.
    """
    datasets = results.experiment.datasets if results.experiment else ()
    mixtures = {each.name: each.mixture for each in datasets if each.mixture is not None}
    parts = list(dict.fromkeys(part for mixture in mixtures.values() for part in mixture))
    if len(parts) != 2 or len(mixtures) < 2:
        raise HarnessError("the datasets are not mixtures of the same two datasets")
    shares = {name: mixture.get(parts[-1], 0.0) for name, mixture in mixtures.items()}
    return dataset_titles(parts)[parts[-1]], dict(sorted(shares.items(), key=lambda item: item[1]))
