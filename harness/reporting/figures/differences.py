"""The paper's percent differences: of ablations, of the worst episode, of the worst evaluation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from harness.algorithms.hyperparameters import TD3BCHyperparameters
from harness.reporting import captions
from harness.reporting.figures.bars import bar_handles, grouped_bars
from harness.reporting.figures.drawing import Drawing, Material, NotApplicableError
from harness.reporting.figures.style import TEXT_WIDTH, Look, legend_below, looks
from harness.reporting.names import algorithm_label, initials
from harness.reporting.results import Results
from harness.reporting.scores import DDOF, FINAL_EVALUATIONS, mean_and_deviation
from harness.reporting.tables.scores import seed_scores

LIMIT = 150.0
"""Bars longer than this (in percent) are cut and their number is written."""

ALL = "All"

Differences = dict[tuple[str, str], list[float]]
"""(algorithm, dataset) to a percent difference for each finished trial."""


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
    datasets = [name for name in results.datasets if (reference, name) in means]
    heights = {name: _ablated(means, name, reference, datasets) for name in variants}
    look = {name: one for name, one in looks(results.algorithms).items() if name in variants}
    groups = [*(initials(name) for name in datasets), ALL]
    return Drawing(
        _bars(look, groups, heights, {}),
        f"Percent difference to {algorithm_label(reference)}: 100 (score - reference) / |reference|, of "
        f"means over {captions.seeds(results)} of {captions.of_trial(results, material.score)}; {ALL}: "
        f"of the sums over datasets. {_footnote(datasets)}",
    )


def worst_episode(material: Material) -> Drawing:
    """The worst episode of the last evaluation against the mean of its episodes (the paper's figure 2)."""
    results = material.results
    if "episode_returns" not in results.frame:
        raise NotApplicableError("the returns of single episodes are not recorded (column episode_returns)")
    return _instability(
        results,
        worst_episodes(results),
        f"Percent difference of the worst of the {results.episodes} episodes of the last evaluation to their "
        "mean",
    )


def worst_evaluation(material: Material) -> Drawing:
    """The worst of the final evaluations against their mean (the paper's figure 3)."""
    return _instability(
        material.results,
        worst_evaluations(material.results),
        f"Percent difference of the worst of each trial's final {FINAL_EVALUATIONS} evaluations to their "
        "mean",
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
    columns = results.experiment.columns() if results.experiment else {}
    full = [name for name, setting in columns.items() if setting == TD3BCHyperparameters()]
    return next((name for name in (*full, "td3_bc") if name in results.algorithms), results.algorithms[0])


def worst_evaluations(results: Results) -> Differences:
    differences: Differences = {}
    scores = {column: results.finished_frame[column].to_numpy() for column in set(results.metric.values())}
    for (algorithm, dataset, _), rows in results.finished_trials():
        final = scores[results.metric[dataset]][rows][-FINAL_EVALUATIONS:]
        differences.setdefault((algorithm, dataset), []).append(
            percent_difference(float(np.min(final)), float(np.mean(final)))
        )
    return differences


def worst_episodes(results: Results) -> Differences:
    scale = {name: normalizer(results, name) for name in results.datasets}
    differences: Differences = {}
    trials = list(results.finished_trials())
    last_rows = np.array([rows.stop - 1 for _, rows in trials], dtype=int)
    last = results.finished_frame["episode_returns"].iloc[last_rows]
    for ((algorithm, dataset, _), _), episodes in zip(trials, last, strict=True):
        slope, intercept = scale[dataset]
        scores = slope * np.asarray(episodes, dtype=np.float64) + intercept
        differences.setdefault((algorithm, dataset), []).append(
            percent_difference(float(np.min(scores)), float(np.mean(scores)))
        )
    return differences


def normalizer(results: Results, dataset: str) -> tuple[float, float]:
    """Slope and intercept from returns to normalized scores, told from the records; (1, 0) without scores.

    Raises:
        NotApplicableError: where all returns are the same.
    """
    if results.metric[dataset] == "return_mean":
        return 1.0, 0.0
    rows = results.frame.loc[
        results.frame["dataset"] == dataset, ["return_mean", "normalized_score"]
    ].dropna()
    returns, scores = rows["return_mean"].to_numpy(), rows["normalized_score"].to_numpy()
    if len(returns) == 0 or np.ptp(returns) == 0:
        raise NotApplicableError(f"the reference scores of {dataset} cannot be told from its records")
    low, high = np.argmin(returns), np.argmax(returns)
    slope = float((scores[high] - scores[low]) / (returns[high] - returns[low]))
    return slope, float(scores[low] - slope * returns[low])


def _ablated(
    means: dict[tuple[str, str], float], variant: str, reference: str, datasets: Sequence[str]
) -> list[float | None]:
    pairs = [(means.get((variant, name)), means[reference, name]) for name in datasets]
    known = [(value, full) for value, full in pairs if value is not None]
    by_dataset = [None if value is None else percent_difference(value, full) for value, full in pairs]
    if len(known) < len(pairs):
        return [*by_dataset, None]
    return [*by_dataset, percent_difference(sum(value for value, _ in known), sum(full for _, full in known))]


def _instability(results: Results, differences: Differences, what: str) -> Drawing:
    heights: dict[str, list[float | None]] = {}
    whiskers: dict[str, NDArray[np.float64]] = {}
    for name in results.algorithms:
        of = [np.array(differences.get((name, dataset), [])) for dataset in results.datasets]
        heights[name] = [mean_and_deviation(values)[0] if len(values) else None for values in of]
        deviations = [mean_and_deviation(values)[1] for values in of]
        whiskers[name] = np.array([deviations, deviations])
    groups = [initials(name) for name in results.datasets]
    return Drawing(
        _bars(looks(results.algorithms), groups, heights, whiskers),
        f"{what}; mean over {captions.seeds(results)}, whiskers: standard deviation (ddof={DDOF}). "
        f"{_footnote(results.datasets)}",
    )


def _bars(
    look: dict[str, Look],
    groups: Sequence[str],
    heights: dict[str, list[float | None]],
    whiskers: dict[str, NDArray[np.float64]],
) -> Figure:
    figure = Figure(figsize=(TEXT_WIDTH, 2.3), layout="constrained")
    axis = figure.subplots()
    grouped_bars(axis, look, heights, whiskers, LIMIT)
    axis.set_xticks(np.arange(len(groups)), groups)
    axis.set_ylabel("Percent difference")
    values = [value for of in heights.values() for value in of if value is not None]
    low, high = axis.get_ylim()
    axis.set_ylim(
        -1.3 * LIMIT if min(values, default=0.0) < -LIMIT else max(low, -1.05 * LIMIT),
        1.3 * LIMIT if max(values, default=0.0) > LIMIT else min(high, 1.05 * LIMIT),
    )
    legend_below(figure, bar_handles(look))
    return figure


def _footnote(datasets: Sequence[str]) -> str:
    short = ", ".join(f"{initials(name)}: {name}" for name in datasets if initials(name) != name)
    return f"Bars beyond ±{LIMIT:.0f} % are cut and numbered. {f'{short}.' if short else ''}".strip()
