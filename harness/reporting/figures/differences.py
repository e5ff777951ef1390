"""The paper's percent differences: of ablations, of the worst episode, of the worst evaluation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.reporting import captions
from harness.reporting.comparison import default_baseline
from harness.reporting.figures.bars import Bar, Bars, bar_figure
from harness.reporting.figures.drawing import Drawing, Material, NotApplicableError, of_several_seeds
from harness.reporting.figures.style import Look, looks
from harness.reporting.names import algorithm_label
from harness.reporting.results import Results
from harness.reporting.tables.scores import seed_scores
from harness.scores import DDOF, FINAL_EVALUATIONS, mean_and_deviation

LIMIT = 150.0
"""Bars longer than this (in percent) are cut and their number is written."""

SMALL, NOTE = 0.05, "*"
"""Of the scale of scores: bars that are divided by less wear the note."""

ALL = "All"

Pairs = dict[tuple[str, str], list[tuple[float, float]]]
"""(algorithm, dataset) to the worst and the mean, for each finished trial."""


def percent_difference(value: float, reference: float) -> float:
    """100 (value - reference) / |reference|; NaN where the reference is 0."""
    return 100.0 * (value - reference) / abs(reference) if reference else float("nan")


def ablation(material: Material) -> Drawing:
    """How far each variant is from the full algorithm, by dataset and in all (the paper's figures 5, 6)."""
    results = material.results
    reference = reference_algorithm(results, material.reference)
    variants = [name for name in results.algorithms if name != reference]
    if not variants:
        raise NotApplicableError("there is no second algorithm to compare with the first")
    means = {cell: float(np.mean(seeds)) for cell, seeds in seed_scores(results, material.score).items()}
    datasets = [name for name in material.datasets if (reference, name) in means]
    summed = [name for name in material.normalized if name in datasets]
    groups = [*datasets, ALL] if len(summed) > 1 else datasets
    for name in results.algorithms:
        if all((name, dataset) in means for dataset in summed):
            means[name, ALL] = sum(means[name, dataset] for dataset in summed)
    scales = {**{name: _scale(results, name) for name in datasets}, ALL: 100.0 * len(summed)}
    bars = {
        name: [
            _bar([(means[name, of], means[reference, of])] if (name, of) in means else [], scales[of])
            for of in groups
        ]
        for name in variants
    }
    in_all = f"; {ALL}: of the sums over the {len(summed)} datasets with normalized scores"
    return _drawing(
        {name: one for name, one in looks(results.algorithms).items() if name in variants},
        groups,
        bars,
        f"Percent difference to {algorithm_label(reference)}: 100 (score - reference) / |reference|, of "
        f"means over {captions.seeds(results)} of {captions.of_trial(results, material.score)}"
        f"{in_all if ALL in groups else ''}.",
    )


def worst_episode(material: Material) -> Drawing:
    """The worst episode of the last evaluation against the mean of its episodes (the paper's figure 2)."""
    results = material.results
    if "episode_returns" not in results.frame:
        raise NotApplicableError("the returns of single episodes are not recorded (column episode_returns)")
    pairs = worst_episodes(results)
    if not pairs:
        raise NotApplicableError("no trial has the returns of its last evaluation's episodes")
    return _instability(
        material,
        pairs,
        f"Percent difference of the worst of the {captions.episodes(results)} episodes of the last "
        "evaluation to their mean",
    )


def worst_evaluation(material: Material) -> Drawing:
    """The worst of the final evaluations against their mean (the paper's figure 3)."""
    return _instability(
        material,
        worst_evaluations(material.results),
        f"Percent difference of the worst of each trial's {captions.final_evaluations(material.results)} to "
        "their mean",
    )


def reference_algorithm(results: Results, asked: str | None) -> str:
    """The one asked for; else TD3+BC at the paper's hyper-parameters; else the first.

    Raises:
        NotApplicableError: when there is none of the name asked for.
    """
    if asked is not None:
        if asked not in results.algorithms:
            raise NotApplicableError(f"no algorithm {asked} in it; there are {', '.join(results.algorithms)}")
        return asked
    return default_baseline(results)


def worst_evaluations(results: Results) -> Pairs:
    pairs: Pairs = {}
    scores = {column: results.finished_frame[column].to_numpy() for column in set(results.metric.values())}
    for (algorithm, dataset, _), rows in results.finished_trials():
        final = scores[results.metric[dataset]][rows][-FINAL_EVALUATIONS:]
        pairs.setdefault((algorithm, dataset), []).append((float(np.min(final)), float(np.mean(final))))
    return pairs


def worst_episodes(results: Results) -> Pairs:
    scale = {name: normalizer(results, name) for name in results.datasets}
    pairs: Pairs = {}
    trials = list(results.finished_trials())
    last_rows = np.array([rows.stop - 1 for _, rows in trials], dtype=int)
    last = results.finished_frame["episode_returns"].iloc[last_rows]
    for ((algorithm, dataset, _), _), episodes in zip(trials, last, strict=True):
        if episodes is pd.NA or not len(episodes):
            continue
        slope, intercept = scale[dataset]
        scores = slope * np.asarray(episodes, dtype=np.float64) + intercept
        pairs.setdefault((algorithm, dataset), []).append((float(np.min(scores)), float(np.mean(scores))))
    return pairs


def normalizer(results: Results, dataset: str) -> tuple[float, float]:
    """Slope and intercept from returns to normalized scores, found from the records; (1, 0) without scores.

    Raises:
        NotApplicableError: where all returns are the same.
    """
    if results.metric[dataset] == "return_mean":
        return 1.0, 0.0
    measures = results.frame[["return_mean", "normalized_score"]]
    rows = measures[results.frame["dataset"] == dataset].dropna()
    returns, scores = rows["return_mean"].to_numpy(), rows["normalized_score"].to_numpy()
    if len(returns) == 0 or np.ptp(returns) == 0:
        raise NotApplicableError(f"the reference scores of {dataset} cannot be found from its records")
    low, high = np.argmin(returns), np.argmax(returns)
    slope = float((scores[high] - scores[low]) / (returns[high] - returns[low]))
    return slope, float(scores[low] - slope * returns[low])


def _instability(material: Material, pairs: Pairs, what: str) -> Drawing:
    results, datasets = material.results, material.datasets
    bars = {
        name: [_bar(pairs.get((name, dataset), []), _scale(results, dataset)) for dataset in datasets]
        for name in results.algorithms
    }
    whiskers = of_several_seeds(results, f", whiskers: standard deviation (ddof={DDOF})")
    return _drawing(
        looks(results.algorithms),
        datasets,
        bars,
        f"{what}; mean over {captions.seeds(results)}{whiskers}.",
    )


def _scale(results: Results, dataset: str) -> float:
    """What a difference in scores is large against: 100 points, or the range of the returns."""
    if results.metric[dataset] == "normalized_score":
        return 100.0
    returns = results.frame.loc[results.frame["dataset"] == dataset, "return_mean"]
    return float(returns.max() - returns.min())


def _bar(pairs: Sequence[tuple[float, float]], scale: float) -> Bar | None:
    """The mean percent difference of (value, reference) pairs and its deviation."""
    if not pairs:
        return None
    mean, deviation = mean_and_deviation(np.array([percent_difference(*pair) for pair in pairs]))
    small = any(abs(reference) < SMALL * scale for _, reference in pairs)
    return Bar(mean, deviation, deviation, NOTE if small else "")


def _drawing(look: dict[str, Look], groups: Sequence[str], every: Bars, caption: str) -> Drawing:
    figure, rows = bar_figure(look, groups, every, limit=LIMIT)
    bars = [bar for of in every.values() for bar in of if bar]
    cut = [bar for bar in bars if abs(bar.height) > LIMIT]
    lows, highs = zip(*(axis.get_ylim() for axis, _ in rows), strict=True)
    low = -1.3 * LIMIT if any(bar.height < 0 for bar in cut) else max(min(lows), -1.05 * LIMIT)
    high = 1.3 * LIMIT if any(bar.height > 0 for bar in cut) else min(max(highs), 1.05 * LIMIT)
    if any(bar.note for bar in bars):
        low, high = min(low, -0.06 * high), max(high, -0.06 * low)  # room for it
    for axis, _ in rows:
        axis.set_ylim(low, high)
        axis.set_ylabel("Percent difference")
    left = [
        bar for bar in bars if bar not in cut and (bar.height - bar.down < low or bar.height + bar.up > high)
    ]
    if cut:
        caption += f" Bars beyond ±{LIMIT:.0f} % are cut and numbered"
        caption += ", without whiskers." if any(bar.down > 0 for bar in cut) else "."
    if left:
        caption += " Whiskers are cut where they leave the axes."
    if any(bar.note for bar in bars):
        caption += (
            f" {NOTE}: divided by a number so near 0 (within {100 * SMALL:.0f} normalized points, or "
            f"{100 * SMALL:.0f} % of the range of the returns) that percent mean little."
        )
    return Drawing(figure, caption)
