"""Run times as bars."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.patches import Patch

from harness.errors import HarnessError
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.tables.run_time import trial_seconds


def run_time_bars(material: Material) -> Drawing:
    """Draw seconds of gradient steps and of evaluation, per algorithm."""
    seconds = trial_seconds(material.results)
    timed = seconds.dropna(subset="train_seconds")
    if timed.empty:
        raise HarnessError("no trial has the times of all its evaluations")
    by_algorithm = {
        name: rows for name in material.results.algorithms if len(rows := timed[timed["algorithm"] == name])
    }
    training = [float(rows["train_seconds"].mean()) for rows in by_algorithm.values()]
    evaluation = [float(rows["evaluation_seconds"].mean()) for rows in by_algorithm.values()]
    spreads = [float(material.spread(rows["train_seconds"].to_numpy())) for rows in by_algorithm.values()]
    figure, axis = layout.single(0.45 + 0.2 * len(by_algorithm))
    positions = np.arange(len(by_algorithm))
    whiskers = [np.minimum(spreads, training), np.zeros(len(by_algorithm))]  # within the part of training
    colors = [material.look[name].color for name in by_algorithm]
    line = {"linewidth": 0.8, "capsize": 2}
    axis.barh(positions, training, 0.65, xerr=whiskers, color=colors, error_kw=line)
    look: dict[str, Any] = {"facecolor": "white", "edgecolor": "0.4", "hatch": "////", "linewidth": 0.6}
    axis.barh(positions, evaluation, 0.65, left=training, **look)
    layout.name_rows(axis, [material.title(name) for name in by_algorithm])
    axis.set_xlabel("Seconds per trial")
    layout.legend_below(
        figure, [Patch(facecolor="0.5", label="Gradient steps"), Patch(**look, label="Evaluation")]
    )
    around = material.around("whiskers, to the left alone: ") if any(spreads) else ""
    return Drawing(
        figure,
        "Wall-clock time of a trial: mean over the finished trials"
        f"{'' if len(timed) == len(seconds) else ' whose times are all recorded'}"
        f"{f'{around} of that of the gradient steps' if around else ''}.",
    )
