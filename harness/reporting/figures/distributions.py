"""The returns of the episodes in a dataset next to those of the policies learned from it."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.patches import Patch
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.reporting import captions
from harness.reporting.figures import layout
from harness.reporting.figures.drawing import Drawing, Material
from harness.reporting.results import Results
from harness.scores import FINAL_EVALUATIONS


def return_distributions(material: Material) -> Drawing:
    """Draw a panel per dataset: a violin of the dataset's episode returns, and one per algorithm."""
    results = material.results
    if "episode_returns" not in results.frame:
        raise HarnessError("the returns of single episodes are not recorded (column episode_returns)")
    if not material.behaviour_returns:
        raise HarnessError("the episode returns of the datasets are not on this machine")
    look = material.look
    datasets = [name for name in material.datasets if name in material.behaviour_returns]
    figure, axes = layout.panels(len(datasets))
    for axis, dataset in zip(axes, datasets, strict=True):
        learnt = learnt_returns(results, dataset)
        behaviour = material.behaviour_returns[dataset]
        samples = [behaviour[np.isfinite(behaviour)], *learnt.values()]
        colors = ["0.75", *(look[name].color for name in learnt)]
        hatches = ["", *(look[name].hatch for name in learnt)]
        violins = {"density_norm": "width", "cut": 0, "inner": "quart", "linewidth": 0.7, "saturation": 1}
        sns.violinplot(data=samples, palette=colors, ax=axis, **violins)
        with_body = [hatch for hatch, sample in zip(hatches, samples, strict=True) if np.ptp(sample) > 0]
        for body, hatch in zip(axis.collections, with_body, strict=False):  # equal returns give a line
            body.set_hatch(hatch)
        axis.set_xticks([])
        layout.title(axis, material.title(dataset))
    layout.label_left(axes, ["Episode return"] * len(axes))
    handles = [
        Patch(facecolor=one.color, edgecolor="0.2", hatch=one.hatch, label=one.label, linewidth=0)
        for one in look.values()
    ]
    layout.legend_below(figure, [Patch(facecolor="0.75", label="Dataset"), *handles])
    return Drawing(
        figure,
        "Returns of the episodes in each dataset and of the policies learnt from it (all episodes of the "
        f"{captions.final_evaluations(results)}, {captions.seeds(results)}). Violins of equal width; lines: "
        "quartiles.",
    )


def learnt_returns(results: Results, dataset: str) -> dict[str, NDArray[np.float64]]:
    """Return by algorithm the finite returns of all episodes in the final evaluations of finished trials."""
    of_dataset = results.finished_frame["dataset"] == dataset
    rows = results.finished_frame.loc[of_dataset, ["algorithm", "seed", "episode_returns"]]
    found = {}
    for algorithm, trials in rows.groupby("algorithm", observed=True):
        final = trials.groupby("seed").tail(FINAL_EVALUATIONS)["episode_returns"].dropna()
        returns = np.array([one for episodes in final for one in episodes], dtype=np.float64)
        if np.isfinite(returns).any():
            found[str(algorithm)] = returns[np.isfinite(returns)]
    return found
