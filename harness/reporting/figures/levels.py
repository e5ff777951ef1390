"""Reference lines: the normalized scores 0 and 100, and the score of the behaviour policy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D

from harness.errors import HarnessError
from harness.reporting.figures.drawing import Material
from harness.reporting.results import Results

BEHAVIOUR = "Behaviour policy"


def behaviour_level(line: Callable[..., Line2D], material: Material, dataset: str) -> dict[str, Artist]:
    """Draw the score of the behaviour policy if it is known, and return the line for the legend.

    Args:
        line: `axhline` or `axvline` of the panel, whose scale it extends.
    """
    returns = material.behaviour_returns.get(dataset, np.zeros(0))
    returns = returns[np.isfinite(returns)]
    if not len(returns):
        return {}
    try:
        slope, intercept = material.results.normalizer(dataset)
    except HarnessError:
        return {}
    dotted = (0, (1, 1.2))
    look = {"color": "0.35", "linewidth": 0.9, "linestyle": dotted, "zorder": 0.6, "label": BEHAVIOUR}
    return {BEHAVIOUR: line(slope * float(returns.mean()) + intercept, **look)}


def reference_levels(
    line: Callable[..., Line2D], limits: tuple[float, float], results: Results, dataset: str
) -> None:
    """Draw the normalized scores 0 and 100 if they are within the limits of an axis."""
    if dataset in results.normalized:
        for level in (0, 100):
            if limits[0] <= level <= limits[1]:
                line(level, color="0.55", linewidth=0.6, zorder=0.5)
