"""Every trial's learning curve as compact JSON for the page's explorer."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from harness.reporting.figures.style import looks
from harness.reporting.results import Results

MOST_POINTS = 2_000_000
FEWEST_PER_CURVE = 50


def explorer_data(results: Results) -> str:
    """JSON that may stand inside a `<script>` element: no `<` is in it.

    Long curves of very many trials are thinned, their last point always kept.
    """
    frame = results.frame
    look = looks(results.algorithms)
    page: dict[str, Any] = {
        "algorithms": [{"name": one.label, "color": to_hex(one.color)} for one in look.values()],
        "datasets": [],
    }
    for dataset in results.datasets:
        rows = frame[frame["dataset"] == dataset]
        column = results.metric[dataset]
        steps = np.sort(rows["step"].unique())
        kept = _kept(len(steps), len(frame))
        positions = np.searchsorted(steps, rows["step"].to_numpy())
        curves = []
        values = rows[column].to_numpy(dtype=np.float64)
        algorithms, seeds = rows["algorithm"].cat.codes.to_numpy(), rows["seed"].to_numpy()
        changed = np.flatnonzero((np.diff(algorithms) != 0) | (np.diff(seeds) != 0)) + 1
        for part in np.split(np.arange(len(rows)), changed):
            if len(part):
                curve = np.full(len(steps), np.nan)
                curve[positions[part]] = values[part]
                curves.append([int(algorithms[part[0]]), int(seeds[part[0]]), _rounded(curve[kept])])
        page["datasets"].append(
            {
                "name": dataset,
                "label": "Normalized score" if column == "normalized_score" else "Episode return",
                "steps": steps[kept].tolist(),
                "curves": curves,
            }
        )
    return json.dumps(page, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _kept(length: int, rows: int) -> NDArray[np.intp]:
    """Which points of a curve are sent."""
    share = min(1.0, MOST_POINTS / max(1, rows))
    count = min(length, max(FEWEST_PER_CURVE, int(length * share)))
    return np.unique(np.linspace(0, length - 1, count).round().astype(np.intp)) if length else np.arange(0)


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    """Tenths are all that a screen can show of a score."""
    return [round(value, 1) if np.isfinite(value) else None for value in values.tolist()]
