"""The score against the share of one dataset in a mixture of two."""

from __future__ import annotations

import numpy as np

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.names import dataset_titles
from harness.reporting.results import Results


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
        handles += axis.plot(positions, means, **look.curve, markersize=4)
        axis.fill_between(
            positions, means - errors, means + errors, color=look.color, alpha=0.18, linewidth=0
        )
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
    """Return the title of the second part of the mixtures, and its share in each dataset in ascending order.

    Raises:
        HarnessError: where the datasets are not mixtures of the same two datasets.
    """
    mixtures = {
        settings.name: settings.mixture
        for settings in (results.experiment.datasets if results.experiment else ())
        if settings.mixture is not None
    }
    parts = list(dict.fromkeys(part for mixture in mixtures.values() for part in mixture))
    if len(parts) != 2 or len(mixtures) < 2:
        raise HarnessError("the datasets are not mixtures of the same two datasets")
    shares = {name: mixture.get(parts[-1], 0.0) for name, mixture in mixtures.items()}
    return dataset_titles(parts)[parts[-1]], dict(sorted(shares.items(), key=lambda item: item[1]))
