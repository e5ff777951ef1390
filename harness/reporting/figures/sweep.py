"""How the score moves with a hyper-parameter that was swept, such as alpha."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.reporting import captions
from harness.reporting.figures.curves import measure_label
from harness.reporting.figures.drawing import Drawing, Material, NotApplicableError, of_several_seeds
from harness.reporting.figures.style import label_below, label_left, looks, panels, title
from harness.reporting.names import algorithm_label, hyperparameter_label
from harness.reporting.tables.scores import seed_scores
from harness.scores import DDOF, mean_and_deviation
from harness.search import Search

ENDS = {"alpha": ("bc", "td3")}
"""What stands for the ends of an axis: TD3+BC with alpha 0 is BC, with alpha without bounds it is TD3."""

LOG_FROM = 20
"""Values that span more than this factor are drawn on a logarithmic axis."""


def sensitivity(material: Material) -> Drawing:
    """Draw the score against swept hyper-parameters: those of all samples, or of the first list of values."""
    every_sample = material.results.every_sample or material.results
    if drawn := [search for search in every_sample.searches.values() if search.drawn]:
        return _samples(replace(material, results=every_sample), drawn)
    return _list(material)


def _samples(material: Material, searches: Sequence[Search]) -> Drawing:
    """Draw a panel per search, dataset and hyper-parameter, with a point for each sample."""
    results = material.results
    values = seed_scores(results, material.score)
    shown = [
        (search, dataset, path)
        for search in searches
        for dataset in material.datasets
        if any((sample, dataset) in values for sample in search.samples)
        for path in search.paths
    ]
    if not shown:
        raise NotApplicableError("no sample of a search has finished")
    figure, axes = panels(len(shown))
    look = looks([search.name for search in searches])
    for axis, (search, dataset, path) in zip(axes, shown, strict=True):
        finished = [sample for sample in search.samples if (sample, dataset) in values]
        pairs = [mean_and_deviation(values[sample, dataset]) for sample in finished]
        at = [search.samples[sample][path] for sample in finished]
        numbers = [value for value in at if isinstance(value, int | float) and not isinstance(value, bool)]
        is_numeric = len(numbers) == len(at)
        axis.errorbar(
            numbers if is_numeric else [str(value) for value in at],
            [mean for mean, _ in pairs],
            [0 if np.isnan(deviation) else deviation for _, deviation in pairs],
            color=look[search.name].color,
            linestyle="",
            marker="o",
            markersize=3,
            linewidth=0.6,
        )
        if is_numeric and min(numbers) > 0 and max(numbers) >= LOG_FROM * min(numbers):
            axis.set_xscale("log")
            axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axis.xaxis.set_minor_formatter(lambda value, _: "")
        axis.set_xlabel(hyperparameter_label(path))
        axis.set_title(f"{look[search.name].label} on\n{dataset}", fontsize=8)
    label_left(axes, [measure_label(results, dataset) for _, dataset, _ in shown])
    spread = of_several_seeds(results, f" ± standard deviation (ddof={DDOF})")
    return Drawing(
        figure,
        f"Samples of {captions.listed(look[search.name].label for search in searches)}, one point each, all "
        f"of their hyper-parameters varied together. {captions.measure(results)}: mean{spread} over "
        f"{captions.seeds(results)} of {captions.of_trial(results, material.score)}.",
    )


def _list(material: Material) -> Drawing:
    """Draw a panel per dataset: mean and deviation over seeds against the values of the first swept axis."""
    results = material.results
    axis_name, variants = swept(results.algorithms)
    low, high = ENDS.get(axis_name, ("", ""))
    shown = [
        *([low] if low in results.algorithms else []),
        *variants,
        *([high] if high in results.algorithms else []),
    ]
    labels = [algorithm_label(name) if name in (low, high) else _value(name, axis_name) for name in shown]
    values = seed_scores(results, material.score)
    figure, axes = panels(len(material.datasets))
    family = variants[0].partition("@")[0]
    look = looks([family, low, high])
    for axis, dataset in zip(axes, material.datasets, strict=True):
        pairs = [mean_and_deviation(values.get((name, dataset), np.zeros(0))) for name in shown]
        for position, (name, (mean, deviation)) in enumerate(zip(shown, pairs, strict=True)):
            axis.errorbar(
                position,
                mean,
                0 if np.isnan(deviation) else deviation,
                color=look[name if name in (low, high) else family].color,
                marker="D" if name in (low, high) else "o",
                markersize=4,
                capsize=2,
                linewidth=1,
            )
        within = [index for index, name in enumerate(shown) if name in variants]
        axis.plot(within, [pairs[index][0] for index in within], color=look[family].color)
        axis.set_xticks(range(len(shown)), labels)
        title(axis, dataset)
    symbol = hyperparameter_label(axis_name)
    label_left(axes, [measure_label(results, dataset) for dataset in material.datasets])
    label_below(axes, symbol)
    spread = of_several_seeds(results, f" ± standard deviation (ddof={DDOF})")
    return Drawing(
        figure,
        f"Sensitivity to {symbol}. {captions.measure(results)}: mean{spread} over "
        f"{captions.seeds(results)} of {captions.of_trial(results, material.score)}.",
    )


def swept(algorithms: Sequence[str]) -> tuple[str, list[str]]:
    """The first swept hyper-parameter, and the variants of it alone, in the order of its values.

    Raises:
        NotApplicableError: where nothing was swept.
    """
    single = [name for name in algorithms if "@" in name and "," not in name.partition("@")[2]]
    axes = [name.partition("@")[2].partition("=")[0] for name in single]
    if not axes:
        raise NotApplicableError("no hyper-parameter was swept on its own")
    family = single[0].partition("@")[0]
    variants = [
        name
        for name, axis in zip(single, axes, strict=True)
        if axis == axes[0] and name.partition("@")[0] == family
    ]
    return axes[0], sorted(variants, key=lambda name: _sort_key(_value(name, axes[0])))


def _value(name: str, axis: str) -> str:
    return name.partition(f"@{axis}=")[2]


def _sort_key(value: str) -> tuple[int, float]:
    """Numbers by size; words as they come."""
    try:
        return 0, float(value)
    except ValueError:
        return 1, 0.0
