"""Every trial's learning curve as compact JSON for the page's explorer."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.reporting.figures.drawing import Material
from harness.reporting.results import Results

MOST_POINTS = 60_000
FEWEST_PER_CURVE = 50


def explorer_data(results: Results) -> str:
    """Return JSON that can be inside a `<script>` element: no `<` is in it.

    Long curves of very many trials are thinned, their last point always kept.
    """
    frame = results.frame
    look = Material(results).look
    page: dict[str, Any] = {
        "algorithms": [
            {"name": one.label, "color": one.color, "dash": _dashes(one.line)} for one in look.values()
        ],
        "datasets": [],
    }
    for dataset in results.datasets:
        column = results.metric[dataset]
        rows = frame[["algorithm", "seed", "step", column]][frame["dataset"] == dataset]
        steps = np.sort(rows["step"].unique())
        kept = _kept(len(steps), len(frame))
        values = rows[column].to_numpy(dtype=np.float64)
        values = values.round(_decimals(values))
        algorithms, seeds = rows["algorithm"].cat.codes.to_numpy(), rows["seed"].to_numpy()
        changed = np.flatnonzero((np.diff(algorithms) != 0) | (np.diff(seeds) != 0)) + 1
        curves = []
        for first, end in itertools.pairwise([0, *changed.tolist(), len(rows)] if len(rows) else []):
            of_trial = values[first:end]  # as far as it got, at the first of these steps: one protocol
            points = _with_null(of_trial[kept[kept < len(of_trial)]])
            curves.append([int(algorithms[first]), int(seeds[first]), points])
        page["datasets"].append(
            {
                "name": dataset,
                "label": "Normalized score" if column == "normalized_score" else "Episode return",
                "steps": steps[kept].tolist(),
                "curves": curves,
            }
        )
    return json.dumps(page, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _dashes(line: Any) -> str:
    """As SVG writes matplotlib's, in pixels of a line of two."""
    return "" if line == "-" else " ".join(f"{2 * length:g}" for length in line[1])


def _kept(length: int, rows: int) -> NDArray[np.intp]:
    """Which points of a curve are sent."""
    share = min(1.0, MOST_POINTS / max(1, rows))
    count = min(length, max(FEWEST_PER_CURVE, int(length * share)))
    return np.unique(np.linspace(0, length - 1, count).round().astype(np.intp)) if length else np.arange(0)


def _decimals(values: NDArray[np.float64]) -> int:
    """Tenths, or what shows a thousandth of a small range: more a screen cannot show."""
    extent = float(np.ptp(values[np.isfinite(values)])) if np.isfinite(values).any() else 0.0
    return max(1, math.ceil(3 - math.log10(extent))) if extent > 0 else 1


def _with_null(values: NDArray[np.float64]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
